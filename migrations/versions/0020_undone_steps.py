"""undone steps: a ticked step of a playbook can be taken back, and stays in the record

Revision ID: 0020
Revises: 0019

Rules: works with the previous release; no long lock (PostgreSQL lock_timeout is 5 s); a column
is removed in two releases; reversible, or the downgrade says why not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
LIVE = "undone_at is null"


def upgrade() -> None:
    with op.batch_alter_table("playbook_ticks") as batch:
        batch.drop_constraint("uq_playbook_ticks_alert_id_key", type_="unique")
        batch.add_column(sa.Column("undone_at", AT, nullable=True))
        batch.add_column(sa.Column("undone_by", ID, nullable=True))
        batch.add_column(sa.Column("undone_why", sa.Text(), nullable=True))
        batch.create_foreign_key(
            op.f("fk_playbook_ticks_undone_by_staff"), "staff", ["undone_by"], ["id"]
        )
    op.create_index(
        "uq_playbook_ticks_live",
        "playbook_ticks",
        ["alert_id", "key"],
        unique=True,
        postgresql_where=sa.text(LIVE),
        sqlite_where=sa.text(LIVE),
    )


def downgrade() -> None:
    # The release before would show what was taken back as done; the alert's history has both.
    op.execute("delete from playbook_ticks where undone_at is not null")
    op.drop_index("uq_playbook_ticks_live", table_name="playbook_ticks")
    with op.batch_alter_table("playbook_ticks") as batch:
        batch.drop_constraint("fk_playbook_ticks_undone_by_staff", type_="foreignkey")
        for name in ("undone_why", "undone_by", "undone_at"):
            batch.drop_column(name)
        batch.create_unique_constraint("uq_playbook_ticks_alert_id_key", ["alert_id", "key"])
