"""The benchmark of storage, over one device: what it stores, and that it answers."""

import psycopg
import pytest

from navigate_safer.demo import storage_bench, storage_load
from navigate_safer.demo.servers import PostgreSQL


def test_it_measures_every_state_of_a_day_and_every_query(postgresql: PostgreSQL) -> None:
    steps: dict[str, float] = {}
    url = postgresql.create("storage_bench")
    try:
        result = storage_bench.measure(57_600, url, steps.__setitem__)
    finally:
        postgresql.drop("storage_bench")
    assert (result.devices, result.fixes) == (2, 57_600)
    # The bar for the archive is for more devices than two; the order is not.
    sizes = result.bytes_a_fix
    assert sizes["archived"] < sizes["closed"] < sizes["hot"]
    assert {each.state for each in result.timings} == {"hot", "hot, today", "closed", "archived"}
    assert len(result.timings) == 3 * 5 + 1
    assert all(each.p50_ms <= each.p95_ms for each in result.timings)
    assert set(steps.values()) == {1.0}


def test_it_measures_an_sqlite_file_too() -> None:
    result = storage_bench.measure_sqlite(28_800, lambda _step, _share: None)
    assert (result.devices, result.fixes) == (1, 28_800)
    assert result.bytes_a_fix["archived"] < result.bytes_a_fix["hot"]
    assert {each.state for each in result.timings} == {"hot", "archived"}
    assert result.database.startswith("SQLite 3")


def test_a_server_that_forgot_its_pages_has_its_data_still() -> None:
    server = PostgreSQL()
    try:
        with psycopg.connect(_plain(server.create("cold"))) as connection:
            connection.execute("create table kept as select 1 as one")
        server.restart_cold()
        with psycopg.connect(_plain(server.url("cold"))) as connection:
            assert connection.execute("select one from kept").fetchall() == [(1,)]
    finally:
        server.stop()


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg", "postgresql")


def test_two_runs_store_the_same() -> None:
    one, other = (list(storage_load.Region(3).ticks(0, 4)) for _ in range(2))
    for first, second in zip(one, other, strict=True):
        assert first.lat_e7.tolist() == second.lat_e7.tolist()
        assert first.quality.tolist() == second.quality.tolist()


def test_a_tick_is_in_the_order_of_measuring() -> None:
    (rows,) = storage_load.Region(50).ticks(0, 1)
    assert rows.measured_us.tolist() == sorted(rows.measured_us.tolist())
    assert sorted(rows.device_id.tolist()) == list(range(1, 51))


@pytest.mark.parametrize("hour", [0, 3, 12, 23])
def test_people_are_at_home_at_night_and_away_at_noon(hour: int) -> None:
    region = storage_load.Region(200)
    tick = hour * 3_600 // storage_load.EVERY_S
    rows = list(region.ticks(0, tick + 1))[tick]
    home = dict(enumerate(region.home(place)[0] for place in range(200)))
    at_home = [
        abs(lat_e7 / 1e7 - home[device - 1]) < 0.001
        for device, lat_e7 in zip(rows.device_id.tolist(), rows.lat_e7.tolist(), strict=True)
    ]
    share = sum(at_home) / len(at_home)
    assert share < 0.1 if hour == 12 else share > 0.95
