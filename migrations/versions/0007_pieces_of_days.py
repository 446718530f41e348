"""pieces of days: what comes while a piece of a hot day is sorted, on PostgreSQL

The trigger function is hung on a piece for the seconds in which it is rewritten.

Revision ID: 0007
Revises: 0006
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

NOTE = """
create function days.note_arrival() returns trigger language plpgsql as $$
begin
    insert into days.came_meanwhile (piece, device_id, measured_at)
    values (tg_relid, new.device_id, new.measured_at);
    return new;
end $$
"""


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute(
        "create table days.came_meanwhile "
        "(piece oid not null, device_id bigint not null, measured_at timestamptz not null)"
    )
    op.execute(NOTE)


def downgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    # With the triggers that a sorting which was cut off left behind.
    op.execute("drop function days.note_arrival() cascade")
    op.execute("drop table days.came_meanwhile")
