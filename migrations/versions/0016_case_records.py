"""case_records: forms, plans, decisions and notes of casework, a row a version

Revision ID: 0016
Revises: 0015

Rules: works with the previous release; no long lock (PostgreSQL lock_timeout is 5 s); a column
is removed in two releases; reversible, or the downgrade says why not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KEYS = {
    "wearer_id": "wearers",
    "area_id": "areas",
    "due_who": "staff",
    "made_by": "staff",
}
CURRENT = sa.text("superseded_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "case_records",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("ref", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("wearer_id", ID, nullable=True),
        sa.Column("area_id", ID, nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("slot", sa.String(length=120), nullable=True),
        sa.Column("at", AT, nullable=False),
        sa.Column("due_at", AT, nullable=True),
        sa.Column("due_what", sa.String(length=200), nullable=True),
        sa.Column("due_who", ID, nullable=True),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("made_by", ID, nullable=False),
        sa.Column("made_at", AT, nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("superseded_at", AT, nullable=True),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=op.f(f"fk_case_records_{column}_{table}")
            )
            for column, table in KEYS.items()
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_records")),
        sa.UniqueConstraint(
            "kind", "ref", "version", name=op.f("uq_case_records_kind_ref_version")
        ),
    )
    op.create_index(
        "uq_case_records_slot",
        "case_records",
        ["slot"],
        unique=True,
        sqlite_where=CURRENT,
        postgresql_where=CURRENT,
    )
    op.create_index("ix_case_records_wearer_id_kind", "case_records", ["wearer_id", "kind"])
    op.create_index("ix_case_records_kind_state", "case_records", ["kind", "state"])
    op.create_index("ix_case_records_kind_subject", "case_records", ["kind", "subject"])
    op.create_index(
        "ix_case_records_due_at",
        "case_records",
        ["due_at"],
        sqlite_where=CURRENT,
        postgresql_where=CURRENT,
    )


def downgrade() -> None:
    op.drop_table("case_records")
