"""gateway minutes: what each gateway brought in each of the last hours' minutes

Revision ID: 0011
Revises: 0010

Rules: works with the previous release; no long lock (PostgreSQL lock_timeout is 5 s); a column
is removed in two releases; reversible, or the downgrade says why not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "gateway_minutes",
        sa.Column("gateway", sa.String(length=64), nullable=False),
        sa.Column("minute_at", AT, nullable=False),
        sa.Column("instance", sa.String(length=64), nullable=False),
        sa.Column("messages", sa.BigInteger(), nullable=False),
        sa.Column("readings", sa.BigInteger(), nullable=False),
        sa.Column("delay_median_s", sa.Float(), nullable=True),
        sa.Column("delay_worst_s", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint(
            "gateway", "minute_at", "instance", name=op.f("pk_gateway_minutes")
        ),
    )
    op.create_index(op.f("ix_gateway_minutes_minute_at"), "gateway_minutes", ["minute_at"])


def downgrade() -> None:
    op.drop_table("gateway_minutes")
