"""Papers of enforcement as PDF: the warning letter and the breach pack.

What they say comes as JSON, so that no word of a record can be read as markup; the same words give
the same bytes.
"""

import json
from datetime import date, datetime
from importlib.resources import files

import msgspec
import typst

from navigate_safer.people.days import LONDON


class Letter(msgspec.Struct, frozen=True):
    """A letter to the wearer; ``sent`` is False for one that is only being looked at."""

    to: str
    ref: str
    sent_on: date
    reply_by: date
    text: tuple[str, ...]
    by: str
    sent: bool


class PackFailure(msgspec.Struct, frozen=True):
    """A failure as the pack tells it; ``letter`` are the paragraphs of the warning, if one went."""

    ref: str
    happened: datetime
    what: str
    requirement: str
    evidence: str
    decided: str
    letter_on: date | None
    letter: tuple[str, ...]
    reply: str


class PackAlert(msgspec.Struct, frozen=True):
    """An alert behind a failure, in words."""

    reference: str
    what: str
    when: str
    explanation: tuple[str, ...]


class Pack(msgspec.Struct, frozen=True):
    """Everything that the breach pack says. ``order`` and ``variations`` are lines of words."""

    ref: str
    name: str
    wearer_ref: str
    born_on: date
    order: tuple[tuple[str, str], ...]
    conditions: tuple[tuple[str, str, str], ...]
    variations: tuple[tuple[str, str], ...]
    failures: tuple[PackFailure, ...]
    alerts: tuple[PackAlert, ...]
    why: str
    referred: str
    statement: str
    signed: str
    due: datetime
    printed: datetime


def letter(of: Letter) -> bytes:
    """The warning letter."""
    given = {
        "to": of.to,
        "ref": of.ref,
        "date": said(of.sent_on),
        "paragraphs": list(of.text),
        "by": of.by,
        "draft": not of.sent,
    }
    return _compiled("warning_letter.typ", given)


def pack(of: Pack) -> bytes:
    """The breach pack, with a page for the statement."""
    given = msgspec.to_builtins(of)
    given["born_on"], given["due"] = said(of.born_on), moment(of.due)
    given["printed"] = moment(of.printed)
    given["failures"] = [
        {
            **msgspec.to_builtins(each),
            "happened": moment(each.happened),
            "letter_on": None if each.letter_on is None else said(each.letter_on),
        }
        for each in of.failures
    ]
    return _compiled("breach_pack.typ", given)


def said(day: date) -> str:
    """A day as a letter says it: 22 November 2026."""
    return f"{day.day} {day:%B %Y}"


def moment(at: datetime) -> str:
    """A time in London as a letter says it: 22 November 2026 at 14:03."""
    local = at.astimezone(LONDON)
    return f"{said(local.date())} at {local:%H:%M}"


def _compiled(template: str, given: dict[str, object]) -> bytes:
    source = files("navigate_safer.services").joinpath(template).read_bytes()
    made: bytes = typst.compile(source, format="pdf", sys_inputs={"given": json.dumps(given)})
    return made
