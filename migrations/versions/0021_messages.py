"""messages: texts told together, links that acknowledge once, messages to wearers

Revision ID: 0021
Revises: 0020

Rules: works with the previous release; no long lock (PostgreSQL lock_timeout is 5 s); a column
is removed in two releases; reversible, or the downgrade says why not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WAITS = sa.text("bundle_by is not null")
DUE = sa.text("due_at is not null")


def _to(
    table: str, column: str, other: str, *, nullable: bool = False
) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column(column, ID, nullable=nullable),
        sa.ForeignKeyConstraint(
            [column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}_{other}")
        ),
    ]


def upgrade() -> None:
    op.add_column("texts", sa.Column("bundle_by", AT, nullable=True))
    op.add_column("texts", sa.Column("bundle_id", ID, nullable=True))
    op.add_column("texts", sa.Column("bundle_body", sa.String(length=1600), nullable=True))
    op.create_index(op.f("ix_texts_bundle_id"), "texts", ["bundle_id"])
    op.create_index(
        "ix_texts_staff_id_bundle_by", "texts", ["staff_id", "bundle_by"],
        postgresql_where=WAITS, sqlite_where=WAITS,
    )  # fmt: skip
    op.create_index(op.f("ix_text_replies_received_at"), "text_replies", ["received_at"])
    op.create_index("ix_alerts_area_id_opened_at", "alerts", ["area_id", "opened_at"])
    op.create_table(
        "ack_links",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        *_to("ack_links", "text_id", "texts"),
        *_to("ack_links", "alert_id", "alerts"),
        *_to("ack_links", "staff_id", "staff"),
        sa.Column("attempt_id", sa.String(length=32), nullable=False),
        sa.Column("made_at", AT, nullable=False),
        sa.Column("expires_at", AT, nullable=False),
        sa.Column("used_at", AT, nullable=True),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["text_attempts.id"],
            name=op.f("fk_ack_links_attempt_id_text_attempts"),
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_ack_links")),
    )  # fmt: skip
    _contacts()
    _messages()


def _contacts() -> None:
    op.create_table(
        "wearer_contacts",
        *_to("wearer_contacts", "wearer_id", "wearers"),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("entered_at", AT, nullable=False),
        *_to("wearer_contacts", "entered_by", "staff"),
        sa.Column("verified_at", AT, nullable=True),
        *_to("wearer_contacts", "verified_by", "staff", nullable=True),
        sa.Column("verified_how", sa.String(length=10), nullable=True),
        sa.Column("verified_words", sa.Text(), nullable=True),
        sa.Column("stopped_at", AT, nullable=True),
        sa.PrimaryKeyConstraint("wearer_id", name=op.f("pk_wearer_contacts")),
    )
    op.create_index(op.f("ix_wearer_contacts_phone"), "wearer_contacts", ["phone"])
    op.create_table(
        "wearer_codes",
        sa.Column("id", ID, nullable=False),
        *_to("wearer_codes", "wearer_id", "wearers"),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("made_at", AT, nullable=False),
        sa.Column("expires_at", AT, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("used_at", AT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wearer_codes")),
    )
    op.create_index("ix_wearer_codes_wearer_id_made_at", "wearer_codes", ["wearer_id", "made_at"])
    op.create_table(
        "wearer_policies",
        sa.Column("id", ID, nullable=False),
        *_to("wearer_policies", "area_id", "areas"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("made_at", AT, nullable=False),
        *_to("wearer_policies", "made_by", "staff"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wearer_policies")),
        sa.UniqueConstraint(
            "area_id", "version", name=op.f("uq_wearer_policies_area_id_version")
        ),
    )  # fmt: skip


def _messages() -> None:
    op.create_table(
        "wearer_messages",
        sa.Column("id", ID, nullable=False),
        sa.Column("reference", sa.String(length=12), nullable=False),
        *_to("wearer_messages", "wearer_id", "wearers"),
        *_to("wearer_messages", "alert_id", "alerts", nullable=True),
        *_to("wearer_messages", "policy_id", "wearer_policies"),
        *_to("wearer_messages", "command_id", "commands", nullable=True),
        sa.Column("occasion", sa.String(length=20), nullable=False),
        sa.Column("about", sa.String(length=100), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("tone", sa.String(length=12), nullable=False),
        sa.Column("body", sa.String(length=320), nullable=True),
        sa.Column("decided_at", AT, nullable=False),
        sa.Column("expires_at", AT, nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("due_at", AT, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("handed_at", AT, nullable=True),
        sa.Column("provider", sa.String(length=20), nullable=True),
        sa.Column("provider_id", sa.String(length=64), nullable=True),
        sa.Column("delivery", sa.String(length=24), nullable=True),
        sa.Column("delivered_at", AT, nullable=True),
        sa.Column("fault", sa.String(length=40), nullable=True),
        sa.Column("without_callback", sa.Boolean(), nullable=False),
        sa.Column("resent_after_unknown", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wearer_messages")),
        sa.UniqueConstraint("reference", name=op.f("uq_wearer_messages_reference")),
        sa.UniqueConstraint(
            "wearer_id", "occasion", "about",
            name=op.f("uq_wearer_messages_wearer_id_occasion_about"),
        ),
    )  # fmt: skip
    for column in ("alert_id", "provider_id"):
        op.create_index(op.f(f"ix_wearer_messages_{column}"), "wearer_messages", [column])
    op.create_index(
        "ix_wearer_messages_wearer_id_decided_at", "wearer_messages", ["wearer_id", "decided_at"]
    )
    op.create_index(
        "ix_wearer_messages_due_at", "wearer_messages", ["due_at"],
        postgresql_where=DUE, sqlite_where=DUE,
    )  # fmt: skip
    op.create_table(
        "wearer_attempts",
        sa.Column("id", sa.String(length=32), nullable=False),
        *_to("wearer_attempts", "message_id", "wearer_messages"),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("claimed_at", AT, nullable=False),
        sa.Column("finished_at", AT, nullable=True),
        sa.Column("outcome", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wearer_attempts")),
    )
    op.create_index(op.f("ix_wearer_attempts_message_id"), "wearer_attempts", ["message_id"])


def downgrade() -> None:
    for name in ("wearer_attempts", "wearer_messages", "wearer_policies", "wearer_codes"):
        op.drop_table(name)
    for name in ("wearer_contacts", "ack_links"):
        op.drop_table(name)
    op.drop_index("ix_alerts_area_id_opened_at", table_name="alerts")
    op.drop_index(op.f("ix_text_replies_received_at"), table_name="text_replies")
    op.drop_index("ix_texts_staff_id_bundle_by", table_name="texts")
    op.drop_index(op.f("ix_texts_bundle_id"), table_name="texts")
    # The release before would leave what waits in another's text for ever: it is told by itself.
    op.execute(
        "update texts set state = 'pending', due_at = current_timestamp where state = 'bundled'"
    )
    for column in ("bundle_body", "bundle_id", "bundle_by"):
        op.drop_column("texts", column)
