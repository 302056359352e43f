"""Experiments, who sees which variant, and what automation keeps of them."""

import sqlalchemy as sa
from alembic import op

from medici.kernel.db.base import BigInt, Instant, Json

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "experiments",
        sa.Column("experiment_id", sa.String(length=128), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("assignment_unit", sa.String(length=32), nullable=False),
        sa.Column("primary_metric", sa.String(length=128), nullable=False),
        sa.Column("control_variant_id", sa.String(length=128), nullable=False),
        sa.Column("seed", sa.String(length=255), nullable=False),
        sa.Column("bucket_version", BigInt, nullable=False),
        sa.Column("traffic_percent", sa.Double(), nullable=False),
        sa.Column("targeting", Json, nullable=False),
        sa.Column("namespace", Json, nullable=True),
        sa.Column("overrides", Json, nullable=False),
        sa.Column("exposure_mode", sa.String(32), nullable=False),
        sa.Column("analysis_mode", sa.String(32), nullable=False),
        sa.Column("planned_sample_size", BigInt, nullable=True),
        sa.Column("sequential_tuning_n", BigInt, nullable=True),
        sa.Column("guardrails", Json, nullable=False),
        sa.Column("variants", Json, nullable=False),
        sa.Column("phase", BigInt, nullable=False),
        sa.Column("phase_started_at", Instant(), nullable=True),
        sa.Column("revision", BigInt, nullable=False),
        sa.Column("archived_at", Instant(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("experiment_id", name=op.f("pk_experiments")),
    )
    op.create_index("ix_experiments_status", "experiments", ["status", "updated_at"])
    op.create_table(
        "experiment_assignments",
        sa.Column("experiment_id", sa.String(length=128), nullable=False),
        sa.Column("user_id", sa.String(length=255), nullable=False),
        sa.Column("variant_id", sa.String(length=128), nullable=False),
        sa.Column("bucket", sa.Double(), nullable=False),
        sa.Column("rollout_bucket", sa.Double(), nullable=False),
        sa.Column("phase", BigInt, nullable=False),
        sa.Column("bucket_version", BigInt, nullable=False),
        sa.Column("assigned_at", Instant(), nullable=False),
        sa.Column("first_exposed_at", Instant(), nullable=True),
        sa.Column("enrolled", sa.Boolean(), nullable=False),
        sa.Column("censored_at", Instant(), nullable=True),
        sa.Column("multiply_exposed", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("platform", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiments.experiment_id"],
            name=op.f("fk_experiment_assignments_experiment_id"),
        ),
        sa.PrimaryKeyConstraint("experiment_id", "user_id", name=op.f("pk_experiment_assignments")),
    )
    op.create_index(
        "ix_experiment_assignments_compared",
        "experiment_assignments",
        ["experiment_id", "phase", "variant_id", "first_exposed_at"],
        unique=False,
    )
    op.create_index("ix_experiment_assignments_user", "experiment_assignments", ["user_id"])
    op.create_table(
        "experiment_exposures",
        sa.Column("experiment_id", sa.String(length=128), nullable=False),
        sa.Column("user_id", sa.String(length=255), nullable=False),
        sa.Column("variant_id", sa.String(length=128), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("occurred_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiments.experiment_id"],
            name=op.f("fk_experiment_exposures_experiment_id"),
        ),
        sa.PrimaryKeyConstraint(
            "experiment_id", "user_id", "variant_id", "day", name=op.f("pk_experiment_exposures")
        ),
    )
    op.create_table(
        "experiment_runtime",
        sa.Column("experiment_id", sa.String(length=128), nullable=False),
        sa.Column("violation_streak", BigInt, nullable=False),
        sa.Column("guardrails_checked_at", Instant(), nullable=True),
        sa.Column("guardrails_breached", sa.Boolean(), nullable=True),
        sa.Column("guardrail_pause", Json, nullable=True),
        sa.Column("rollout_status", sa.String(32), nullable=False),
        sa.Column("rollout_percent", BigInt, nullable=False),
        sa.Column("winner_variant_id", sa.String(length=128), nullable=True),
        sa.Column("rollout_evaluated_at", Instant(), nullable=True),
        sa.Column("rollout_changed_at", Instant(), nullable=True),
        sa.Column("rollout_reason", sa.Text(), nullable=True),
        sa.Column("rollout_history", Json, nullable=False),
        sa.Column("final_result", Json, nullable=True),
        sa.CheckConstraint(
            "rollout_percent BETWEEN 0 AND 100", name=op.f("ck_experiment_runtime_rollout_percent")
        ),
        sa.CheckConstraint(
            "violation_streak >= 0", name=op.f("ck_experiment_runtime_violation_streak")
        ),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiments.experiment_id"],
            name=op.f("fk_experiment_runtime_experiment_id"),
        ),
        sa.PrimaryKeyConstraint("experiment_id", name=op.f("pk_experiment_runtime")),
    )


def downgrade() -> None:
    op.drop_table("experiment_runtime")
    op.drop_table("experiment_exposures")
    op.drop_index("ix_experiment_assignments_user", table_name="experiment_assignments")
    op.drop_index("ix_experiment_assignments_compared", table_name="experiment_assignments")
    op.drop_table("experiment_assignments")
    op.drop_index("ix_experiments_status", table_name="experiments")
    op.drop_table("experiments")
