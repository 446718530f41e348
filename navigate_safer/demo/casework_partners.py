"""Extracts of three partners about the invented cohort."""

from datetime import datetime, timedelta
from random import Random

from navigate_safer.demo.casework_staff import Office
from navigate_safer.people.access import Role
from navigate_safer.people.days import day_of
from navigate_safer.people.partners import BY_REF, Mapped
from navigate_safer.services import partner_import

SENT_BEFORE = {"police_incidents": 1, "probation": 2, "housing": 40}
WORDS = {
    "police_incidents": "Call to an address; nobody was hurt",
    "probation": "Office appointment",
    "housing": "Complaint about noise at night",
}
SEED = "partners"
PEOPLE = 60


def sprinkle_partners(office: Office, now: datetime) -> None:
    """What the partners sent, read to the end."""
    scope = office.scope(Role.SUPERVISOR)
    for source, days in SENT_BEFORE.items():
        columns = {"entry": "reference", "person": "person", "on": "date", "kind": "type"}
        mapped = Mapped(source, {**columns, "what": "summary"}, "Cheshire agreement (invented)")
        at = now - timedelta(days=days)
        partner_import.keep_setting(
            office.sessions, scope, office.area_id, mapped, replaces=0, now=at
        )
        content = _extract(office, source, at)
        partner_import.take(
            office.sessions, scope, source, office.area_id, f"{source}.csv", content, day_of(at), at
        )
        partner_import.read_waiting(office.sessions, at)


def _extract(office: Office, source: str, at: datetime) -> bytes:
    rng = Random(f"{SEED}|{source}")
    lines = ["reference,person,date,type,summary"]
    people = rng.sample(office.wearers, min(PEOPLE, len(office.wearers)))
    for number, ref in enumerate(people):
        day = day_of(at - timedelta(days=rng.randrange(180)))
        kind = rng.choice(BY_REF[source].kinds)
        lines.append(f"{source}-{number},{ref},{day:%d/%m/%Y},{kind},{WORDS[source]}")
    lines.append(f"{source}-x,{people[0]},soon,{kind},A row with a date that is none")
    return "\n".join(lines).encode()
