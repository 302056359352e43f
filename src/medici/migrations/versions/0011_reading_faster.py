"""Indexes for what reports look at: renewals, paying owners, times of postings."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

RENEWING = sa.text("state IN ('trialing', 'active', 'grace') AND renews_at IS NOT NULL")
PAYING = sa.text("plan_id <> 'free' AND status = 'active'")


def upgrade() -> None:
    op.create_index(
        "ix_purchases_renewing",
        "purchases",
        ["renews_at"],
        sqlite_where=RENEWING,
        postgresql_where=RENEWING,
    )
    op.create_index(
        "ix_entitlements_paying",
        "entitlements",
        ["source", "plan_id", "expires_at"],
        sqlite_where=PAYING,
        postgresql_where=PAYING,
    )
    op.create_index("ix_ledger_transactions_at", "ledger_transactions", ["at"])


def downgrade() -> None:
    op.drop_index("ix_ledger_transactions_at", table_name="ledger_transactions")
    op.drop_index("ix_entitlements_paying", table_name="entitlements")
    op.drop_index("ix_purchases_renewing", table_name="purchases")
