"""The barest intake that still keeps what it takes, to measure the real one against."""

from devices.columns import FixColumns, Ints
from navigate_safer.db import bulk
from navigate_safer.db.base import make_engine, make_sessions
from navigate_safer.db.packed_fixes import pack


class BareStore:
    """Stores fixes in the service's own table, one transaction a batch, and knows nobody."""

    def __init__(self, database_url: str) -> None:
        self._engine = make_engine(database_url)
        self._sessions = make_sessions(self._engine)

    def copy(self, fixes: FixColumns, device_id: Ints) -> None:
        """Store fixes that are all new."""
        with self._sessions.begin() as session:
            bulk.insert_fixes(session, pack(fixes, device_id))

    def close(self) -> None:
        """Give the connection back."""
        self._engine.dispose()
