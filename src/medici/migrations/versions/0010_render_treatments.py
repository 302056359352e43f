"""In which experiment, and as what variant, the providers of a render were chosen."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("render_jobs", sa.Column("experiment_id", sa.String(length=128), nullable=True))
    op.add_column("render_jobs", sa.Column("variant_id", sa.String(length=128), nullable=True))


def downgrade() -> None:
    op.drop_column("render_jobs", "variant_id")
    op.drop_column("render_jobs", "experiment_id")
