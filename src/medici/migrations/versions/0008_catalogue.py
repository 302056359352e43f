"""What the catalogue and boards need."""

import sqlalchemy as sa
from alembic import op

from medici.kernel.db.base import BigInt, Instant

revision = "0008"
down_revision = "0007"

COUNTED = ("plans", "styles", "variables")
VERBS = ("INSERT", "UPDATE", "DELETE")
STORES = ("ios", "android", "web")
ADD = "UPDATE catalogue_revision SET number = number + 1"
COUNT = f"""
CREATE OR REPLACE FUNCTION count_catalogue_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  {ADD};
  RETURN NULL;
END $$
"""


def upgrade() -> None:
    _discover_tables()
    op.create_index("ix_render_jobs_projects", "render_jobs", ["user_id", "project_id", "id"])
    for store in STORES:
        for table, only in (("plans", sa.text("deleted_at IS NULL")), ("credit_packs", None)):
            op.create_index(
                f"ix_{table}_{store}_product",
                table,
                [f"{store}_product_id"],
                unique=True,
                sqlite_where=only,
                postgresql_where=only,
            )
    op.create_table(
        "catalogue_revision",
        sa.Column("id", BigInt, autoincrement=False, nullable=False),
        sa.Column("number", BigInt, nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_catalogue_revision_alone")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalogue_revision")),
    )
    op.execute("INSERT INTO catalogue_revision (id, number) VALUES (1, 1)")
    for statement in _counters(op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    for table in COUNTED:
        for statement in _uncounters(op.get_bind().dialect.name, table):
            op.execute(statement)
    op.drop_table("catalogue_revision")
    for store in STORES:
        for table in ("plans", "credit_packs"):
            op.drop_index(f"ix_{table}_{store}_product", table_name=table)
    op.drop_index("ix_render_jobs_projects", table_name="render_jobs")
    op.drop_table("discover_items")
    op.drop_table("discover_sections")


def _counters(dialect: str) -> list[str]:
    """Return what makes the database count each change of the catalogue.

    PostgreSQL counts as the transaction commits, so that two writers never wait for each other's
    rows crosswise.
    """
    if dialect == "postgresql":
        return [COUNT] + [
            f"CREATE CONSTRAINT TRIGGER {table}_counted AFTER INSERT OR UPDATE OR DELETE ON {table}"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
            " EXECUTE FUNCTION count_catalogue_change()"
            for table in COUNTED
        ]
    return [
        f"CREATE TRIGGER {table}_counted_{verb.lower()} AFTER {verb} ON {table} BEGIN {ADD}; END"
        for table in COUNTED
        for verb in VERBS
    ]


def _uncounters(dialect: str, table: str) -> list[str]:
    if dialect == "postgresql":
        return [
            f"DROP TRIGGER {table}_counted ON {table}",
            *(["DROP FUNCTION count_catalogue_change()"] if table == COUNTED[-1] else []),
        ]
    return [f"DROP TRIGGER {table}_counted_{verb.lower()}" for verb in VERBS]


def _discover_tables() -> None:
    op.create_table(
        "discover_sections",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("sort_order", BigInt, nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_discover_sections")),
    )
    op.create_table(
        "discover_items",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("section_key", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("subtitle", sa.Text(), nullable=False),
        sa.Column("category", sa.String(length=64), nullable=False),
        sa.Column("before_image_url", sa.Text(), nullable=False),
        sa.Column("after_image_url", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("sort_order", BigInt, nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["section_key"],
            ["discover_sections.key"],
            name=op.f("fk_discover_items_section_key"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discover_items")),
    )
    op.create_index(
        "ix_discover_items_section_key_sort_order",
        "discover_items",
        ["section_key", "sort_order"],
    )
