"""What is written down beside a plan: offers, contacts, triggers, the agreement, unmanaged risk."""

from datetime import date, datetime, timedelta
from enum import Enum

import msgspec

from navigate_safer.people.access import Permission
from navigate_safer.people.plans import PLAN
from navigate_safer.people.records import RecordKind


class OfferAnswer(Enum):
    """What was answered to an offer."""

    ACCEPTED = "accepted"
    THINKING = "thinking"
    REFUSED = "refused"
    NOT_REACHED = "not_reached"

    @property
    def label(self) -> str:
        """As a person reads it."""
        return {"thinking": "Wants to think about it"}.get(
            self.value, self.value.replace("_", " ").capitalize()
        )


class Offer(msgspec.Struct, frozen=True):
    """An offer of help; ``again_on`` is when it is made again, None once it was accepted."""

    on: date
    what: str
    by: str
    answer: OfferAnswer
    again_on: date | None = None


class ContactHow(Enum):
    """How somebody was seen."""

    APPOINTMENT = "appointment"
    HOME_VISIT = "home_visit"
    TELEPHONE = "telephone"
    CHECK = "check"

    @property
    def label(self) -> str:
        """As a person reads it."""
        return {"check": "A check without the person"}.get(
            self.value, self.value.replace("_", " ").capitalize()
        )


class Contact(msgspec.Struct, frozen=True):
    """A contact or a check. ``made`` False when nobody was there; ``check`` one of the plan."""

    on: date
    how: ContactHow
    agency: str
    made: bool
    check: str = ""
    concern: bool = False
    note: str = ""


class ScheduledCheck(msgspec.Struct, frozen=True):
    """A check of the live plan, and when it was last done."""

    what: str
    every_days: int
    from_on: date
    last_on: date | None = None

    @property
    def due_on(self) -> date:
        """The day by which it is done next."""
        return (self.last_on or self.from_on) + timedelta(days=self.every_days)


class Triggered(msgspec.Struct, frozen=True):
    """A trigger of the plan that happened, with the clock to the action."""

    what: str
    seen_at: datetime
    act_by: datetime
    action: str = ""
    acted_at: datetime | None = None

    @property
    def took(self) -> timedelta | None:
        """From the trigger to the action."""
        return None if self.acted_at is None else self.acted_at - self.seen_at

    @property
    def in_time(self) -> bool | None:
        """Whether the action came in time; None before there is one."""
        return None if self.acted_at is None else self.acted_at <= self.act_by


class AgreementBreach(msgspec.Struct, frozen=True):
    """An expectation that was not kept, by the person or by us, and what came of it."""

    on: date
    what: str
    by_us: bool
    decided: str


class Agreement(msgspec.Struct, frozen=True):
    """What both sides expect; in force once both have signed."""

    of_person: tuple[str, ...]
    of_us: tuple[str, ...]
    signed_by_person_on: date | None = None
    signed_for_us_on: date | None = None
    signed_for_us_by: str = ""
    review_on: date | None = None
    breaches: tuple[AgreementBreach, ...] = ()

    @property
    def signed(self) -> bool:
        """Whether both sides have signed."""
        return self.signed_by_person_on is not None and self.signed_for_us_on is not None


class Notice(msgspec.Struct, frozen=True):
    """That an agency was told of a risk that is not managed, and that it said it knows."""

    agency: str
    person: str
    sent_on: date
    acknowledged_on: date | None = None


class Unmanaged(msgspec.Struct, frozen=True):
    """A risk that cannot be reduced or managed, and who was told of it."""

    why: str
    since: date
    notices: tuple[Notice, ...] = ()
    ended_on: date | None = None

    @property
    def waiting(self) -> list[Notice]:
        """Notices that nobody has acknowledged."""
        return [each for each in self.notices if each.acknowledged_on is None]

    def due_on(self, answer_days: int) -> date | None:
        """When the first unanswered notice has to be answered; at once where nobody was told."""
        if self.ended_on is not None:
            return None
        if not self.notices:
            return self.since
        waiting = self.waiting
        return (
            min(each.sent_on for each in waiting) + timedelta(days=answer_days) if waiting else None
        )


_SEE, _WRITE = Permission.SEE_CASEWORK, Permission.MANAGE_CASES
OFFER = RecordKind("offer", "Offer of help", "OF", Offer, _SEE, _WRITE)
CONTACT = RecordKind("contact", "Contact or check", "CN", Contact, _SEE, _WRITE)
SCHEDULED = RecordKind("scheduled_check", "Scheduled check", "CK", ScheduledCheck, _SEE, _WRITE)
TRIGGERED = RecordKind("plan_trigger", "Trigger of the plan", "TG", Triggered, _SEE, _WRITE)
AGREEMENT = RecordKind("agreement", "Engagement agreement", "AG", Agreement, _SEE, _WRITE)
UNMANAGED = RecordKind("unmanaged", "Unmanaged risk", "UM", Unmanaged, _SEE, _WRITE)
KINDS = (PLAN, OFFER, CONTACT, SCHEDULED, TRIGGERED, AGREEMENT, UNMANAGED)
