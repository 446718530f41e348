"""place reports: days of compliance, questions of place, distance to a person, meetings

Revision ID: 0009
Revises: 0008

Rules: works with the previous release; no long lock (PostgreSQL lock_timeout is 5 s); a column
is removed in two releases; reversible, or the downgrade says why not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}_{to}"))


def upgrade() -> None:
    op.create_table(
        "place_questions",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("staff_id", ID, nullable=False),
        sa.Column("asked_at", AT, nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.Column("lon", sa.Float(), nullable=False),
        sa.Column("radius_m", sa.Float(), nullable=False),
        sa.Column("from_at", AT, nullable=False),
        sa.Column("to_at", AT, nullable=False),
        _refers("place_questions", "staff_id", "staff"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_place_questions")),
        sa.UniqueConstraint("name", name=op.f("uq_place_questions_name")),
    )
    op.create_index(op.f("ix_place_questions_staff_id"), "place_questions", ["staff_id"])
    op.create_table(
        "compliance_days",
        sa.Column("condition_id", ID, autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("wearer_id", ID, nullable=False),
        sa.Column("worked_at", AT, nullable=False),
        sa.Column("scheduled_s", sa.Integer(), nullable=False),
        sa.Column("compliant_s", sa.Integer(), nullable=False),
        sa.Column("breach_s", sa.Integer(), nullable=False),
        sa.Column("unknown_s", sa.Integer(), nullable=False),
        sa.Column("absences", sa.JSON(), nullable=False),
        _refers("compliance_days", "condition_id", "conditions"),
        _refers("compliance_days", "wearer_id", "wearers"),
        sa.PrimaryKeyConstraint("condition_id", "day", name=op.f("pk_compliance_days")),
    )
    op.create_index("ix_compliance_days_wearer_id_day", "compliance_days", ["wearer_id", "day"])
    op.create_table(
        "victim_fittings",
        sa.Column("id", ID, nullable=False),
        sa.Column("device_id", ID, nullable=False),
        sa.Column("victim_id", ID, nullable=False),
        sa.Column("fitted_at", AT, nullable=False),
        sa.Column("removed_at", AT, nullable=True),
        _refers("victim_fittings", "device_id", "devices"),
        _refers("victim_fittings", "victim_id", "victims"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_victim_fittings")),
    )
    op.create_index(op.f("ix_victim_fittings_device_id"), "victim_fittings", ["device_id"])
    op.create_index(op.f("ix_victim_fittings_victim_id"), "victim_fittings", ["victim_id"])
    op.create_table(
        "keep_away",
        sa.Column("condition_id", ID, autoincrement=False, nullable=False),
        sa.Column("victim_id", ID, nullable=False),
        sa.Column("within_m", sa.Float(), nullable=False),
        _refers("keep_away", "condition_id", "conditions"),
        _refers("keep_away", "victim_id", "victims"),
        sa.PrimaryKeyConstraint("condition_id", name=op.f("pk_keep_away")),
    )
    op.create_index(op.f("ix_keep_away_victim_id"), "keep_away", ["victim_id"])
    op.create_table(
        "meetings",
        sa.Column("id", ID, nullable=False),
        sa.Column("first_id", ID, nullable=False),
        sa.Column("second_id", ID, nullable=False),
        sa.Column("started_at", AT, nullable=False),
        sa.Column("ended_at", AT, nullable=False),
        sa.Column("probability", sa.Float(), nullable=False),
        sa.Column("found_at", AT, nullable=False),
        _refers("meetings", "first_id", "wearers"),
        _refers("meetings", "second_id", "wearers"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meetings")),
        sa.UniqueConstraint(
            "first_id",
            "second_id",
            "started_at",
            name=op.f("uq_meetings_first_id_second_id_started_at"),
        ),
    )
    op.create_index(op.f("ix_meetings_second_id"), "meetings", ["second_id"])
    op.create_index(op.f("ix_meetings_started_at"), "meetings", ["started_at"])


def downgrade() -> None:
    for table in ("meetings", "keep_away", "victim_fittings", "compliance_days", "place_questions"):
        op.drop_table(table)
