"""Input that cannot be true, and the number range in which all sums stay finite."""

from collections.abc import Iterable
from datetime import date
from typing import Annotated

import msgspec

# Above this no count, number of days or sum of pounds is real, and products could overflow.
LARGEST = 10**12
Count = Annotated[int, msgspec.Meta(ge=0, le=LARGEST)]
Amount = Annotated[float, msgspec.Meta(ge=0, le=LARGEST)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Name = str | int

YEARS = range(1900, 2200)


class BadOutcomeInput(ValueError):
    """What is given cannot be true; the message is one line that says what, where, what to do."""


def check_dates(dated: Iterable[tuple[str, date]]) -> None:
    """Refuse a date outside the years that records are about; the text says where it stands."""
    for where, day in dated:
        if day.year not in YEARS:
            raise BadOutcomeInput(
                f"{where}: {day} is not a date of this age; use {YEARS[0]} to {YEARS[-1]}"
            )
