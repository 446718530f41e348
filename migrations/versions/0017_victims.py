"""victims: whether somebody is in a refuge, and who changed what about her when

Revision ID: 0017
Revises: 0016

Rules: works with the previous release; no long lock (PostgreSQL lock_timeout is 5 s); a column
is removed in two releases; reversible, or the downgrade says why not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("victims", schema=None) as batch:
        batch.add_column(
            sa.Column("in_refuge", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    op.create_table(
        "victim_changes",
        sa.Column("id", ID, nullable=False),
        sa.Column("victim_id", ID, nullable=False),
        sa.Column("made_by", ID, nullable=False),
        sa.Column("made_at", AT, nullable=False),
        sa.Column("what", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["victim_id"], ["victims.id"], name=op.f("fk_victim_changes_victim_id_victims")
        ),
        sa.ForeignKeyConstraint(
            ["made_by"], ["staff.id"], name=op.f("fk_victim_changes_made_by_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_victim_changes")),
    )
    op.create_index(op.f("ix_victim_changes_victim_id"), "victim_changes", ["victim_id"])


def downgrade() -> None:
    op.drop_table("victim_changes")
    with op.batch_alter_table("victims", schema=None) as batch:
        batch.drop_column("in_refuge")
