"""Casework of the demonstration: invented records, written through the services as staff would."""

from collections.abc import Callable
from datetime import datetime

from navigate_safer.db.base import Sessions
from navigate_safer.demo import (
    casework_intake,
    casework_meetings,
    casework_orders,
    casework_partners,
    casework_plan,
    casework_programmes,
    casework_rota,
)
from navigate_safer.demo.casework_staff import Office

# One function a subject; each writes what it needs and nothing of another's.
SUBJECTS: tuple[Callable[[Office, datetime], None], ...] = (
    casework_intake.sprinkle_intake,
    casework_meetings.sprinkle_meetings,
    casework_orders.sprinkle_orders,
    casework_partners.sprinkle_partners,
    casework_plan.sprinkle_plan,
    casework_programmes.sprinkle_programmes,
    casework_rota.sprinkle_rota,
)


def sprinkle(sessions: Sessions, now: datetime) -> None:
    """Write the records of every subject, once."""
    office = Office.of(sessions)
    for subject in SUBJECTS:
        subject(office, now)
