"""An invented case of cost and benefit for the invented cohort; every source says that it is.

The unit costs are the shipped ones. How often, by how much, what the service costs and who pays are
invented, so that the page has something to show.
"""

from datetime import date, timedelta

import msgspec

from navigate_safer.people.cost_book import (
    Assumptions,
    Benefit,
    CaseFileCost,
    Contribution,
    Cost,
    Entry,
    Funding,
    Item,
    Kind,
    LedgerEntry,
)
from navigate_safer.people.cost_seeds import DEFAULTS

INVENTED = "invented for the demonstration"
REASON = "The invented case of the demonstration"
POLICE, COUNCIL, PRISONS = "Police", "Council", "Prison and probation"
COHORT = 156.0


def cost_entries(today: date) -> list[CaseFileCost]:
    """The entries; what ends soon ends soon after ``today``."""
    year = today.year if today.month >= 4 else today.year - 1
    this, last = _financial(year), _financial(year - 1)
    entries: list[tuple[Kind, str, Entry]] = [
        (Kind.ASSUMPTIONS, "assumptions", _assumptions()),
        (Kind.BENEFIT, "arrests", _benefit("arrest", "fiscal", POLICE, 1.7, cashable=0.1)),
        (Kind.BENEFIT, "custody", _benefit("custody", "fiscal", PRISONS, 0.25)),
        (Kind.BENEFIT, "incidents",
         _benefit("incident", "social", "People who were harmed", 4.0, effect=0.1, net=True)),
        (Kind.COST, "navigate", _service()),
        (Kind.LEDGER, "posts", LedgerEntry(
            "One post fewer in response", 38_000, last, POLICE, "Head of response", "realised",
            INVENTED, cashable=True, evidence=f"Establishment list, {INVENTED}",
            signed_by="An invented budget owner", signed_on=date(year, 4, 30),
        )),
        (Kind.LEDGER, "nights", LedgerEntry(
            "Fewer nights in emergency housing", 21_000, this, COUNCIL, "Head of housing",
            "budgeted", INVENTED, cashable=True,
        )),
        (Kind.LEDGER, "courts", LedgerEntry(
            "Fewer hearings", None, this, PRISONS, "Regional lead", "forecast", INVENTED,
        )),
        (Kind.CONTRIBUTION, "police", Contribution(
            POLICE, 120_000, this, "Fewer repeat victims", INVENTED)),
        (Kind.CONTRIBUTION, "council", Contribution(
            COUNCIL, 180_000, this, "Children are safer", INVENTED)),
        (Kind.FUNDING, "grant", Funding(
            "Perpetrator fund", 90_000, today - timedelta(days=280), today + timedelta(days=84),
            "Behaviour change work", INVENTED,
        )),
    ]  # fmt: skip
    return [
        CaseFileCost(kind, ref, REASON, msgspec.json.decode(msgspec.json.encode(entry)))
        for kind, ref, entry in entries
    ]


def _financial(year: int) -> str:
    return f"{year}/{(year + 1) % 100:02d}"


def _assumptions() -> Assumptions:
    return msgspec.structs.replace(
        DEFAULTS,
        cohort=COHORT,
        ramp=(0.5, 1.0, 1.0, 1.0, 1.0),
        source=f"{DEFAULTS.source}. Cohort: as published; ramp: {INVENTED}",
    )


def _benefit(
    unit: str,
    kind: str,
    agency: str,
    baseline: float,
    *,
    effect: float = 0.2,
    cashable: float = 0.0,
    net: bool = False,
) -> Benefit:
    given = {
        "unit_cost": unit, "agency": agency, "kind": kind, "baseline": baseline, "effect": effect,
        "source": INVENTED, "drop_off": 0.1, "cashable": cashable, "net": net,
    }  # fmt: skip
    return msgspec.convert(given, Benefit)


def _service() -> Cost:
    items = (
        Item("Four workers", 200_000),
        Item("Tags and monitors", 110_000),
        Item("Programme places", 90_000),
    )
    return Cost("Navigate Safer", COUNCIL, "preventive", items, INVENTED, stated_total=400_000)
