"""operations: what waits, how quarantine is handled, how fast things grow

Revision ID: 0004
Revises: 0003

Rules: works with the previous release; no long lock (PostgreSQL lock_timeout is 5 s); a column
is removed in two releases; reversible, or the downgrade says why not.
"""

import sqlalchemy as sa
from alembic import op

from navigate_safer.db.base import UTCDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("heartbeats") as batch_op:
        batch_op.add_column(sa.Column("waiting", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("oldest_waiting_s", sa.Float(), nullable=True))
        batch_op.add_column(sa.Column("note", sa.String(200), nullable=True))
    with op.batch_alter_table("pending_judgements") as batch_op:
        batch_op.add_column(sa.Column("marked_at", UTCDateTime(), nullable=True))
    with op.batch_alter_table("quarantine") as batch_op:
        batch_op.add_column(sa.Column("message_hash", sa.String(64), nullable=True))
        batch_op.add_column(sa.Column("received_at", UTCDateTime(), nullable=True))
        batch_op.add_column(
            sa.Column("state", sa.String(16), nullable=False, server_default="waiting")
        )
        batch_op.add_column(sa.Column("tried_at", UTCDateTime(), nullable=True))
        batch_op.create_index("ix_quarantine_message_hash", ["message_hash"])
        batch_op.create_index("ix_quarantine_state_reason_id", ["state", "reason", "id"])
    _new_tables()
    # What was refused before there were groups is counted in them too.
    op.execute(
        "insert into quarantine_groups"
        " (reason, gateway, first_at, last_at, times, kept, kept_bytes)"
        " select reason, gateway, min(first_at), max(last_at), sum(times), count(*),"
        " sum(length(payload)) from quarantine group by reason, gateway"
    )


def _new_tables() -> None:
    op.create_table(
        "quarantine_groups",
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("gateway", sa.String(200), nullable=False),
        sa.Column("first_at", UTCDateTime(), nullable=False),
        sa.Column("last_at", UTCDateTime(), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.Column("kept", sa.BigInteger(), nullable=False),
        sa.Column("kept_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("reason", "gateway", name=op.f("pk_quarantine_groups")),
    )
    op.create_table(
        "quarantine_acts",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("quarantine_id", BIG_ID, nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("staff_id", BIG_ID, nullable=False),
        sa.Column("act", sa.String(16), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=True),
        sa.Column("result", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["quarantine_id"],
            ["quarantine.id"],
            name=op.f("fk_quarantine_acts_quarantine_id_quarantine"),
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_quarantine_acts_staff_id_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine_acts")),
    )
    op.create_index("ix_quarantine_acts_quarantine_id", "quarantine_acts", ["quarantine_id"])
    op.create_table(
        "growth_samples",
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "at", name=op.f("pk_growth_samples")),
    )


def downgrade() -> None:
    op.drop_table("growth_samples")
    op.drop_table("quarantine_acts")
    op.drop_table("quarantine_groups")
    with op.batch_alter_table("quarantine") as batch_op:
        batch_op.drop_index("ix_quarantine_state_reason_id")
        batch_op.drop_index("ix_quarantine_message_hash")
        for name in ("tried_at", "state", "received_at", "message_hash"):
            batch_op.drop_column(name)
    with op.batch_alter_table("pending_judgements") as batch_op:
        batch_op.drop_column("marked_at")
    with op.batch_alter_table("heartbeats") as batch_op:
        for name in ("note", "oldest_waiting_s", "waiting"):
            batch_op.drop_column(name)
