"""alcohol: time for review in days of compliance, and missed sessions

Revision ID: 0014
Revises: 0013

Rules: works with the previous release; no long lock (PostgreSQL lock_timeout is 5 s); a column
is removed in two releases; reversible, or the downgrade says why not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# Days under these counted every alcohol finding as a breach. They are worked out from what is
# stored, so that the schedule makes them anew; older ones than it looks at count as unknown.
ALCOHOL = (
    "delete from compliance_days where condition_id in "
    "(select id from conditions where kind in ('alcohol_abstinence', 'alcohol_level'))"
)


def upgrade() -> None:
    column = sa.Column("review_s", sa.Integer(), nullable=False, server_default="0")
    op.add_column("compliance_days", column)
    op.execute(ALCOHOL)
    op.create_table(
        "missed_sessions",
        sa.Column("id", ID, nullable=False),
        sa.Column("wearer_id", ID, nullable=False),
        sa.Column("ref", sa.String(length=64), nullable=False),
        sa.Column("started_at", AT, nullable=False),
        sa.Column("ended_at", AT, nullable=False),
        sa.Column("recorded_at", AT, nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["wearer_id"], ["wearers.id"], name=op.f("fk_missed_sessions_wearer_id_wearers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_missed_sessions")),
        sa.UniqueConstraint("wearer_id", "ref", name=op.f("uq_missed_sessions_wearer_id_ref")),
    )


def downgrade() -> None:
    op.drop_table("missed_sessions")
    op.execute(ALCOHOL)
    op.drop_column("compliance_days", "review_s")
