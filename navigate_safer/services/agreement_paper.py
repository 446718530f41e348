"""The engagement agreement on paper, for both sides to sign: a PDF made from the record alone."""

import json
from datetime import date
from importlib.resources import files

import typst

from navigate_safer.people.plan_log import Agreement
from navigate_safer.people.records import Record


def pdf(record: Record[Agreement], name: str, key_worker: str) -> bytes:
    """The agreement as PDF; the same version gives the same bytes.

    It goes to the wearer: it holds the wearer's name and the key worker's, and nobody else's.
    """
    body = record.body
    given = {
        "ref": record.ref,
        "version": record.version,
        "name": name,
        "key_worker": key_worker,
        "of_person": body.of_person,
        "of_us": body.of_us,
        "signed_by_person_on": _said(body.signed_by_person_on),
        "signed_for_us_on": _said(body.signed_for_us_on),
        "signed_for_us_by": body.signed_for_us_by,
        "review_on": _said(body.review_on),
    }
    source = files("navigate_safer.services").joinpath("agreement_paper.typ").read_bytes()
    made: bytes = typst.compile(source, format="pdf", sys_inputs={"agreement": json.dumps(given)})
    return made


def _said(day: date | None) -> str:
    return "" if day is None else f"{day.day} {day:%B %Y}"
