"""Alembic environment: one connection, handed in by ``navigate_safer.db.schema``."""

from alembic import context

from navigate_safer.db.schema import METADATA

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    compare_type=True,
    # SQLite cannot alter a table; batch mode rebuilds it.
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
