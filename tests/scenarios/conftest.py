"""A database with the small case file in it, worked by hand at a fixed time."""

import pytest
from watch import Watch


@pytest.fixture
def watch(database):
    """The service over a database of its own, on SQLite and on PostgreSQL."""
    return Watch(database)
