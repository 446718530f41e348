"""The cohort: who is in it, how closely each is worked with, and the page of one person."""

from datetime import datetime, timedelta
from enum import Enum
from typing import TypeVar

import msgspec
from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from navigate_safer.people.access import Permission
from navigate_safer.people.cohort import (
    FLAGS,
    LEADS,
    LEFT,
    MEMBERSHIP,
    RAG,
    SAFETY,
    UPWARD,
    IomCohort,
)
from navigate_safer.people.rag import Colour, RagStatus
from navigate_safer.people.records import Record
from navigate_safer.services import cohort
from navigate_safer.services.cohort import Wish
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.person_tabs import Tab
from navigate_safer.web.record_pages import PERSON

pages = Blueprint("cohort", __name__)
PERSON_TABS = (
    Tab(
        "Cohort", "cohort.person", Permission.SEE_CASEWORK, also=("cohort_forms", "cohort_flags")
    ),
)  # fmt: skip
RECORD_PAGES = {
    each.name: ("cohort.person", PERSON) for each in (MEMBERSHIP, RAG, LEADS, FLAGS, UPWARD, SAFETY)
}
LONGEST_SEARCH = 100
# What the strip of colours shows.
STRIP = timedelta(days=365)
EnumT = TypeVar("EnumT", bound=Enum)


class Stretch(msgspec.Struct, frozen=True):
    """A colour of the strip: from and to as shares of its length."""

    colour: Colour
    start: float
    end: float
    from_at: datetime


@pages.get("/cohort")
@rule(Permission.SEE_CASEWORK)
def listed() -> ResponseReturnValue:
    """Everybody in the cohort, the most pressing first."""
    args = request.args
    wish = Wish(
        search=args.get("search", "")[:LONGEST_SEARCH],
        colour=_member(Colour, args.get("colour", "")),
        iom=_member(IomCohort, args.get("iom", "")),
        statutory={"yes": True, "no": False}.get(args.get("statutory", "")),
        team=args.get("team", ""),
        missing=args.get("missing") == "yes",
        whole=args.get("whole") == "yes",
    )
    return render_template(
        "cohort.html",
        shown=cohort.see_all(service().sessions, scope(), wish, now()),
        form=args,
        colours=list(Colour),
        cohorts=list(IomCohort),
        now=now(),
    )


def _member(kind: type[EnumT], value: str) -> EnumT | None:
    return next((each for each in kind if each.value == value), None)


@pages.get("/people/<ref>/cohort")
@rule(Permission.SEE_CASEWORK)
def person(ref: str) -> ResponseReturnValue:
    """One person: colour with its causes, panels, leads, flags."""
    shown = cohort.see_person(service().sessions, scope(), ref, now())
    return render_template(
        "cohort_person.html",
        shown=shown,
        level=None if shown.standing.colour is None else shown.policy.level(shown.standing.colour),
        strip=strip(shown.colours, now()),
        now=now(),
    )


def strip(versions: list[Record[RagStatus]], until: datetime) -> list[Stretch]:
    """The decided colours of the last year, the oldest first; ``versions`` the newest first."""
    first = until - STRIP
    found = []
    end = until
    for each in versions:
        start = max(each.made_at, first)
        if start < end and each.state != LEFT:
            shares = ((start - first) / STRIP, (end - first) / STRIP)
            found.append(Stretch(each.body.colour, *shares, from_at=each.made_at))
        end = min(end, each.made_at)
        if each.made_at <= first:
            break
    return found[::-1]
