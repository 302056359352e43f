"""Facts once each, and what they add up to by the hour."""

import sqlalchemy as sa
from alembic import op

from medici.kernel.db.base import BigInt, Instant

revision = "0007"
down_revision = "0006"

HAS_EVENT_ID = sa.text("event_id IS NOT NULL")
DIMENSIONS = (
    "name",
    "provider",
    "model",
    "operation",
    "tier",
    "status",
    "platform",
    "plan_id",
    "error_code",
)
BIN_DIMENSIONS = ("name", "provider", "operation", "tier", "status")
MEASURES = ("events", "timed", "latency_ms", "costed", "cost_micros", "credits")
TABLES = (
    "analytics_rollup",
    "analytics_stale_hours",
    "analytics_identities",
    "analytics_active_quarters",
    "analytics_first_seen",
    "analytics_user_hourly",
    "analytics_latency_daily",
    "analytics_latency_hourly",
    "analytics_daily",
    "analytics_hourly",
)


def upgrade() -> None:
    op.add_column("events", sa.Column("event_id", sa.Uuid(), nullable=True))
    op.add_column("events", sa.Column("anonymous_id", sa.String(length=128), nullable=True))
    op.add_column("events", sa.Column("session_id", sa.String(length=128), nullable=True))
    op.add_column("events", sa.Column("app_version", sa.String(length=64), nullable=True))
    op.create_index(
        "uq_events_event_id",
        "events",
        ["event_id"],
        unique=True,
        sqlite_where=HAS_EVENT_ID,
        postgresql_where=HAS_EVENT_ID,
    )
    op.create_index(
        op.f("ix_access_tokens_created_at"), "access_tokens", ["created_at"], unique=False
    )
    for span in ("hourly", "daily"):
        _create_cells(f"analytics_{span}")
        _create_latency(f"analytics_latency_{span}")
    op.create_table(
        "analytics_user_hourly",
        sa.Column("since", Instant(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        *(
            sa.Column(name, BigInt, nullable=False)
            for name in ("renders", "completed", "previews", "finals", "credits", "cost_micros")
        ),
        sa.PrimaryKeyConstraint("since", "user_id", name=op.f("pk_analytics_user_hourly")),
    )
    _create_actors()
    op.create_table(
        "analytics_stale_hours",
        sa.Column("since", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("since", name=op.f("pk_analytics_stale_hours")),
    )
    op.create_table(
        "analytics_rollup",
        sa.Column("id", BigInt, autoincrement=False, nullable=False),
        sa.Column("last_id", sa.Uuid(), nullable=True),
        sa.Column("rolled_to", Instant(), nullable=False),
        sa.Column("ran_at", Instant(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_analytics_rollup_alone")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_analytics_rollup")),
    )


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    op.drop_index(op.f("ix_access_tokens_created_at"), table_name="access_tokens")
    op.drop_index("uq_events_event_id", table_name="events")
    for column in ("app_version", "session_id", "anonymous_id", "event_id"):
        op.drop_column("events", column)


def _create_cells(table: str) -> None:
    op.create_table(
        table,
        sa.Column("since", Instant(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in DIMENSIONS),
        sa.Column("trusted", sa.Boolean(), nullable=False),
        *(sa.Column(name, BigInt, nullable=False) for name in MEASURES),
        sa.PrimaryKeyConstraint("since", *DIMENSIONS, "trusted", name=op.f(f"pk_{table}")),
    )


def _create_latency(table: str) -> None:
    op.create_table(
        table,
        sa.Column("since", Instant(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in BIN_DIMENSIONS),
        sa.Column("bin", BigInt, nullable=False),
        sa.Column("events", BigInt, nullable=False),
        sa.PrimaryKeyConstraint("since", *BIN_DIMENSIONS, "bin", name=op.f(f"pk_{table}")),
    )


def _create_actors() -> None:
    op.create_table(
        "analytics_first_seen",
        sa.Column("actor", sa.String(length=160), nullable=False),
        sa.Column("first_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("actor", name=op.f("pk_analytics_first_seen")),
    )
    op.create_index(op.f("ix_analytics_first_seen_first_at"), "analytics_first_seen", ["first_at"])
    op.create_table(
        "analytics_active_quarters",
        sa.Column("since", Instant(), nullable=False),
        sa.Column("actor", sa.String(length=160), nullable=False),
        sa.PrimaryKeyConstraint("since", "actor", name=op.f("pk_analytics_active_quarters")),
    )
    op.create_index(
        op.f("ix_analytics_active_quarters_actor"), "analytics_active_quarters", ["actor"]
    )
    op.create_table(
        "analytics_identities",
        sa.Column("anonymous_id", sa.String(length=128), nullable=False),
        sa.Column("user_id", sa.String(length=128), nullable=False),
        sa.Column("linked_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("anonymous_id", name=op.f("pk_analytics_identities")),
    )
    op.create_index(op.f("ix_analytics_identities_user_id"), "analytics_identities", ["user_id"])
