"""answering: what silences hid, steps of playbooks, versions of rotas, codes to verify contacts

Revision ID: 0013
Revises: 0012

Rules: works with the previous release; no long lock (PostgreSQL lock_timeout is 5 s); a column
is removed in two releases; reversible, or the downgrade says why not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _to(table: str, column: str, other: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column(column, ID, nullable=False),
        sa.ForeignKeyConstraint(
            [column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}_{other}")
        ),
    ]


def upgrade() -> None:
    op.create_table(
        "silenced_alerts",
        *_to("silenced_alerts", "silence_id", "silences"),
        *_to("silenced_alerts", "alert_id", "alerts"),
        sa.Column("at", AT, nullable=False),
        sa.PrimaryKeyConstraint("silence_id", "alert_id", name=op.f("pk_silenced_alerts")),
    )
    op.create_table(
        "playbook_ticks",
        sa.Column("id", ID, nullable=False),
        *_to("playbook_ticks", "alert_id", "alerts"),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("version", sa.String(length=20), nullable=False),
        *_to("playbook_ticks", "staff_id", "staff"),
        sa.Column("at", AT, nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_playbook_ticks")),
        sa.UniqueConstraint("alert_id", "key", name=op.f("uq_playbook_ticks_alert_id_key")),
    )
    op.create_table(
        "rota_versions",
        sa.Column("id", ID, nullable=False),
        *_to("rota_versions", "rota_id", "rotas"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("layers", sa.JSON(), nullable=False),
        sa.Column("made_at", AT, nullable=False),
        *_to("rota_versions", "made_by", "staff"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rota_versions")),
        sa.UniqueConstraint("rota_id", "version", name=op.f("uq_rota_versions_rota_id_version")),
    )
    op.create_table(
        "contact_codes",
        sa.Column("id", ID, nullable=False),
        *_to("contact_codes", "staff_id", "staff"),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("made_at", AT, nullable=False),
        sa.Column("expires_at", AT, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("used_at", AT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_codes")),
    )
    op.create_index("ix_contact_codes_staff_id_made_at", "contact_codes", ["staff_id", "made_at"])


def downgrade() -> None:
    for name in ("contact_codes", "rota_versions", "playbook_ticks", "silenced_alerts"):
        op.drop_table(name)
