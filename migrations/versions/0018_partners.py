"""partners: extracts of partners, their entries, and the rows that were kept out

Revision ID: 0018
Revises: 0017

Rules: works with the previous release; no long lock (PostgreSQL lock_timeout is 5 s); a column
is removed in two releases; reversible, or the downgrade says why not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
COUNTS = ("all_rows", "done_rows", "added", "changed", "unchanged", "older", "not_ours", "bad")


def upgrade() -> None:
    _imports()
    op.create_table(
        "partner_bad_rows",
        sa.Column("id", ID, nullable=False),
        sa.Column("import_id", ID, nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=False),
        sa.Column("what", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["partner_imports.id"],
            name=op.f("fk_partner_bad_rows_import_id_partner_imports"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_bad_rows")),
    )
    op.create_index(op.f("ix_partner_bad_rows_import_id"), "partner_bad_rows", ["import_id"])
    _entries()


def _imports() -> None:
    op.create_table(
        "partner_imports",
        sa.Column("id", ID, nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("area_id", ID, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("as_at", sa.Date(), nullable=False),
        sa.Column("made_by", ID, nullable=True),
        sa.Column("made_at", AT, nullable=False),
        sa.Column("finished_at", AT, nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("fault", sa.String(length=300), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in COUNTS),
        sa.ForeignKeyConstraint(
            ["area_id"], ["areas.id"], name=op.f("fk_partner_imports_area_id_areas")
        ),
        sa.ForeignKeyConstraint(
            ["made_by"], ["staff.id"], name=op.f("fk_partner_imports_made_by_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_imports")),
    )
    op.create_index(op.f("ix_partner_imports_area_id"), "partner_imports", ["area_id"])
    op.create_index(op.f("ix_partner_imports_state"), "partner_imports", ["state"])


def _entries() -> None:
    op.create_table(
        "partner_entries",
        sa.Column("id", ID, nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("area_id", ID, nullable=False),
        sa.Column("ref", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("wearer_id", ID, nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("what", sa.String(length=200), nullable=False),
        sa.Column("reliability", sa.String(length=1), nullable=False),
        sa.Column("handling", sa.String(length=1), nullable=False),
        sa.Column("as_at", sa.Date(), nullable=False),
        sa.Column("import_id", ID, nullable=False),
        sa.Column("received_at", AT, nullable=False),
        sa.Column("superseded_at", AT, nullable=True),
        sa.ForeignKeyConstraint(
            ["area_id"], ["areas.id"], name=op.f("fk_partner_entries_area_id_areas")
        ),
        sa.ForeignKeyConstraint(
            ["wearer_id"], ["wearers.id"], name=op.f("fk_partner_entries_wearer_id_wearers")
        ),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["partner_imports.id"],
            name=op.f("fk_partner_entries_import_id_partner_imports"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_entries")),
        sa.UniqueConstraint(
            "source",
            "area_id",
            "ref",
            "version",
            name=op.f("uq_partner_entries_source_area_id_ref_version"),
        ),
    )
    op.create_index("ix_partner_entries_wearer_id_on", "partner_entries", ["wearer_id", "on"])


def downgrade() -> None:
    op.drop_table("partner_entries")
    op.drop_table("partner_bad_rows")
    op.drop_table("partner_imports")
