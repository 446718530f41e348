"""telling: policies, rotas, silences, verified contacts; alerts about the service itself

Revision ID: 0010
Revises: 0009

Rules: works with the previous release; no long lock (PostgreSQL lock_timeout is 5 s); a column
is removed in two releases; reversible, or the downgrade says why not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
LIVE_PART = sa.text("part is not null and state <> 'resolved'")


def _staff(column: str, table: str, *, nullable: bool = False) -> list[sa.schema.SchemaItem]:
    return _to(column, table, "staff", nullable=nullable)


def _to(
    column: str, table: str, other: str, *, nullable: bool = False
) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column(column, ID, nullable=nullable),
        sa.ForeignKeyConstraint(
            [column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}_{other}")
        ),
    ]


def upgrade() -> None:
    for column in ("phone_verified_at", "email_verified_at"):
        op.add_column("staff", sa.Column(column, AT, nullable=True))
    op.add_column("staff", sa.Column("email", sa.String(length=254), nullable=True))
    # Numbers that are in use stay in use: an upgrade must not leave an area with nobody to tell.
    op.execute("update staff set phone_verified_at = current_timestamp where phone is not null")
    _policies()
    _rotas()
    _silences()
    _alerts()


def _policies() -> None:
    op.create_table(
        "policies",
        sa.Column("id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("made_at", AT, nullable=False),
        *_staff("made_by", "policies", nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policies")),
        sa.UniqueConstraint("number", "version", name=op.f("uq_policies_number_version")),
    )


def _rotas() -> None:
    op.create_table(
        "rotas",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        *_to("area_id", "rotas", "areas"),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("layers", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rotas")),
        sa.UniqueConstraint("ref", name=op.f("uq_rotas_ref")),
    )
    op.create_table(
        "rota_changes",
        sa.Column("id", ID, nullable=False),
        *_to("rota_id", "rota_changes", "rotas"),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("from_at", AT, nullable=False),
        sa.Column("until_at", AT, nullable=False),
        *_staff("staff_id", "rota_changes", nullable=True),
        *_staff("taken_by", "rota_changes", nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        *_staff("made_by", "rota_changes", nullable=True),
        sa.Column("made_at", AT, nullable=False),
        *_staff("agreed_by", "rota_changes", nullable=True),
        sa.Column("agreed_at", AT, nullable=True),
        sa.Column("cancelled_at", AT, nullable=True),
        sa.Column("source", sa.String(length=300), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rota_changes")),
    )
    op.create_index("ix_rota_changes_rota_id_until_at", "rota_changes", ["rota_id", "until_at"])


def _silences() -> None:
    op.create_table(
        "silences",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("from_at", AT, nullable=False),
        sa.Column("until_at", AT, nullable=False),
        *_staff("author_id", "silences"),
        sa.Column("made_at", AT, nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=True),
        *_to("area_id", "silences", "areas"),
        *_to("wearer_id", "silences", "wearers", nullable=True),
        *_to("device_id", "silences", "devices", nullable=True),
        *_to("gateway_id", "silences", "gateways", nullable=True),
        *_to("condition_id", "silences", "conditions", nullable=True),
        *_staff("approved_by", "silences", nullable=True),
        sa.Column("approved_at", AT, nullable=True),
        sa.Column("ended_at", AT, nullable=True),
        *_staff("ended_by", "silences", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_silences")),
    )
    op.create_index(op.f("ix_silences_until_at"), "silences", ["until_at"])


def _alerts() -> None:
    with op.batch_alter_table("alerts") as batch:
        for column in ("episode_id", "wearer_id", "area_id"):
            batch.alter_column(column, existing_type=ID, nullable=True)
        batch.add_column(sa.Column("part", sa.String(length=100), nullable=True))
        batch.add_column(sa.Column("silence_id", ID, nullable=True))
        batch.create_foreign_key(
            op.f("fk_alerts_silence_id_silences"), "silences", ["silence_id"], ["id"]
        )
        batch.add_column(sa.Column("grouped_gateway_id", ID, nullable=True))
        batch.create_foreign_key(
            op.f("fk_alerts_grouped_gateway_id_gateways"),
            "gateways",
            ["grouped_gateway_id"],
            ["id"],
        )
    # One live alert for each part of the service, whoever finds the fault.
    op.create_index(
        "uq_alerts_part_live",
        "alerts",
        ["part"],
        unique=True,
        postgresql_where=LIVE_PART,
        sqlite_where=LIVE_PART,
    )
    channel = sa.Column("channel", sa.String(length=10), nullable=False, server_default="sms")
    op.add_column("texts", channel)


def downgrade() -> None:
    op.drop_column("texts", "channel")
    op.drop_index("uq_alerts_part_live", table_name="alerts")
    # They belong to no episode, so the release before cannot hold them, and their history is for
    # ever: nothing is thrown away behind anybody's back.
    count = op.get_bind().scalar(sa.text("select count(*) from alerts where part is not null"))
    if count:
        raise RuntimeError(f"{count} alert(s) are about the service itself: this cannot be undone")
    with op.batch_alter_table("alerts") as batch:
        batch.drop_constraint(op.f("fk_alerts_grouped_gateway_id_gateways"), type_="foreignkey")
        batch.drop_constraint(op.f("fk_alerts_silence_id_silences"), type_="foreignkey")
        for column in ("grouped_gateway_id", "silence_id", "part"):
            batch.drop_column(column)
        for column in ("episode_id", "wearer_id", "area_id"):
            batch.alter_column(column, existing_type=ID, nullable=False)
    for name in ("silences", "rota_changes", "rotas", "policies"):
        op.drop_table(name)
    for column in ("email", "email_verified_at", "phone_verified_at"):
        op.drop_column("staff", column)
