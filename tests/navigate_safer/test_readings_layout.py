"""Rows of the release before, converted by the migration and back."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import column as col
from sqlalchemy import insert, select, table, text

from devices.quality import Doubt
from devices.readings import Fix, FixSource, Stamp
from navigate_safer.db import schema
from navigate_safer.db.base import UTCDateTime
from navigate_safer.db.reading_rows import AlcoholRow, BatteryRow, DeviceEventRow, FixRow
from navigate_safer.db.reading_values import reading_of

NOON = datetime(2026, 11, 20, 12, 0, 0, 250_000, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TIMES = ("measured_at", "sent_at", "received_at")
BEFORE = ("device_id", "measured_at", "variant", "sent_at", "received_at", "seq", "doubts")
FIX = ("lat_e7", "lon_e7", "accuracy_dm", "source", "speed_dkmh", "heading_ddeg", "satellites",
       "hdop_tenths")  # fmt: skip


def before(name, *own):
    columns = [col(each, UTCDateTime() if each in TIMES else None) for each in (*BEFORE, *own)]
    return table(name, *columns)


FIXES = before("fixes", *FIX)
ALCOHOL = before("alcohol_samples", "tac_ug_dl", "ir_mv", "skin_temp_centi_c")
EVENTS = before("device_events", "code", "state")
LEVELS = before("battery_levels", "permille", "charging")


def stamp(variant=0, *, at=NOON, sent_s=2.0, received_s=3.47):
    return {
        "device_id": 1,
        "measured_at": at,
        "variant": variant,
        "sent_at": None if sent_s is None else at + received_s * SECOND - sent_s * SECOND,
        "received_at": at + received_s * SECOND,
        "seq": None,
        "doubts": 2,
    }


def fix(**changes):
    columns = dict(zip(FIX, (531905000, -28918000, 80, 1, 41, 800, 9, 11), strict=True))
    return columns | changes


OLD_FIXES = [
    stamp() | fix(),
    stamp(1) | fix(lat_e7=-1, speed_dkmh=None, heading_ddeg=None),
    stamp(2) | fix(satellites=None, hdop_tenths=None, source=6),
    stamp(at=NOON + SECOND, sent_s=None, received_s=-1.5) | fix(accuracy_dm=2_000_000),
    stamp(at=NOON + 2 * SECOND, sent_s=16_384 + 600, received_s=90_000) | fix(hdop_tenths=5_000),
    stamp(at=NOON + 3 * SECOND, sent_s=-7, received_s=0) | fix(accuracy_dm=32_767),
]
OLD_OTHERS = {
    ALCOHOL: [
        stamp() | {"tac_ug_dl": 21_300, "ir_mv": None, "skin_temp_centi_c": -50},
        stamp(1) | {"tac_ug_dl": 0, "ir_mv": 1_500, "skin_temp_centi_c": None},
    ],
    EVENTS: [stamp() | {"code": "strap_tamper", "state": "start"}],
    LEVELS: [
        stamp() | {"permille": 415, "charging": None},
        stamp(1) | {"permille": 415, "charging": True},
    ],
}


@pytest.fixture
def old(factory, tmp_path):
    """A database of the release before with readings of every shape."""
    with factory.empty(tmp_path) as made:
        schema.upgrade(made.engine, "0001")
        with made.engine.begin() as connection:
            connection.execute(
                text("insert into devices (id, ref, model, kind) values (1, 'T', 'm', 'location')")
            )
            connection.execute(insert(FIXES), OLD_FIXES)
            for name, rows in OLD_OTHERS.items():
                connection.execute(insert(name), rows)
        yield made


def rows_of(database, of):
    with database.engine.connect() as connection:
        found = connection.execute(select(of).order_by("measured_at", "variant"))
        return [dict(row._mapping) for row in found]


def test_readings_of_the_release_before_are_read_as_what_they_were(old):
    schema.upgrade(old.engine, "0002")
    rows = old.all(FixRow)
    assert [row.variant for row in rows] == [0, 1, 2, 0, 0, 0]
    assert {row.doubts for row in rows} == {Doubt.LATE}
    sent = [
        None if each["sent_at"] is None else each["received_at"] - each["sent_at"]
        for each in OLD_FIXES
    ]
    for row, each, delay in zip(rows, OLD_FIXES, sent, strict=True):
        expected = Fix(
            Stamp(
                "",
                each["measured_at"],
                None if delay is None else each["received_at"] - delay,
                each["received_at"],
            ),
            each["lat_e7"] / 1e7,
            each["lon_e7"] / 1e7,
            each["accuracy_dm"] / 10,
            FixSource(each["source"]),
            None if each["speed_dkmh"] is None else each["speed_dkmh"] / 10,
            None if each["heading_ddeg"] is None else each["heading_ddeg"] / 10,
            each["satellites"],
            None if each["hdop_tenths"] is None else each["hdop_tenths"] / 10,
        )
        assert reading_of(FixRow, "", row) == expected
    assert [row.tac_ug_dl for row in old.all(AlcoholRow)] == [21_300, 0]
    assert [row.skin_temp_centi_c for row in old.all(AlcoholRow)] == [-50, None]
    assert old.one(DeviceEventRow).code == "strap_tamper"
    assert [row.charging for row in old.all(BatteryRow)] == [None, True]


def test_going_back_restores_the_rows_of_the_release_before(old):
    schema.upgrade(old.engine, "0002")
    schema.downgrade(old.engine, "0001")
    assert rows_of(old, FIXES) == OLD_FIXES
    for name, rows in OLD_OTHERS.items():
        assert rows_of(old, name) == rows


def test_a_very_wide_radius_is_rounded_as_intake_would_round_it(old):
    ties = [stamp(at=NOON + (9 + n) * SECOND) | fix(accuracy_dm=dm)
            for n, dm in enumerate((32_850, 32_950, 33_049))]  # fmt: skip
    with old.engine.begin() as connection:
        connection.execute(insert(FIXES), ties)
    schema.upgrade(old.engine, "0002")
    assert [row.accuracy_m for row in old.all(FixRow)][-3:] == [3_280, 3_300, 3_300]


def test_days_in_the_archive_keep_the_release_before_from_coming_back(old):
    schema.upgrade(old.engine, "0002")
    with old.engine.begin() as connection:
        connection.execute(
            text(
                "insert into reading_days (day, kind, state, changed_at, late_rows)"
                " values ('2026-08-01', 'fixes', 'archived', '2026-11-20 12:00:00.000000', 0)"
            )
        )
    with pytest.raises(RuntimeError, match="days are in the archive"):
        schema.downgrade(old.engine, "0001")
