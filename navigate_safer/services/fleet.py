"""The devices that report, at hand in memory: who each is, where it was, and where it may go
with nothing to find.

One process of intake holds a slot for each device that it has heard; a slot is a row of numbers
in columns, so that a million devices take a few hundred megabytes and a batch is compared at once.
What is here may be old: the database's ``turn`` and position tell, when the batch is written.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import numpy as np
from sqlalchemy.orm import Session

from alerts.judge import RULES
from alerts.rules.calm import Calm
from devices.columns import Flags, Ints
from navigate_safer.db import arrivals, bulk
from navigate_safer.db.arrivals import Reporting
from navigate_safer.db.base import READ_ONLY, Sessions
from navigate_safer.db.packed import micros_of

UNKNOWN = -1
ANY_GATEWAY, NO_GATEWAY = 0, -2
# A gateway that is no longer registered is believed so long at most.
GATEWAYS_KEPT = timedelta(seconds=5)
_FIRST_SLOTS = 1_024
# Devices read in one piece before intake begins, some hundred milliseconds.
READ_AT_ONCE = 20_000
LONGEST_NAME = 64
_FAR_OFF = 2**62
_NEVER = -(2**62)
# Calm found by other rules than these is not believed.
_RULES = " ".join(f"{rule.name}/{rule.version}" for rule in RULES)

_COLUMNS: dict[str, Any] = {
    "device_id": np.int64,
    "gateway_id": np.int64,
    "turn": np.int64,
    "fitting_id": np.int64,
    "fitted_us": np.int64,
    "position_us": np.int64,
    "received_us": np.int64,
    "lat_e7": np.int32,
    "lon_e7": np.int32,
    "accuracy": np.int16,
    "quality": np.int32,
    "fit": np.bool_,
    "fresh": np.bool_,
    "west_e7": np.int32,
    "south_e7": np.int32,
    "east_e7": np.int32,
    "north_e7": np.int32,
    "until_us": np.int64,
    "gap_us": np.int64,
    "min_accuracy_m": np.float64,
    "accuracy_m": np.float64,
    "sources": np.int16,
    "saved_in": np.int64,
}
# The states of a device that keeps calm are saved in each new one of these. Whoever needs them
# sooner steps through what was passed by since: 360 fixes at one a minute, some 20 ms.
UNSAVED_US = 6 * 3_600_000_000
# States that are due to be saved wait for others, but no longer than this.
PUT_OFF_US = 1_800_000_000
_SECOND_US = 1_000_000
# Prime, so that neighbours in number are hours apart.
_SPREAD = 7_919


def span_of(measured_us: Ints, device_id: Ints) -> Ints:
    """Which span of six hours a time is in: of each device they begin at another moment.

    Or the whole region would be saved in one minute.
    """
    shift_us = device_id * _SPREAD % (UNSAVED_US // _SECOND_US) * _SECOND_US
    spans: Ints = (measured_us + shift_us) // UNSAVED_US
    return spans


# Columns in the order of the database's answer, after the name; then those of calm.
_READ = ("device_id", "gateway_id", "fitting_id", "fitted_us", "fit", "turn", "position_us",
         "received_us", "lat_e7", "lon_e7", "accuracy", "quality")  # fmt: skip
_BOX = ("west_e7", "south_e7", "east_e7", "north_e7")
_CALM = ("until_us", "gap_us", "min_accuracy_m", "accuracy_m", "sources")


class StoredCalm(msgspec.Struct, frozen=True):
    """Calm as the database keeps it."""

    rules: str
    box_e7: tuple[int, int, int, int]
    until_us: int
    gap_us: int
    min_accuracy_m: float
    accuracy_m: float
    sources: int


NOT_CALM = StoredCalm("", (0, 0, -1, -1), _NEVER, 0, 0.0, 0.0, 0)


def stored_calm(calm: Calm) -> StoredCalm:
    """Calm in whole numbers, rounded inwards."""
    box = (
        int(np.ceil(calm.west * 1e7)),
        int(np.ceil(calm.south * 1e7)),
        int(np.floor(calm.east * 1e7)),
        int(np.floor(calm.north * 1e7)),
    )
    return StoredCalm(
        rules=_RULES,
        box_e7=box,
        until_us=_FAR_OFF if calm.until is None else micros_of(calm.until),
        gap_us=int(min(calm.max_gap_s * 1e6, _FAR_OFF)),
        min_accuracy_m=calm.min_accuracy_m,
        accuracy_m=min(calm.max_accuracy_m, 1e9),
        sources=sum(1 << source for source in calm.sources),
    )


def calm_text(calm: Calm | None) -> str | None:
    """Calm as the database keeps it, None where there is none."""
    return None if calm is None else msgspec.json.encode(stored_calm(calm)).decode()


class Fleet:
    """Slots by device. Not for two threads; one for each process of intake."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._slots: dict[str, int] = {}
        self._gateways: dict[str, int] = {}
        self._gateways_at: datetime | None = None
        self._columns = {
            name: np.zeros(_FIRST_SLOTS, dtype=kind) for name, kind in _COLUMNS.items()
        }

    def __len__(self) -> int:
        """How many devices have a slot."""
        return len(self._slots)

    def __getitem__(self, column: str) -> Any:  # noqa: ANN401 - an array of the column's kind
        """A column over all slots."""
        return self._columns[column]

    @property
    def bytes_held(self) -> int:
        """Memory of the columns."""
        return sum(column.nbytes for column in self._columns.values())

    def slots(self, session: Session, topics: Sequence[str], now: datetime) -> Ints:
        """The device's slot for each telemetry topic, read anew where it is old.

        UNKNOWN where the device or the gateway is not registered, or they do not belong together.
        """
        senders, names = _parts(topics)
        get = self._slots.get
        slots = np.array([get(name, UNKNOWN) for name in names], dtype=np.int64)
        old = (slots == UNKNOWN) | ~self["fresh"][slots]
        if old.any():
            self._read(session, {names[place] for place in np.flatnonzero(old).tolist()}, now)
            slots = np.array([get(name, UNKNOWN) for name in names], dtype=np.int64)
        return np.where(self._may_send(session, senders, slots, now), slots, UNKNOWN)

    def _may_send(self, session: Session, senders: list[str], slots: Ints, now: datetime) -> Flags:
        """Whether the gateway is registered, and the device to it or to none."""
        stale = self._gateways_at is None or abs(now - self._gateways_at) > GATEWAYS_KEPT
        if stale or not self._gateways.keys() >= set(senders):
            self._gateways, self._gateways_at = arrivals.gateways(session), now
        get = self._gateways.get
        ids = np.array([get(sender, UNKNOWN) for sender in senders], dtype=np.int64)
        bound_to = self["gateway_id"][slots]
        right: Flags = (ids != UNKNOWN) & ((bound_to == ANY_GATEWAY) | (bound_to == ids))
        return right

    def gateways_of(self, topics: Sequence[str]) -> list[str | None]:
        """The gateway that each topic names; None where it is not known to be registered."""
        known = self._gateways
        return [
            sender if name and sender in known else None
            for sender, name in zip(*_parts(topics), strict=True)
        ]

    def forget(self, devices: Iterable[str]) -> None:
        """Read these devices anew when they report next."""
        for device in devices:
            if device in self._slots:
                self["fresh"][self._slots[device]] = False

    def forget_all(self) -> None:
        """Read every device anew when it reports next."""
        self["fresh"][:] = False

    def _read(self, session: Session, devices: Iterable[str], now: datetime) -> None:
        named = {device for device in devices if 0 < len(device) <= LONGEST_NAME}
        registered = bulk.reporting(session, named, now)
        for gone in named - registered.keys():
            if gone in self._slots:
                self["gateway_id"][self._slots[gone]] = NO_GATEWAY
        self._take(list(registered.values()))

    def read_all(self, sessions: Sessions, now: datetime) -> Iterator[int]:
        """Read every registered device, some at a time; gives the number read after each part.

        So that a start is as fast as the rest: what is known of a device that reports for the
        first time costs three times its fix. What changes meanwhile is found out as always, by
        turn and position, when the device reports.
        """
        after = 0
        while True:
            with sessions() as session:
                session.connection(execution_options={READ_ONLY: True})
                through = arrivals.last_of_next(session, after, READ_AT_ONCE)
                if through is None:
                    return
                part = bulk.reporting_from(session, after, through, now)
            self._take([each for name, each in part.items() if name not in self._slots])
            after = through
            yield len(self)

    def _take(self, found: list[Reporting]) -> None:
        if not found:
            return
        known = len(self)
        slots = [self._slot(each.device) for each in found]
        columns = list(zip(*found, strict=True))
        for name, column in zip(_READ, columns[1:-1], strict=True):
            self[name][slots] = column
        self["fresh"][slots] = True
        # What was due before it was read anew is so still; of one that is new nobody knows whether
        # its states were saved in the last half hour.
        new = np.array([slot for slot in slots if slot >= known], dtype=np.int64)
        asked_us = self["position_us"][new] - PUT_OFF_US
        self["saved_in"][new] = span_of(asked_us, self["device_id"][new])
        calm = [msgspec.structs.astuple(_read_calm(each.calm)) for each in found]
        _, boxes, *numbers = zip(*calm, strict=True)
        for name, column in zip(_BOX, zip(*boxes, strict=True), strict=True):
            self[name][slots] = column
        for name, column in zip(_CALM, numbers, strict=True):
            self[name][slots] = column

    def _slot(self, device: str) -> int:
        slot = self._slots.get(device)
        if slot is None:
            slot = self._slots[device] = len(self._slots)
            self.names.append(device)
            if slot >= len(self["turn"]):
                self._grow()
        return slot

    def set_calm(self, slot: int, calm: StoredCalm) -> None:
        """Where the device of a slot may go with nothing to find."""
        _, box, *numbers = msgspec.structs.astuple(calm)
        for name, value in zip((*_BOX, *_CALM), (*box, *numbers), strict=True):
            self[name][slot] = value

    def _grow(self) -> None:
        for name, column in self._columns.items():
            grown = np.zeros(len(column) * 2, dtype=column.dtype)
            grown[: len(column)] = column
            self._columns[name] = grown


def _parts(topics: Sequence[str]) -> tuple[list[str], list[str]]:
    """Gateway and device of telemetry topics; a topic with fewer parts has no device."""
    split = [topic.rsplit("/", 2) for topic in topics]
    return [part[-2] if len(part) == 3 else "" for part in split], [
        part[-1] if len(part) == 3 else "" for part in split
    ]


def _read_calm(text: str | None) -> StoredCalm:
    if text is None:
        return NOT_CALM
    try:
        stored = msgspec.json.decode(text, type=StoredCalm)
    except msgspec.ValidationError:  # written by a version that kept other things
        return NOT_CALM
    return stored if stored.rules == _RULES else NOT_CALM
