"""providers: weights of texts' providers, attempts by provider, stopped and chased texts

Revision ID: 0012
Revises: 0011

Rules: works with the previous release; no long lock (PostgreSQL lock_timeout is 5 s); a column
is removed in two releases; reversible, or the downgrade says why not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("staff", sa.Column("phone_stopped_at", AT, nullable=True))
    op.add_column("texts", sa.Column("delivered_at", AT, nullable=True))
    op.add_column("texts", sa.Column("chased_at", AT, nullable=True))
    op.add_column("text_attempts", sa.Column("provider", sa.String(length=20), nullable=True))
    op.create_index("ix_text_attempts_finished_at", "text_attempts", ["finished_at"])
    op.create_table(
        "provider_weights",
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("resting", sa.Integer(), nullable=False),
        sa.Column("moved_at", AT, nullable=False),
        sa.PrimaryKeyConstraint("provider", name=op.f("pk_provider_weights")),
    )
    op.create_table(
        "provider_shifts",
        sa.Column("id", ID, nullable=False),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.Column("before", sa.Integer(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("shift", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_shifts")),
    )
    op.create_index(op.f("ix_provider_shifts_at"), "provider_shifts", ["at"])


def downgrade() -> None:
    op.drop_table("provider_shifts")
    op.drop_table("provider_weights")
    op.drop_index("ix_text_attempts_finished_at", table_name="text_attempts")
    op.drop_column("text_attempts", "provider")
    op.drop_column("texts", "chased_at")
    op.drop_column("texts", "delivered_at")
    op.drop_column("staff", "phone_stopped_at")
