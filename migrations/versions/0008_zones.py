"""zones: properties, who drew them, authorised exceptions

Revision ID: 0008
Revises: 0007

Rules: works with the previous release; no long lock (PostgreSQL lock_timeout is 5 s); a column
is removed in two releases; reversible, or the downgrade says why not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("zones", sa.Column("properties", sa.JSON(none_as_null=True), nullable=True))
    op.create_table(
        "zone_records",
        sa.Column("zone_id", ID, nullable=False),
        sa.Column("area_id", ID, nullable=True),
        sa.Column("staff_id", ID, nullable=True),
        sa.Column("actor", sa.String(length=40), nullable=False),
        sa.Column("made_at", AT, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["zone_id"], ["zones.id"], name=op.f("fk_zone_records_zone_id_zones")
        ),
        sa.ForeignKeyConstraint(
            ["area_id"], ["areas.id"], name=op.f("fk_zone_records_area_id_areas")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_zone_records_staff_id_staff")
        ),
        sa.PrimaryKeyConstraint("zone_id", name=op.f("pk_zone_records")),
    )
    op.create_table(
        "authorised_exceptions",
        sa.Column("id", ID, nullable=False),
        sa.Column("condition_ref", sa.String(length=64), nullable=False),
        sa.Column("wearer_id", ID, nullable=False),
        sa.Column("from_at", AT, nullable=False),
        sa.Column("until_at", AT, nullable=False),
        sa.Column("schedule", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("corridor", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("corridor_m", sa.Float(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("staff_id", ID, nullable=False),
        sa.Column("made_at", AT, nullable=False),
        sa.Column("revoked_at", AT, nullable=True),
        sa.Column("revoked_by", ID, nullable=True),
        sa.Column("revoke_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["wearer_id"], ["wearers.id"], name=op.f("fk_authorised_exceptions_wearer_id_wearers")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_authorised_exceptions_staff_id_staff")
        ),
        sa.ForeignKeyConstraint(
            ["revoked_by"], ["staff.id"], name=op.f("fk_authorised_exceptions_revoked_by_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authorised_exceptions")),
    )
    for column in ("condition_ref", "wearer_id"):
        name = op.f(f"ix_authorised_exceptions_{column}")
        op.create_index(name, "authorised_exceptions", [column])


def downgrade() -> None:
    # What was allowed is lost, and zones lose what only this version knows of them.
    op.drop_table("authorised_exceptions")
    op.drop_table("zone_records")
    op.drop_column("zones", "properties")
