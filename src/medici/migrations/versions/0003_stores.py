"""What stores report: messages, purchases, payments, refunds; packs; what plans bring by period."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from medici.kernel.db.base import BigInt, Instant, Json
from medici.kernel.ids import new_id

revision = "0003"
down_revision = "0002"

ENDING = sa.text("status = 'active' AND expires_at IS NOT NULL")
SOME_TRANSACTIONS = {
    "ix_store_transactions_uncredited": sa.text("credited_at IS NULL"),
    "ix_store_transactions_unrecovered": sa.text("unrecovered_credits > 0"),
}
CARRIED_OVER = "carried-over"
STATES = {"active": "active", "canceled": "revoked", "expired": "expired", "inactive": "pending"}

USERS = sa.table("users", sa.column("id", sa.String), sa.column("created_at", Instant()))
HELD = sa.table(
    "entitlements",
    *(
        sa.column(name, sa.Text)
        for name in ("owner_kind", "owner_id", "plan_id", "status", "source", "product_id")
    ),
    sa.column("original_transaction_id", sa.Text),
    *(sa.column(name, Instant()) for name in ("renews_at", "expires_at", "updated_at")),
    sa.column("details", Json),
    sa.column("purchase_id", sa.Uuid()),
)
EVENTS = sa.table(
    "purchase_events",
    sa.column("id", sa.Uuid()),
    *(
        sa.column(name, sa.Text)
        for name in ("source", "environment", "lineage_id", "told_lineage_id")
    ),
    *(sa.column(name, sa.Text) for name in ("event_id", "handle", "auth_mode")),
    *(sa.column(name, Json) for name in ("buyer", "standing")),
    *(sa.column(name, Instant()) for name in ("event_time", "recorded_at")),
)
PURCHASES = sa.table(
    "purchases",
    sa.column("id", sa.Uuid()),
    *(
        sa.column(name, sa.Text)
        for name in ("user_id", "source", "environment", "lineage_id", "product_id", "plan_id")
    ),
    *(
        sa.column(name, sa.Text)
        for name in ("state", "ownership", "auth_mode", "watermark_event_id")
    ),
    *(sa.column(name, sa.Boolean) for name in ("bound", "lifetime", "will_renew", "override")),
    *(
        sa.column(name, Instant())
        for name in ("started_at", "expires_at", "renews_at", "ends_at", "watermark", "updated_at")
    ),
    sa.column("details", Json),
)


def upgrade() -> None:
    op.create_table(
        "credit_packs",
        sa.Column("pack_id", sa.String(length=64), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("credits", BigInt, nullable=False),
        sa.Column("price_cents", BigInt, nullable=False),
        sa.Column("ios_product_id", sa.Text(), nullable=True),
        sa.Column("android_product_id", sa.Text(), nullable=True),
        sa.Column("web_product_id", sa.Text(), nullable=True),
        sa.Column("sort_order", BigInt, nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.CheckConstraint("credits > 0", name=op.f("ck_credit_packs_credits_positive")),
        sa.CheckConstraint("price_cents >= 0", name=op.f("ck_credit_packs_price_not_negative")),
        sa.PrimaryKeyConstraint("pack_id", name=op.f("pk_credit_packs")),
    )
    op.create_table(
        "entitlement_history",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_kind", sa.String(32), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("cause", sa.String(length=64), nullable=False),
        sa.Column("cause_id", sa.String(length=255), nullable=True),
        sa.Column("before", Json, nullable=False),
        sa.Column("after", Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entitlement_history")),
    )
    op.create_index("ix_entitlement_history_at", "entitlement_history", ["at"], unique=False)
    op.create_index(
        "ix_entitlement_history_owner",
        "entitlement_history",
        ["owner_kind", "owner_id", "id"],
        unique=False,
    )
    op.create_table(
        "purchase_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("environment", sa.String(32), nullable=False),
        sa.Column("lineage_id", sa.String(length=255), nullable=False),
        sa.Column("told_lineage_id", sa.String(length=255), nullable=False),
        sa.Column("event_id", sa.String(length=255), nullable=False),
        sa.Column("event_time", Instant(), nullable=False),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("follows", sa.Text(), nullable=True),
        sa.Column("auth_mode", sa.String(32), nullable=False),
        sa.Column("buyer", Json, nullable=False),
        sa.Column("standing", Json, nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase_events")),
        sa.UniqueConstraint(
            "source",
            "environment",
            "told_lineage_id",
            "event_id",
            name=op.f("uq_purchase_events_source_environment_told_lineage_id_event_id"),
        ),
    )
    op.create_index("ix_purchase_events_follows", "purchase_events", ["follows"], unique=False)
    op.create_index("ix_purchase_events_handle", "purchase_events", ["handle"], unique=False)
    op.create_index(
        "ix_purchase_events_lineage",
        "purchase_events",
        ["source", "environment", "lineage_id"],
        unique=False,
    )
    op.create_table(
        "store_refunds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("environment", sa.String(32), nullable=False),
        sa.Column("refund_id", sa.String(length=255), nullable=False),
        sa.Column("transaction_id", sa.String(length=255), nullable=False),
        sa.Column("share_ppm", BigInt, nullable=False),
        sa.Column("amount_minor", BigInt, nullable=True),
        sa.Column("reversed", sa.Boolean(), nullable=False),
        sa.Column("ends_access", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=128), nullable=True),
        sa.Column("said_at", Instant(), nullable=False),
        sa.Column("told_at", Instant(), nullable=True),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_store_refunds")),
        sa.UniqueConstraint(
            "source",
            "environment",
            "refund_id",
            name=op.f("uq_store_refunds_source_environment_refund_id"),
        ),
    )
    op.create_index(
        "ix_store_refunds_transaction",
        "store_refunds",
        ["source", "environment", "transaction_id"],
        unique=False,
    )
    op.create_table(
        "webhook_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("environment", sa.String(32), nullable=False),
        sa.Column("event_id", sa.String(length=255), nullable=False),
        sa.Column("event_type", sa.String(length=128), nullable=False),
        sa.Column("event_time", Instant(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("auth_mode", sa.String(32), nullable=False),
        sa.Column("payload_hash", sa.String(length=64), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("attempts", BigInt, nullable=False),
        sa.Column("awaits", sa.Text(), nullable=True),
        sa.Column("remark", sa.Text(), nullable=True),
        sa.Column("processed_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_events")),
        sa.UniqueConstraint(
            "source",
            "environment",
            "event_id",
            name=op.f("uq_webhook_events_source_environment_event_id"),
        ),
    )
    op.create_index(
        "ix_webhook_events_received_at", "webhook_events", ["received_at"], unique=False
    )
    op.create_index(
        "ix_webhook_events_waiting",
        "webhook_events",
        ["status", "received_at"],
        unique=False,
        sqlite_where=sa.text("status IN ('received', 'unclaimed', 'failed')"),
        postgresql_where=sa.text("status IN ('received', 'unclaimed', 'failed')"),
    )
    op.create_table(
        "checkouts",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=128), nullable=False),
        sa.Column("plan_id", sa.String(length=64), nullable=True),
        sa.Column("pack_id", sa.String(length=64), nullable=True),
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("provider_session_id", sa.String(length=255), nullable=True),
        sa.Column("checkout_url", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("completed_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_checkouts_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checkouts")),
    )
    op.create_index(
        op.f("ix_checkouts_provider_session_id"), "checkouts", ["provider_session_id"], unique=False
    )
    op.create_index("ix_checkouts_user", "checkouts", ["user_id", "created_at"], unique=False)
    op.create_table(
        "purchases",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.String(length=128), nullable=True),
        sa.Column("account_token", sa.String(length=64), nullable=True),
        sa.Column("bound", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("environment", sa.String(32), nullable=False),
        sa.Column("lineage_id", sa.String(length=255), nullable=False),
        sa.Column("handle", sa.Text(), nullable=True),
        sa.Column("customer_id", sa.String(length=255), nullable=True),
        sa.Column("product_id", sa.String(length=255), nullable=False),
        sa.Column("plan_id", sa.String(length=64), nullable=True),
        sa.Column("plan_price_cents", BigInt, nullable=True),
        sa.Column("pending_plan_id", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("ownership", sa.String(32), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("period_start", Instant(), nullable=True),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.Column("grace_expires_at", Instant(), nullable=True),
        sa.Column("renews_at", Instant(), nullable=True),
        sa.Column("resumes_at", Instant(), nullable=True),
        sa.Column("ends_at", Instant(), nullable=True),
        sa.Column("lifetime", sa.Boolean(), nullable=False),
        sa.Column("will_renew", sa.Boolean(), nullable=False),
        sa.Column("transaction_id", sa.String(length=255), nullable=True),
        sa.Column("list_price_minor", BigInt, nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("period", sa.String(length=16), nullable=True),
        sa.Column("override", sa.Boolean(), nullable=False),
        sa.Column("auth_mode", sa.String(32), nullable=False),
        sa.Column("watermark", Instant(), nullable=False),
        sa.Column("watermark_event_id", sa.String(length=255), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.Column("cancel_reason", sa.String(length=64), nullable=True),
        sa.Column("details", Json, nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_purchases_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchases")),
        sa.UniqueConstraint(
            "source",
            "environment",
            "lineage_id",
            name=op.f("uq_purchases_source_environment_lineage_id"),
        ),
    )
    op.create_index("ix_purchases_account_token", "purchases", ["account_token"], unique=False)
    op.create_index("ix_purchases_customer", "purchases", ["customer_id"], unique=False)
    op.create_index(
        "ix_purchases_ending",
        "purchases",
        ["ends_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('trialing', 'active', 'grace') AND ends_at IS NOT NULL"),
        postgresql_where=sa.text(
            "state IN ('trialing', 'active', 'grace') AND ends_at IS NOT NULL"
        ),
    )
    op.create_index("ix_purchases_owner", "purchases", ["user_id"], unique=False)
    op.create_index("ix_purchases_plan", "purchases", ["plan_id", "state"], unique=False)
    op.create_table(
        "store_transactions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("environment", sa.String(32), nullable=False),
        sa.Column("transaction_id", sa.String(length=255), nullable=False),
        sa.Column("lineage_id", sa.String(length=255), nullable=True),
        sa.Column("user_id", sa.String(length=128), nullable=True),
        sa.Column("product_id", sa.String(length=255), nullable=False),
        sa.Column("plan_id", sa.String(length=64), nullable=True),
        sa.Column("pack_id", sa.String(length=64), nullable=True),
        sa.Column("paid", sa.String(32), nullable=False),
        sa.Column("auth_mode", sa.String(32), nullable=False),
        sa.Column("quantity", BigInt, nullable=False),
        sa.Column("amount_minor", BigInt, nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("refunded_share_ppm", BigInt, nullable=False),
        sa.Column("refunded_minor", BigInt, nullable=False),
        sa.Column("ends_access", sa.Boolean(), nullable=False),
        sa.Column("paid_at", Instant(), nullable=False),
        sa.Column("period_start", Instant(), nullable=True),
        sa.Column("period_end", Instant(), nullable=True),
        sa.Column("ownership", sa.String(32), nullable=False),
        sa.Column("share_ppm", BigInt, nullable=False),
        sa.Column("credits", BigInt, nullable=False),
        sa.Column("credited_at", Instant(), nullable=True),
        sa.Column("grant_id", sa.Uuid(), nullable=True),
        sa.Column("revoked_credits", BigInt, nullable=False),
        sa.Column("unrecovered_credits", BigInt, nullable=False),
        sa.Column("recovered_credits", BigInt, nullable=False),
        sa.Column("details", Json, nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.CheckConstraint(
            "refunded_share_ppm BETWEEN 0 AND 1000000",
            name=op.f("ck_store_transactions_refunded_share"),
        ),
        sa.CheckConstraint(
            "unrecovered_credits >= 0", name=op.f("ck_store_transactions_unrecovered")
        ),
        sa.ForeignKeyConstraint(
            ["grant_id"], ["credit_grants.id"], name=op.f("fk_store_transactions_grant_id")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_store_transactions_user_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_store_transactions")),
        sa.UniqueConstraint(
            "source",
            "environment",
            "transaction_id",
            name=op.f("uq_store_transactions_source_environment_transaction_id"),
        ),
    )
    op.create_index(
        "ix_store_transactions_lineage",
        "store_transactions",
        ["source", "environment", "lineage_id"],
        unique=False,
    )
    op.create_index(
        "ix_store_transactions_paid_at", "store_transactions", ["paid_at"], unique=False
    )
    for name, only in SOME_TRANSACTIONS.items():
        op.create_index(
            name, "store_transactions", ["id"], sqlite_where=only, postgresql_where=only
        )
    op.create_index(
        "ix_store_transactions_user", "store_transactions", ["user_id", "paid_at"], unique=False
    )
    op.create_table(
        "store_customers",
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("environment", sa.String(32), nullable=False),
        sa.Column("customer_id", sa.String(length=255), nullable=False),
        sa.Column("user_id", sa.String(length=128), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_store_customers_user_id")),
        sa.PrimaryKeyConstraint(
            "source", "environment", "customer_id", name=op.f("pk_store_customers")
        ),
    )
    op.create_index(
        op.f("ix_store_customers_user_id"), "store_customers", ["user_id"], unique=False
    )
    op.add_column("entitlements", sa.Column("purchase_id", sa.Uuid(), nullable=True))
    op.add_column("entitlements", sa.Column("next_plan_id", sa.Text(), nullable=True))
    op.add_column("entitlements", sa.Column("next_ends_at", Instant(), nullable=True))
    op.create_index(
        "ix_entitlements_ending",
        "entitlements",
        ["expires_at"],
        sqlite_where=ENDING,
        postgresql_where=ENDING,
    )
    op.add_column("plans", sa.Column("period_credits", BigInt, nullable=False, server_default="0"))
    op.add_column("plans", sa.Column("trial_credits", BigInt, nullable=False, server_default="0"))
    op.add_column("plans", sa.Column("deleted_at", Instant(), nullable=True))
    op.add_column("users", sa.Column("app_account_token", sa.Uuid(), nullable=True))
    op.create_index(op.f("ix_users_app_account_token"), "users", ["app_account_token"], unique=True)
    _carry_over_entitlements()


def _carry_over_entitlements() -> None:
    """Let what was written by hand live on as a purchase that an operator gave."""
    bind = op.get_bind()
    mine = HELD.c.owner_kind == "user"
    known = set(bind.execute(sa.select(USERS.c.id)).scalars())
    for row in bind.execute(sa.select(HELD).where(mine)).all():
        if row.owner_id not in known:
            bind.execute(USERS.insert().values(id=row.owner_id, created_at=row.updated_at))
        purchase_id, standing = new_id(), _standing(row)
        lineage = {
            "source": "manual",
            "environment": "production",
            "lineage_id": standing["lineage_id"],
            "auth_mode": "operator",
        }
        bind.execute(EVENTS.insert().values(**lineage, **_event(row, standing)))
        bind.execute(PURCHASES.insert().values(id=purchase_id, **lineage, **_purchase(row)))
        bind.execute(
            HELD.update()
            .where(mine, HELD.c.owner_id == row.owner_id)
            .values(purchase_id=purchase_id)
        )


def _standing(row: Any) -> dict[str, Any]:
    shown = {
        "source": row.source,
        "product_id": row.product_id,
        "original_transaction_id": row.original_transaction_id,
        "metadata": row.details,
    }
    return {
        "lineage_id": f"manual:{row.owner_id}",
        "product_id": row.plan_id,
        "state": STATES[row.status],
        "started_at": row.updated_at.isoformat(),
        "expires_at": row.expires_at.isoformat() if row.expires_at else None,
        "renews_at": row.renews_at.isoformat() if row.renews_at else None,
        "details": shown,
    }


def _event(row: Any, standing: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": new_id(),
        "told_lineage_id": standing["lineage_id"],
        "handle": standing["lineage_id"],
        "event_id": CARRIED_OVER,
        "event_time": row.updated_at,
        "buyer": {"user_id": row.owner_id},
        "standing": standing,
        "recorded_at": row.updated_at,
    }


def _purchase(row: Any) -> dict[str, Any]:
    return {
        "user_id": row.owner_id,
        "bound": True,
        "product_id": row.plan_id,
        "plan_id": row.plan_id,
        "state": STATES[row.status],
        "ownership": "purchased",
        "started_at": row.updated_at,
        "expires_at": row.expires_at,
        "renews_at": row.renews_at,
        "ends_at": row.expires_at,
        "lifetime": False,
        "will_renew": False,
        "override": False,
        "watermark": row.updated_at,
        "watermark_event_id": CARRIED_OVER,
        "details": _standing(row)["details"],
        "updated_at": row.updated_at,
    }


def downgrade() -> None:
    op.drop_index(op.f("ix_users_app_account_token"), table_name="users")
    op.drop_column("users", "app_account_token")
    op.drop_column("plans", "deleted_at")
    op.drop_column("plans", "trial_credits")
    op.drop_column("plans", "period_credits")
    op.drop_index("ix_entitlements_ending", table_name="entitlements")
    op.drop_column("entitlements", "next_ends_at")
    op.drop_column("entitlements", "next_plan_id")
    op.drop_column("entitlements", "purchase_id")
    op.drop_index(op.f("ix_store_customers_user_id"), table_name="store_customers")
    op.drop_table("store_customers")
    op.drop_index("ix_store_transactions_user", table_name="store_transactions")
    for name in SOME_TRANSACTIONS:
        op.drop_index(name, table_name="store_transactions")
    op.drop_index("ix_store_transactions_paid_at", table_name="store_transactions")
    op.drop_index("ix_store_transactions_lineage", table_name="store_transactions")
    op.drop_table("store_transactions")
    op.drop_index("ix_purchases_plan", table_name="purchases")
    op.drop_index("ix_purchases_owner", table_name="purchases")
    op.drop_index(
        "ix_purchases_ending",
        table_name="purchases",
        sqlite_where=sa.text("state IN ('trialing', 'active', 'grace') AND ends_at IS NOT NULL"),
        postgresql_where=sa.text(
            "state IN ('trialing', 'active', 'grace') AND ends_at IS NOT NULL"
        ),
    )
    op.drop_index("ix_purchases_customer", table_name="purchases")
    op.drop_index("ix_purchases_account_token", table_name="purchases")
    op.drop_table("purchases")
    op.drop_index("ix_checkouts_user", table_name="checkouts")
    op.drop_index(op.f("ix_checkouts_provider_session_id"), table_name="checkouts")
    op.drop_table("checkouts")
    op.drop_index(
        "ix_webhook_events_waiting",
        table_name="webhook_events",
        sqlite_where=sa.text("status IN ('received', 'unclaimed', 'failed')"),
        postgresql_where=sa.text("status IN ('received', 'unclaimed', 'failed')"),
    )
    op.drop_index("ix_webhook_events_received_at", table_name="webhook_events")
    op.drop_table("webhook_events")
    op.drop_index("ix_store_refunds_transaction", table_name="store_refunds")
    op.drop_table("store_refunds")
    op.drop_index("ix_purchase_events_lineage", table_name="purchase_events")
    op.drop_index("ix_purchase_events_handle", table_name="purchase_events")
    op.drop_index("ix_purchase_events_follows", table_name="purchase_events")
    op.drop_table("purchase_events")
    op.drop_index("ix_entitlement_history_owner", table_name="entitlement_history")
    op.drop_index("ix_entitlement_history_at", table_name="entitlement_history")
    op.drop_table("entitlement_history")
    op.drop_table("credit_packs")
