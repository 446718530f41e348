"""log seals: a chain of hashes over the audit log and the history of alerts, and its checkpoints

Entries that are there already are sealed by the scheduler's first rounds, in the order of their
ids: nothing is read or locked here.

Revision ID: 0024
Revises: 0023

Rules: works with the previous release; no long lock (PostgreSQL lock_timeout is 5 s); a column
is removed in two releases; reversible, or the downgrade says why not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "log_seals",
        sa.Column("log", sa.String(20), nullable=False),
        sa.Column("number", ID, autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("log", "number", name=op.f("pk_log_seals")),
        sa.UniqueConstraint("log", "entry_id", name=op.f("uq_log_seals_log_entry_id")),
    )
    op.create_table(
        "log_checkpoints",
        sa.Column("id", ID, nullable=False),
        sa.Column("log", sa.String(20), nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.String(64), nullable=False),
        sa.Column("key_name", sa.String(16), nullable=True),
        sa.Column("signature", sa.String(64), nullable=True),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_checkpoints")),
    )
    with op.batch_alter_table("log_checkpoints", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_log_checkpoints_log"), ["log"], unique=False)
    same_place = "log = new.log and (number = new.number or entry_id = new.entry_id)"
    refuse_changes("log_seals", same_place)
    refuse_changes("log_checkpoints", "id = new.id")


def downgrade() -> None:
    # The logs themselves stay. The chain is lost with its tables: a later upgrade begins a new one,
    # and what was signed until then can be compared only where it was kept elsewhere.
    for table in ("log_checkpoints", "log_seals"):
        op.drop_table(table)


def refuse_changes(table: str, same: str) -> None:
    """The database itself keeps what was sealed; its function is that of the first migration."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"create trigger {table}_append_only before update or delete on {table} "
            "for each row execute function refuse_change()"
        )
        op.execute(
            f"create trigger {table}_no_truncate before truncate on {table} "
            "for each statement execute function refuse_change()"
        )
        return
    for act in ("update", "delete"):
        op.execute(
            f"create trigger {table}_no_{act} before {act} on {table} begin "
            f"select raise(abort, 'rows of {table} are never changed'); end"
        )
    # REPLACE deletes without asking the trigger above.
    op.execute(
        f"create trigger {table}_no_replace before insert on {table} "  # noqa: S608 - our names
        f"when exists (select 1 from {table} where {same}) begin "
        f"select raise(abort, 'rows of {table} are never changed'); end"
    )
