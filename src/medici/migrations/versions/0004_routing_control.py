"""Drafts of provider settings, canaries, and how providers fare."""

import sqlalchemy as sa
from alembic import op

from medici.kernel.db.base import BigInt, Instant, Json
from medici.migrations.append_only import guards

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "provider_settings_drafts",
        sa.Column("revision", BigInt, autoincrement=False, nullable=False),
        sa.Column("content", Json, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.CheckConstraint(
            "revision >= 1", name=op.f("ck_provider_settings_drafts_numbered_from_one")
        ),
        sa.PrimaryKeyConstraint("revision", name=op.f("pk_provider_settings_drafts")),
    )
    for statement in guards("provider_settings_drafts", op.get_bind().dialect.name):
        op.execute(statement)
    op.create_table(
        "provider_settings_canaries",
        sa.Column("version", BigInt, autoincrement=False, nullable=False),
        sa.Column("baseline_version", BigInt, nullable=False),
        sa.Column("percent", BigInt, nullable=False),
        sa.Column("limits", Json, nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("after_id", sa.Uuid(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("observed_at", Instant(), nullable=True),
        sa.Column("canary_health", Json, nullable=True),
        sa.Column("baseline_health", Json, nullable=True),
        sa.Column("breaches", Json, nullable=False),
        sa.CheckConstraint(
            "percent BETWEEN 1 AND 99", name=op.f("ck_provider_settings_canaries_some_percent")
        ),
        sa.ForeignKeyConstraint(
            ["baseline_version"],
            ["provider_settings_versions.version"],
            name=op.f("fk_provider_settings_canaries_baseline_version"),
        ),
        sa.ForeignKeyConstraint(
            ["version"],
            ["provider_settings_versions.version"],
            name=op.f("fk_provider_settings_canaries_version"),
        ),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_provider_settings_canaries")),
    )
    op.create_index(
        "uq_provider_settings_canaries_running",
        "provider_settings_canaries",
        ["state"],
        unique=True,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_table(
        "provider_measurements",
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(length=128), nullable=False),
        sa.Column("operation", sa.String(32), nullable=False),
        sa.Column("tier", sa.String(32), nullable=False),
        sa.Column("samples", BigInt, nullable=False),
        sa.Column("p50_ms", BigInt, nullable=False),
        sa.Column("p95_ms", BigInt, nullable=False),
        sa.Column("cost_micros", BigInt, nullable=False),
        sa.Column("measured_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint(
            "provider", "model", "operation", "tier", name=op.f("pk_provider_measurements")
        ),
    )


def downgrade() -> None:
    op.drop_table("provider_measurements")
    op.drop_index("uq_provider_settings_canaries_running", table_name="provider_settings_canaries")
    op.drop_table("provider_settings_canaries")
    op.drop_table("provider_settings_drafts")
