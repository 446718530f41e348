"""A question of who was near a place: what it must say, and what is wrong with it."""

import math
from datetime import datetime, timedelta
from enum import Enum

import msgspec

from zones.geojson import MOST_LATITUDE

# The Ministry's crime matching takes windows of up to 12 hours.
LONGEST_WINDOW = timedelta(hours=12)
# A circle of 5 km holds half of Chester; a wider one says nothing of a crime. The project's own.
WIDEST_RADIUS_M = 5_000.0
LONGEST_REFERENCE = 64


class Purpose(Enum):
    """Why it is asked; without one of these nobody is looked up (Data Protection Act 2018 s.36)."""

    CRIME = "crime"
    SAFEGUARDING = "safeguarding"
    MISSING_PERSON = "missing_person"
    COMPLAINT = "complaint"

    @property
    def label(self) -> str:
        """As a person reads it."""
        return {
            "crime": "Investigating a crime",
            "safeguarding": "Protecting somebody from immediate harm",
            "missing_person": "Finding a missing person",
            "complaint": "Answering a complaint or a court's question about the tag",
        }[self.value]


class PlaceQuestion(msgspec.Struct, frozen=True):
    """Who was within ``radius_m`` of a place from ``from_at`` to ``to_at``; degrees, aware UTC."""

    lat: float
    lon: float
    radius_m: float
    from_at: datetime
    to_at: datetime
    purpose: Purpose
    reference: str


class BadQuestion(ValueError):
    """A question that cannot be answered; ``faults`` says of each field what to do."""

    def __init__(self, faults: dict[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {what}" for field, what in faults.items()))
        self.faults = faults


def check(question: PlaceQuestion, now: datetime) -> None:
    """Raise :class:`BadQuestion` for a place, window, purpose or reference that is none."""
    faults: dict[str, str] = {}
    if not (math.isfinite(question.lat) and abs(question.lat) <= MOST_LATITUDE):
        most = f"{MOST_LATITUDE:g}"
        faults["lat"] = f"Latitude must be a number between -{most} and {most}, such as 53.1905"
    if not (math.isfinite(question.lon) and -180 <= question.lon <= 180):
        faults["lon"] = "Longitude must be a number between -180 and 180, such as -2.8918"
    if not 0 < question.radius_m <= WIDEST_RADIUS_M:
        faults["radius_m"] = f"Radius must be above 0 and at most {WIDEST_RADIUS_M:,.0f} metres"
    if question.from_at > now:
        faults["from_at"] = "The window must begin in the past"
    elif question.from_at >= question.to_at:
        faults["to_at"] = "The window must end after it begins"
    elif question.to_at - question.from_at > LONGEST_WINDOW:
        faults["to_at"] = "The window must be at most 12 hours: ask twice"
    reference = question.reference
    if not reference.strip():
        faults["reference"] = "Enter the reference of the crime, case or complaint"
    elif len(reference) > LONGEST_REFERENCE or not reference.isprintable():
        faults["reference"] = f"The reference must have at most {LONGEST_REFERENCE} characters"
    if faults:
        raise BadQuestion(faults)
