"""How far a daily reset has come, and who was told about their credits."""

import sqlalchemy as sa
from alembic import op

from medici.kernel.db.base import BigInt, Instant

revision = "0005"
down_revision = "0004"

NO_ID = "0" * 32
UNDER_WAY = sa.text("state = 'running' AND NOT dry_run")


def upgrade() -> None:
    op.create_table(
        "credit_reset_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("schedule_date", sa.String(length=10), nullable=False),
        sa.Column("window_starts_at", Instant(), nullable=False),
        sa.Column("window_ends_at", Instant(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("completed_at", Instant(), nullable=True),
        sa.Column("last_owner_id", sa.Text(), nullable=False),
        sa.Column("users_processed", BigInt, nullable=False),
        sa.Column("balances_updated", BigInt, nullable=False),
        sa.Column("credits_granted", BigInt, nullable=False),
        sa.Column("skipped_disabled", BigInt, nullable=False),
        sa.Column("skipped_parked", BigInt, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_reset_runs")),
    )
    op.create_index(
        "ix_credit_reset_runs_under_way",
        "credit_reset_runs",
        ["schedule_date"],
        unique=True,
        sqlite_where=UNDER_WAY,
        postgresql_where=UNDER_WAY,
    )
    op.create_index(
        "ix_credit_reset_runs_schedule_date", "credit_reset_runs", ["schedule_date"], unique=False
    )
    op.add_column(
        "credit_reset_schedule",
        sa.Column("time_zone", sa.String(length=64), server_default="UTC", nullable=False),
    )
    op.create_table(
        "credit_news",
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("told_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("type", "key", name=op.f("pk_credit_news")),
    )
    op.create_index("ix_credit_news_told_at", "credit_news", ["told_at"], unique=False)
    op.create_table(
        "credit_news_place",
        sa.Column("id", BigInt, autoincrement=False, nullable=False),
        sa.Column("transaction_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_credit_news_place_alone")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_news_place")),
    )

    # What happened before this revision is no news any more.
    op.execute(
        f"""
        INSERT INTO credit_news_place (id, transaction_id) VALUES (1, coalesce(
            (SELECT id FROM ledger_transactions ORDER BY id DESC LIMIT 1), '{NO_ID}'
        ))
        """  # noqa: S608 - our own words
    )


def downgrade() -> None:
    op.drop_table("credit_news_place")
    op.drop_table("credit_news")
    op.drop_column("credit_reset_schedule", "time_zone")
    op.drop_table("credit_reset_runs")
