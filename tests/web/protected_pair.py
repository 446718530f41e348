"""A wearer who must keep away from a protected person, and the devices of both; all invented."""

from datetime import date, timedelta

import msgspec
from case_files import MINUTE, START, Place, condition, fix, message, walk

from alerts.finding import Severity
from alerts.terms import ConditionKind, DeviceKind
from navigate_safer.people.casefile import (
    CaseFile,
    ConditionEntry,
    Device,
    Fitting,
    OrderEntry,
    Victim,
    Wearer,
)

FITTED = START - timedelta(days=1)
# Hers is far from every zone and every other place of the office.
HER = Place(53.2345, -2.7777)
NEAR_HER = Place(HER.lat + 60 / 111_290, HER.lon)
FAR = Place(53.2645, -2.7777)
HER_WORDS = ["53.234", "53.2345", "-2.7777", "2.77770", "PRO-9", "Aveline", "Tarvin"]


def away_from_her(within_m: float | None = 200.0) -> ConditionEntry:
    entry = condition("C-DIS", ConditionKind.DISTANCE, Severity.CRITICAL, from_at=FITTED)
    return msgspec.structs.replace(entry, keep_away="V-9", within_m=within_m)


def pair_file(entry: ConditionEntry | None = None, device: str = "TAG-DIS") -> CaseFile:
    order = OrderEntry("O-DIS", "dapo", date(2026, 9, 1), None, [entry or away_from_her()])
    wearer = Wearer("W-DIS", "Godric Hapsford", date(1981, 5, 6), "west", "Upton", "high", None,
                    [order], [Fitting(device, FITTED)])  # fmt: skip
    victim = Victim("V-9", "Aveline Tarvin", "west", ["W-DIS"], devices=[Fitting("PRO-9", FITTED)])
    devices = [Device("TAG-DIS", "tag"), Device("PRO-9", "phone", DeviceKind.PROTECTED_PERSON)]
    return CaseFile(v=1, devices=devices, wearers=[wearer], victims=[victim])


def his(*places: Place):
    # The longitude of his trail differs from hers, so that a test can tell them apart.
    moved = [Place(each.lat, each.lon - 0.0002) for each in places]
    return walk("TAG-DIS", *moved)


def hers(minutes: int = 8):
    return [
        message("PRO-9", fix(START + MINUTE * n + timedelta(seconds=20), HER))
        for n in range(minutes)
    ]
