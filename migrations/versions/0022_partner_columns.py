"""partners: by which mapping an extract was read, and its lines of another encoding

Revision ID: 0022
Revises: 0021

Rules: works with the previous release; no long lock (PostgreSQL lock_timeout is 5 s); a column
is removed in two releases; reversible, or the downgrade says why not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("partner_imports", sa.Column("columns", sa.JSON(), nullable=True))
    count = sa.Column("other_encoding", sa.Integer(), nullable=False, server_default="0")
    op.add_column("partner_imports", count)


def downgrade() -> None:
    for name in ("other_encoding", "columns"):
        op.drop_column("partner_imports", name)
