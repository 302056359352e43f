"""The tables of the main job: identity, ledger, plans, routing, renders, jobs and facts."""

import sqlalchemy as sa
from alembic import op

from medici.kernel.db.base import BigInt, Instant, Json
from medici.migrations.append_only import guards

revision = "0001"
down_revision = None


TABLES = (  # in the order to drop them
    "render_attempts",
    "ledger_entries",
    "render_jobs",
    "ledger_transactions",
    "credit_hold_lines",
    "user_identities",
    "credit_holds",
    "credit_grants",
    "access_tokens",
    "variables",
    "users",
    "styles",
    "provider_settings_versions",
    "plans",
    "pictures",
    "jobs",
    "job_workers",
    "job_schedules",
    "idempotency_keys",
    "events",
    "entitlements",
    "credit_wallets",
    "credit_reset_schedule",
    "audit_entries",
)
APPEND_ONLY = (
    "audit_entries",
    "ledger_entries",
    "ledger_transactions",
    "provider_settings_versions",
)


def upgrade() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("proof", sa.String(32), nullable=False),
        sa.Column("actor", sa.String(length=160), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("target_kind", sa.String(length=64), nullable=False),
        sa.Column("target_id", sa.String(length=255), nullable=False),
        sa.Column("before", Json, nullable=True),
        sa.Column("after", Json, nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
    )
    op.create_index("ix_audit_entries_action", "audit_entries", ["action", "id"], unique=False)
    op.create_index(
        "ix_audit_entries_target", "audit_entries", ["target_kind", "target_id", "id"], unique=False
    )
    op.create_table(
        "credit_reset_schedule",
        sa.Column("id", BigInt, autoincrement=False, nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("reset_hour_utc", BigInt, nullable=False),
        sa.Column("reset_minute_utc", BigInt, nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_credit_reset_schedule_alone")),
        sa.CheckConstraint(
            "reset_hour_utc BETWEEN 0 AND 23", name=op.f("ck_credit_reset_schedule_hour")
        ),
        sa.CheckConstraint(
            "reset_minute_utc BETWEEN 0 AND 59", name=op.f("ck_credit_reset_schedule_minute")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_reset_schedule")),
    )
    op.create_table(
        "credit_wallets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_kind", sa.String(32), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("environment", sa.String(32), nullable=False),
        sa.Column("available", BigInt, nullable=False),
        sa.Column("held", BigInt, nullable=False),
        sa.Column("seq", BigInt, nullable=False),
        sa.Column("last_at", Instant(), nullable=False),
        sa.Column("parked_at", Instant(), nullable=True),
        sa.CheckConstraint("available >= 0 AND held >= 0", name=op.f("ck_credit_wallets_covered")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_wallets")),
        sa.UniqueConstraint(
            "owner_kind",
            "owner_id",
            "asset",
            "environment",
            name=op.f("uq_credit_wallets_owner_kind_owner_id_asset_environment"),
        ),
    )
    op.create_table(
        "entitlements",
        sa.Column("owner_kind", sa.String(32), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=True),
        sa.Column("original_transaction_id", sa.Text(), nullable=True),
        sa.Column("renews_at", Instant(), nullable=True),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.Column("details", Json, nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("owner_kind", "owner_id", name=op.f("pk_entitlements")),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("occurred_at", Instant(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("platform", sa.Text(), nullable=True),
        sa.Column("provider", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("operation", sa.Text(), nullable=True),
        sa.Column("tier", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("latency_ms", BigInt, nullable=True),
        sa.Column("cost_micros", BigInt, nullable=True),
        sa.Column("credits", BigInt, nullable=True),
        sa.Column("plan_id", sa.Text(), nullable=True),
        sa.Column("project_id", sa.Text(), nullable=True),
        sa.Column("style_id", sa.Text(), nullable=True),
        sa.Column("render_job_id", sa.Uuid(), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("trusted", sa.Boolean(), nullable=False),
        sa.Column("properties", Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index(
        op.f("ix_events_name_occurred_at"), "events", ["name", "occurred_at"], unique=False
    )
    op.create_index(op.f("ix_events_occurred_at"), "events", ["occurred_at"], unique=False)
    op.create_table(
        "idempotency_keys",
        sa.Column("identity", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("status", BigInt, nullable=False),
        sa.Column("headers", Json, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("identity", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(
        op.f("ix_idempotency_keys_expires_at"), "idempotency_keys", ["expires_at"], unique=False
    )
    op.create_table(
        "job_schedules",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("rhythm", sa.Text(), nullable=False),
        sa.Column("next_at", Instant(), nullable=False),
        sa.Column("last_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_job_schedules")),
    )
    op.create_table(
        "job_workers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", BigInt, nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_workers")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("queue", sa.String(32), nullable=False),
        sa.Column("args", Json, nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("state", sa.String(32), server_default="ready", nullable=False),
        sa.Column("run_at", Instant(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("attempts", BigInt, server_default=sa.text("0"), nullable=False),
        sa.Column("max_attempts", BigInt, nullable=False),
        sa.Column("losses", BigInt, server_default=sa.text("0"), nullable=False),
        sa.Column("burial", sa.Text(), nullable=True),
        sa.Column("rung", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("fence", BigInt, server_default=sa.text("0"), nullable=False),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("worker", sa.Uuid(), nullable=True),
        sa.Column("last_error_code", sa.Text(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("started_at", Instant(), nullable=True),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "(state = 'running') = (lease_until IS NOT NULL)", name=op.f("ck_jobs_leased")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index(
        "ix_jobs_dead",
        "jobs",
        ["finished_at"],
        unique=False,
        postgresql_where=sa.text("state = 'dead'"),
        sqlite_where=sa.text("state = 'dead'"),
    )
    op.create_index(
        "ix_jobs_ready",
        "jobs",
        ["queue", "due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'ready'"),
        sqlite_where=sa.text("state = 'ready'"),
    )
    op.create_index(
        "ix_jobs_running",
        "jobs",
        ["lease_until"],
        unique=False,
        postgresql_where=sa.text("state = 'running'"),
        sqlite_where=sa.text("state = 'running'"),
    )
    op.create_index(
        "uq_jobs_unfinished",
        "jobs",
        ["kind", "key"],
        unique=True,
        postgresql_where=sa.text("key IS NOT NULL AND state IN ('ready', 'running')"),
        sqlite_where=sa.text("key IS NOT NULL AND state IN ('ready', 'running')"),
    )
    op.create_table(
        "pictures",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_kind", sa.String(32), nullable=False),
        sa.Column("owner_id", sa.String(length=128), nullable=False),
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("content_type", sa.String(length=64), nullable=False),
        sa.Column("width", BigInt, nullable=False),
        sa.Column("height", BigInt, nullable=False),
        sa.Column("size_bytes", BigInt, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "width > 0 AND height > 0 AND size_bytes > 0", name=op.f("ck_pictures_not_empty")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pictures")),
        sa.UniqueConstraint("key", name=op.f("uq_pictures_key")),
    )
    op.create_index(
        "ix_pictures_expiring",
        "pictures",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("expires_at IS NOT NULL"),
        postgresql_where=sa.text("expires_at IS NOT NULL"),
    )
    op.create_index("ix_pictures_owner", "pictures", ["owner_kind", "owner_id", "id"], unique=False)
    op.create_table(
        "plans",
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("daily_credits", BigInt, nullable=False),
        sa.Column("preview_cost_credits", BigInt, nullable=False),
        sa.Column("final_cost_credits", BigInt, nullable=False),
        sa.Column("monthly_price_cents", BigInt, nullable=False),
        sa.Column("ios_product_id", sa.Text(), nullable=True),
        sa.Column("android_product_id", sa.Text(), nullable=True),
        sa.Column("web_product_id", sa.Text(), nullable=True),
        sa.Column("features", Json, nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.CheckConstraint("daily_credits >= 0", name=op.f("ck_plans_daily_credits_not_negative")),
        sa.CheckConstraint(
            "final_cost_credits >= 0", name=op.f("ck_plans_final_cost_not_negative")
        ),
        sa.CheckConstraint("monthly_price_cents >= 0", name=op.f("ck_plans_price_not_negative")),
        sa.CheckConstraint(
            "preview_cost_credits >= 0", name=op.f("ck_plans_preview_cost_not_negative")
        ),
        sa.PrimaryKeyConstraint("plan_id", name=op.f("pk_plans")),
    )
    op.create_table(
        "provider_settings_versions",
        sa.Column("version", BigInt, autoincrement=False, nullable=False),
        sa.Column("content", Json, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.CheckConstraint(
            "version >= 1", name=op.f("ck_provider_settings_versions_numbered_from_one")
        ),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_provider_settings_versions")),
    )
    op.create_table(
        "styles",
        sa.Column("style_id", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("thumbnail_url", sa.Text(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("tags", Json, nullable=False),
        sa.Column("room_types", Json, nullable=False),
        sa.Column("sort_order", BigInt, nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("style_id", name=op.f("pk_styles")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("disabled_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
    )
    op.create_table(
        "variables",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", Json, nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_variables")),
    )
    op.create_table(
        "access_tokens",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=128), nullable=False),
        sa.Column("platform", sa.String(length=32), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_access_tokens_user_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_access_tokens")),
    )
    op.create_index(
        op.f("ix_access_tokens_expires_at"), "access_tokens", ["expires_at"], unique=False
    )
    op.create_index(op.f("ix_access_tokens_user_id"), "access_tokens", ["user_id"], unique=False)
    op.create_table(
        "credit_grants",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("wallet_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("source_ref", sa.Text(), nullable=False),
        sa.Column("category", sa.String(32), nullable=False),
        sa.Column("priority", BigInt, nullable=False),
        sa.Column("amount", BigInt, nullable=False),
        sa.Column("consumed", BigInt, nullable=False),
        sa.Column("held", BigInt, nullable=False),
        sa.Column("expired", BigInt, nullable=False),
        sa.Column("revoked", BigInt, nullable=False),
        sa.Column("effective_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("created_seq", BigInt, nullable=False),
        sa.Column("issued_seq", BigInt, nullable=True),
        sa.CheckConstraint("amount > 0", name=op.f("ck_credit_grants_positive")),
        sa.CheckConstraint(
            "consumed + held + expired + revoked <= amount", name=op.f("ck_credit_grants_whole")
        ),
        sa.CheckConstraint(
            "consumed >= 0 AND held >= 0 AND expired >= 0 AND revoked >= 0",
            name=op.f("ck_credit_grants_parts"),
        ),
        sa.CheckConstraint("priority BETWEEN 0 AND 100", name=op.f("ck_credit_grants_priority")),
        sa.ForeignKeyConstraint(
            ["wallet_id"], ["credit_wallets.id"], name=op.f("fk_credit_grants_wallet_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_grants")),
        sa.UniqueConstraint(
            "wallet_id",
            "source",
            "source_ref",
            name=op.f("uq_credit_grants_wallet_id_source_source_ref"),
        ),
    )
    op.create_index(
        "ix_credit_grants_ending",
        "credit_grants",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("amount > consumed + expired + revoked"),
        postgresql_where=sa.text("amount > consumed + expired + revoked"),
    )
    op.create_index(
        "ix_credit_grants_open",
        "credit_grants",
        ["wallet_id"],
        unique=False,
        sqlite_where=sa.text("amount > consumed + expired + revoked"),
        postgresql_where=sa.text("amount > consumed + expired + revoked"),
    )
    op.create_index(
        "ix_credit_grants_waiting",
        "credit_grants",
        ["effective_at"],
        unique=False,
        sqlite_where=sa.text("issued_seq IS NULL"),
        postgresql_where=sa.text("issued_seq IS NULL"),
    )
    op.create_table(
        "credit_holds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("wallet_id", sa.Uuid(), nullable=False),
        sa.Column("amount", BigInt, nullable=False),
        sa.Column("captured", BigInt, nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("ref_kind", sa.Text(), nullable=False),
        sa.Column("ref_id", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "status <> 'pending' OR captured = 0", name=op.f("ck_credit_holds_pending")
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_credit_holds_positive")),
        sa.CheckConstraint("captured BETWEEN 0 AND amount", name=op.f("ck_credit_holds_captured")),
        sa.ForeignKeyConstraint(
            ["wallet_id"], ["credit_wallets.id"], name=op.f("fk_credit_holds_wallet_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_holds")),
        sa.UniqueConstraint(
            "wallet_id",
            "ref_kind",
            "ref_id",
            name=op.f("uq_credit_holds_wallet_id_ref_kind_ref_id"),
        ),
    )
    op.create_index(
        "ix_credit_holds_pending",
        "credit_holds",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("status = 'pending'"),
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_table(
        "user_identities",
        sa.Column("issuer", sa.String(length=255), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("user_id", sa.String(length=128), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_identities_user_id")),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_user_identities")),
    )
    op.create_index(
        op.f("ix_user_identities_user_id"), "user_identities", ["user_id"], unique=False
    )
    op.create_table(
        "credit_hold_lines",
        sa.Column("hold_id", sa.Uuid(), nullable=False),
        sa.Column("grant_id", sa.Uuid(), nullable=False),
        sa.Column("position", BigInt, nullable=False),
        sa.Column("amount", BigInt, nullable=False),
        sa.Column("captured", BigInt, nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_credit_hold_lines_positive")),
        sa.CheckConstraint(
            "captured BETWEEN 0 AND amount", name=op.f("ck_credit_hold_lines_captured")
        ),
        sa.ForeignKeyConstraint(
            ["grant_id"], ["credit_grants.id"], name=op.f("fk_credit_hold_lines_grant_id")
        ),
        sa.ForeignKeyConstraint(
            ["hold_id"], ["credit_holds.id"], name=op.f("fk_credit_hold_lines_hold_id")
        ),
        sa.PrimaryKeyConstraint("hold_id", "grant_id", name=op.f("pk_credit_hold_lines")),
    )
    op.create_table(
        "ledger_transactions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("wallet_id", sa.Uuid(), nullable=False),
        sa.Column("wallet_seq", BigInt, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("scope", sa.Text(), nullable=True),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=True),
        sa.Column("result", Json, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=True),
        sa.Column("hold_id", sa.Uuid(), nullable=True),
        sa.Column("reverses", sa.Uuid(), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hold_id"], ["credit_holds.id"], name=op.f("fk_ledger_transactions_hold_id")
        ),
        sa.ForeignKeyConstraint(
            ["reverses"], ["ledger_transactions.id"], name=op.f("fk_ledger_transactions_reverses")
        ),
        sa.ForeignKeyConstraint(
            ["wallet_id"], ["credit_wallets.id"], name=op.f("fk_ledger_transactions_wallet_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_transactions")),
        sa.UniqueConstraint(
            "wallet_id", "wallet_seq", name=op.f("uq_ledger_transactions_wallet_id_wallet_seq")
        ),
    )
    op.create_index(
        "ix_ledger_transactions_reverses",
        "ledger_transactions",
        ["reverses"],
        unique=False,
        sqlite_where=sa.text("reverses IS NOT NULL"),
        postgresql_where=sa.text("reverses IS NOT NULL"),
    )
    op.create_index(
        "uq_ledger_transactions_scope_idempotency_key",
        "ledger_transactions",
        ["scope", "idempotency_key"],
        unique=True,
    )
    op.create_table(
        "render_jobs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.String(length=128), nullable=False),
        sa.Column("platform", sa.String(length=32), nullable=True),
        sa.Column("project_id", sa.String(length=128), nullable=False),
        sa.Column("style_id", sa.String(length=64), nullable=False),
        sa.Column("operation", sa.String(32), nullable=False),
        sa.Column("tier", sa.String(32), nullable=False),
        sa.Column("target_parts", Json, nullable=False),
        sa.Column("image_url", sa.Text(), nullable=False),
        sa.Column("image_id", sa.Uuid(), nullable=True),
        sa.Column("mask_url", sa.Text(), nullable=True),
        sa.Column("mask_id", sa.Uuid(), nullable=True),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("wishes", Json, nullable=False),
        sa.Column("max_pixels", BigInt, nullable=False),
        sa.Column("plan_id", sa.String(length=64), nullable=False),
        sa.Column("credits", BigInt, nullable=False),
        sa.Column("hold_id", sa.Uuid(), nullable=True),
        sa.Column("settings_version", BigInt, nullable=False),
        sa.Column("candidates", Json, nullable=False),
        sa.Column("position", BigInt, nullable=False),
        sa.Column("retries", BigInt, nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("provider_model", sa.String(length=128), nullable=False),
        sa.Column("progress", BigInt, nullable=False),
        sa.Column("queue_position", BigInt, nullable=True),
        sa.Column("error_code", sa.String(length=64), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("notes", Json, nullable=False),
        sa.Column("output_id", sa.Uuid(), nullable=True),
        sa.Column("estimated_cost_micros", BigInt, nullable=False),
        sa.Column("actual_cost_micros", BigInt, nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.CheckConstraint("credits >= 0", name=op.f("ck_render_jobs_credits_not_negative")),
        sa.ForeignKeyConstraint(
            ["hold_id"], ["credit_holds.id"], name=op.f("fk_render_jobs_hold_id")
        ),
        sa.ForeignKeyConstraint(
            ["image_id"], ["pictures.id"], name=op.f("fk_render_jobs_image_id")
        ),
        sa.ForeignKeyConstraint(["mask_id"], ["pictures.id"], name=op.f("fk_render_jobs_mask_id")),
        sa.ForeignKeyConstraint(
            ["output_id"], ["pictures.id"], name=op.f("fk_render_jobs_output_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_render_jobs_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_render_jobs")),
    )
    op.create_index(
        "ix_render_jobs_in_flight",
        "render_jobs",
        ["user_id"],
        unique=False,
        sqlite_where=sa.text("state IN ('queued', 'sending', 'running', 'uncertain')"),
        postgresql_where=sa.text("state IN ('queued', 'sending', 'running', 'uncertain')"),
    )
    op.create_index(
        "ix_render_jobs_previews",
        "render_jobs",
        ["user_id", "project_id", "style_id", "tier", "state"],
        unique=False,
    )
    op.create_index("ix_render_jobs_user", "render_jobs", ["user_id", "id"], unique=False)
    op.create_table(
        "ledger_entries",
        sa.Column("transaction_id", sa.Uuid(), nullable=False),
        sa.Column("line", BigInt, nullable=False),
        sa.Column("account", sa.String(32), nullable=False),
        sa.Column("grant_id", sa.Uuid(), nullable=True),
        sa.Column("amount", BigInt, nullable=False),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_ledger_entries_moves")),
        sa.ForeignKeyConstraint(
            ["grant_id"], ["credit_grants.id"], name=op.f("fk_ledger_entries_grant_id")
        ),
        sa.ForeignKeyConstraint(
            ["transaction_id"],
            ["ledger_transactions.id"],
            name=op.f("fk_ledger_entries_transaction_id"),
        ),
        sa.PrimaryKeyConstraint("transaction_id", "line", name=op.f("pk_ledger_entries")),
    )
    op.create_table(
        "render_attempts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("render_job_id", sa.Uuid(), nullable=False),
        sa.Column("number", BigInt, nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(length=128), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("ref", Json, nullable=True),
        sa.Column("polls", BigInt, nullable=False),
        sa.Column("failure_code", sa.String(32), nullable=True),
        sa.Column("failure_message", sa.Text(), nullable=True),
        sa.Column("estimated_cost_micros", BigInt, nullable=False),
        sa.Column("actual_cost_micros", BigInt, nullable=True),
        sa.Column("cost_source", sa.String(32), nullable=True),
        sa.Column("cost_uncertain", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("deadline_at", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["render_job_id"], ["render_jobs.id"], name=op.f("fk_render_attempts_render_job_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_render_attempts")),
        sa.UniqueConstraint(
            "render_job_id", "number", name=op.f("uq_render_attempts_render_job_id_number")
        ),
    )
    for table in APPEND_ONLY:
        for statement in guards(table, op.get_bind().dialect.name):
            op.execute(statement)


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change")
