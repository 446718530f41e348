"""The benchmark of imports, over a thousand rows: everything is there, and once."""

import pytest

from navigate_safer.demo import import_bench


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_an_import_that_is_cut_off_half_way_stores_every_row_once(database: str) -> None:
    steps: dict[str, float] = {}
    result = import_bench.measure(25_000, database, steps.__setitem__)
    assert result.stored == result.rows == 25_000
    assert 12_500 <= result.resumed_at_row < 25_000
    assert result.memory_mb >= result.memory_mb_at_tenth > 0
    assert set(steps.values()) == {1.0}
