"""offending: records of offending, custody and moves, and what outcomes are compared with

Revision ID: 0015
Revises: 0014

Rules: works with the previous release; no long lock (PostgreSQL lock_timeout is 5 s); a column
is removed in two releases; reversible, or the downgrade says why not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "offending_entries",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("wearer_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("recorded_on", sa.Date(), nullable=True),
        sa.Column("role", sa.String(length=20), nullable=True),
        sa.Column("offence_code", sa.String(length=60), nullable=True),
        sa.Column("proof_on", sa.Date(), nullable=True),
        sa.Column("proof_type", sa.String(length=20), nullable=True),
        sa.Column("victim", sa.String(length=64), nullable=True),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("as_at", sa.Date(), nullable=False),
        sa.Column("received_at", AT, nullable=False),
        sa.Column("superseded_at", AT, nullable=True),
        sa.ForeignKeyConstraint(
            ["wearer_id"], ["wearers.id"], name=op.f("fk_offending_entries_wearer_id_wearers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offending_entries")),
        sa.UniqueConstraint("ref", "version", name=op.f("uq_offending_entries_ref_version")),
    )
    op.create_index("ix_offending_entries_wearer_id_on", "offending_entries", ["wearer_id", "on"])
    op.create_table(
        "outcome_references",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("version", sa.String(length=60), nullable=False),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("loaded_at", AT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outcome_references")),
        sa.UniqueConstraint("kind", "version", name=op.f("uq_outcome_references_kind_version")),
    )


def downgrade() -> None:
    op.drop_table("outcome_references")
    op.drop_index("ix_offending_entries_wearer_id_on", table_name="offending_entries")
    op.drop_table("offending_entries")
