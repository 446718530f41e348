"""The throw-away servers of :mod:`navigate_safer.demo.servers`, by their old name."""

from navigate_safer.demo.servers import (  # noqa: F401
    HOST,
    Missing,
    Mosquitto,
    NotStarted,
    PostgreSQL,
    free_port,
    listens,
    mosquitto,
    postgresql,
    until,
)
