"""Provider circuits, the mode of a provider, and what is open at one."""

import sqlalchemy as sa
from alembic import op

from medici.kernel.db.base import BigInt, Instant

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "provider_circuits",
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("operation", sa.String(32), nullable=False),
        sa.Column("failures", BigInt, nullable=False),
        sa.Column("openings", BigInt, nullable=False),
        sa.Column("reason", sa.String(32), nullable=True),
        sa.Column("retry_at", Instant(), nullable=True),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.CheckConstraint(
            "failures >= 0", name=op.f("ck_provider_circuits_failures_not_negative")
        ),
        sa.PrimaryKeyConstraint("provider", "operation", name=op.f("pk_provider_circuits")),
    )
    op.add_column(
        "render_attempts", sa.Column("price_version", sa.String(length=64), nullable=True)
    )
    op.create_index(
        "ix_render_attempts_open",
        "render_attempts",
        ["provider"],
        unique=False,
        sqlite_where=sa.text("finished_at IS NULL"),
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    op.add_column("render_jobs", sa.Column("provider_mode", sa.String(32), nullable=True))


def downgrade() -> None:
    op.drop_column("render_jobs", "provider_mode")
    op.drop_index(
        "ix_render_attempts_open",
        table_name="render_attempts",
        sqlite_where=sa.text("finished_at IS NULL"),
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    op.drop_column("render_attempts", "price_version")
    op.drop_table("provider_circuits")
