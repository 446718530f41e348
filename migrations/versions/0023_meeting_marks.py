"""meeting marks: from when wearers who were together are to be looked for again

Revision ID: 0023
Revises: 0022

Rules: works with the previous release; no long lock (PostgreSQL lock_timeout is 5 s); a column
is removed in two releases; reversible, or the downgrade says why not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "meeting_marks",
        sa.Column("id", ID, nullable=False),
        sa.Column("from_at", AT, nullable=False),
        sa.Column("to_at", AT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting_marks")),
    )


def downgrade() -> None:
    # The release before never looks back: what is not looked for yet would not be in any case.
    op.drop_table("meeting_marks")
