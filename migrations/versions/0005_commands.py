"""commands

Revision ID: 0005
Revises: 0004

Rules: works with the previous release; no long lock (PostgreSQL lock_timeout is 5 s); a column
is removed in two releases; reversible, or the downgrade says why not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
LIVE = sa.text("state in ('queued', 'sent', 'delivered')")


def upgrade() -> None:
    op.create_table(
        "commands",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("device_id", ID, nullable=False),
        sa.Column("wearer_id", ID, nullable=False),
        sa.Column("staff_id", ID, nullable=False),
        sa.Column("alert_id", ID, nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("standing_text", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("issued_at", AT, nullable=False),
        sa.Column("expires_at", AT, nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("due_at", AT, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("fault", sa.String(length=40), nullable=True),
        sa.Column("answer_at", AT, nullable=True),
        sa.Column("answer_accuracy_m", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name=op.f("fk_commands_device_id_devices")
        ),
        sa.ForeignKeyConstraint(
            ["wearer_id"], ["wearers.id"], name=op.f("fk_commands_wearer_id_wearers")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_commands_staff_id_staff")
        ),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alerts.id"], name=op.f("fk_commands_alert_id_alerts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commands")),
        sa.UniqueConstraint("name", name=op.f("uq_commands_name")),
    )
    op.create_index("ix_commands_device_id_issued_at", "commands", ["device_id", "issued_at"])
    op.create_index(
        "ix_commands_expires_at",
        "commands",
        ["expires_at"],
        postgresql_where=LIVE,
        sqlite_where=LIVE,
    )
    op.create_index(op.f("ix_commands_due_at"), "commands", ["due_at"])
    op.create_index(op.f("ix_commands_wearer_id"), "commands", ["wearer_id"])
    op.create_table(
        "command_history",
        sa.Column("id", ID, nullable=False),
        sa.Column("command_id", ID, nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.Column("move", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("gateway", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.String(length=100), nullable=True),
        sa.ForeignKeyConstraint(
            ["command_id"], ["commands.id"], name=op.f("fk_command_history_command_id_commands")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_command_history")),
    )
    op.create_index(op.f("ix_command_history_command_id"), "command_history", ["command_id"])
    op.create_table(
        "imports",
        sa.Column("id", ID, nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("started_at", AT, nullable=False),
        sa.Column("updated_at", AT, nullable=False),
        sa.Column("finished_at", AT, nullable=True),
        sa.Column("offset_bytes", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.BigInteger(), nullable=False),
        sa.Column("stored", sa.BigInteger(), nullable=False),
        sa.Column("repeated", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_imports_fingerprint")),
    )
    refuse_changes("command_history")


def downgrade() -> None:
    # Its triggers go with the table.
    op.drop_table("imports")
    op.drop_table("command_history")
    op.drop_table("commands")


def refuse_changes(table: str) -> None:
    """The database itself keeps what happened; its function is that of the first migration."""
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
    op.execute(
        f"create trigger {table}_no_replace before insert on {table} "  # noqa: S608 - our names
        f"when exists (select 1 from {table} where id = new.id) begin "
        f"select raise(abort, 'rows of {table} are never changed'); end"
    )
