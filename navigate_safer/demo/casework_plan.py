"""A cohort with its colours, key workers and leads, and plans of both tracks, all invented."""

from datetime import datetime, timedelta

from navigate_safer.demo.casework_staff import Office
from navigate_safer.people import plan_catalogue
from navigate_safer.people.access import Role
from navigate_safer.people.cohort import (
    Decision,
    Flags,
    IomCohort,
    Leads,
    Membership,
    Need,
    Presence,
    Seat,
    ThreeNeeds,
    UpwardEvent,
)
from navigate_safer.people.days import day_of
from navigate_safer.people.plan_changes import Details
from navigate_safer.people.plan_log import (
    Agreement,
    Contact,
    ContactHow,
    Notice,
    Offer,
    OfferAnswer,
    Unmanaged,
)
from navigate_safer.people.plans import (
    Agreed,
    Approach,
    Check,
    Clock,
    Step,
    StepStatus,
    Strand,
    Track,
)
from navigate_safer.people.rag import Colour, RagStatus, TriggerKind
from navigate_safer.people.teams import Team, TeamSettings
from navigate_safer.services import (
    cohort,
    cohort_changes,
    cohort_settings,
    plan_changes,
    plan_log,
)
from navigate_safer.services.cohort import PersonCohort

SELECTED_BEFORE, DECIDED_BEFORE = timedelta(days=120), timedelta(days=5)
COLOURED_BEFORE = timedelta(days=100)
COLOURS = (Colour.RED, Colour.AMBER, Colour.GREEN, Colour.AMBER, Colour.GREEN, Colour.BLUE)
# The colours that the first ones had at the beginning.
BEFORE = (Colour.AMBER, Colour.RED)
CAUSES = {
    Colour.RED: "Two breaches in a fortnight, and he sends the officers away.",
    Colour.AMBER: "Comes to most appointments; drinks again.",
    Colour.GREEN: "Comes to everything; nothing new for months.",
    Colour.BLUE: "On remand; the plan for his release is being made.",
}
TEAM = "Locality team"
# The first is not looked at again after what became known, so that the rule can be seen at work.
UNSEEN = 1


def sprinkle_plan(office: Office, now: datetime) -> None:
    """Six people of the cohort, five of them with everybody named; three plans. Once only."""
    scope = office.scope(Role.SUPERVISOR)
    if cohort_settings.see(office.sessions, scope, office.area_id).team_record is not None:
        return
    teams = TeamSettings((Team(TEAM),))
    cohort_settings.set_teams(
        office.sessions, scope, office.area_id, teams, "first team", 0, now - SELECTED_BEFORE
    )
    people = office.wearers[: len(COLOURS)]
    for number, (ref, colour) in enumerate(zip(people, COLOURS, strict=False)):
        known = _selected(office, ref, number, now - SELECTED_BEFORE)
        seen = [] if number == UNSEEN else [each.key for each in known.causes]
        version = 0
        if number < len(BEFORE):
            _coloured(office, ref, BEFORE[number], [], version, now - COLOURED_BEFORE)
            version = 1
        _coloured(office, ref, colour, seen, version, now - DECIDED_BEFORE)
    idva = office.scope(Role.IDVA)
    told = UpwardEvent(TriggerKind.DISCLOSURE, day_of(now), "Health")
    cohort_changes.add_event(office.sessions, idva, people[UNSEEN], told, now)
    _flagged(office, people[0], now)
    _not_motivated(office, people[0], now)
    _motivated(office, people[2], now)
    _one_sided(office, people[3], now)


def _selected(office: Office, ref: str, number: int, at: datetime) -> PersonCohort:
    scope = office.scope(Role.SUPERVISOR)
    panel = Membership(
        Decision.SELECTED,
        day_of(at),
        (Seat("Detective sergeant", "Police"), Seat("Senior probation officer", "Probation")),
        "Repeated abuse of more than one partner; several agencies know him.",
        IomCohort.FLEX if number % 3 else IomCohort.FIXED,
        statutory=number % 2 == 0,
        legal_basis="Licence or community order" if number % 2 == 0 else "",
        next_panel_on=day_of(at + timedelta(days=182)),
    )
    cohort_changes.decide_panel(office.sessions, scope, ref, panel, 0, at)
    known = cohort.see_person(office.sessions, scope, ref, at)
    named = number != len(COLOURS) - 1
    leads = Leads(
        known.key_worker_id,
        "Sergeant T. Malpas" if named else "",
        "R. Tarvin",
        TEAM,
        day_of(at) if named else None,
    )
    cohort_changes.set_leads(office.sessions, scope, ref, leads, "named at selection", 0, at)
    return known


def _coloured(
    office: Office, ref: str, colour: Colour, seen: list[str], version: int, at: datetime
) -> None:
    scope = office.scope(Role.OFFENDER_MANAGER)
    release_on = day_of(at + timedelta(days=100)) if colour is Colour.BLUE else None
    review_on = day_of(at + timedelta(days=6 if colour is Colour.RED else 12))
    status = RagStatus(colour, CAUSES[colour], review_on, release_on=release_on)
    cohort_changes.decide_colour(office.sessions, scope, ref, status, seen, version, at)


def _flagged(office: Office, ref: str, now: datetime) -> None:
    on = day_of(now - timedelta(days=60))
    needs = tuple(
        Need(each, Presence.YES, source, on)
        for each, source in zip(
            ThreeNeeds, ("GP", "Drug and alcohol service", "Police"), strict=True
        )
    )
    flags = Flags(2, 2, on, day_of(now + timedelta(days=24)), marac=True, marac_on=on, needs=needs)
    scope = office.scope(Role.OFFENDER_MANAGER)
    cohort_changes.set_flags(office.sessions, scope, ref, flags, 0, now)


def _details(track: Track, now: datetime, own_words: str, *, asked: bool = True) -> Details:
    watched = track is Track.NOT_MOTIVATED
    says = Agreed.DO_NOT_AGREE if watched else Agreed.AGREED
    return Details(
        track=track,
        review_on=day_of(now + timedelta(days=40)),
        own_words=own_words,
        agreed=says if asked else Agreed.DRAFT,
        agreed_on=day_of(now) if asked else None,
        approach=Approach.REMOVE_AND_SEPARATE,
        approach_decision="",
        checks=(Check("Visit at home", 7),) if watched else (),
        clocks=plan_catalogue.shipped().clocks if watched else (),
    )


def _not_motivated(office: Office, ref: str, now: datetime) -> None:
    sessions, scope = office.sessions, office.scope(Role.OFFENDER_MANAGER)
    began = now - timedelta(days=30)
    details = _details(Track.NOT_MOTIVATED, began, "It is not me who needs help.")
    plan_changes.set_details(
        sessions, scope, ref, details, "panel of selection", 0, began, template=True
    )
    for ago in (24, 17, 10, 2):
        at = now - timedelta(days=ago)
        visit = Contact(
            day_of(at), ContactHow.HOME_VISIT, "Police", ago != 17, "Visit at home", ago == 10
        )
        plan_log.add_contact(sessions, scope, ref, visit, at)
    offer = Offer(
        day_of(now - timedelta(days=27)), "A place in a group", "Key worker", OfferAnswer.REFUSED
    )
    plan_log.add_offer(sessions, scope, ref, offer, now - timedelta(days=27))
    clock = Clock("New partner, or a home with children", 48)
    seen_at = now - timedelta(hours=30)
    plan_log.start_clock(sessions, scope, ref, clock, seen_at, seen_at)
    on = day_of(now - timedelta(days=4))
    notices = (Notice("Police", "Public protection", on, on), Notice("Housing", "Duty desk", on))
    risk = Unmanaged("He refuses every offer, and the order ends soon.", on, notices)
    plan_log.set_unmanaged(sessions, scope, ref, risk, 0, now - timedelta(days=4))


def _motivated(office: Office, ref: str, now: datetime) -> None:
    sessions, scope = office.sessions, office.scope(Role.OFFENDER_MANAGER)
    began = now - timedelta(days=60)
    details = _details(Track.MOTIVATED, began, "I want to be a father whom they are not afraid of.")
    made = plan_changes.set_details(
        sessions, scope, ref, details, "first talk", 0, began, template=True
    )
    agencies = ("Voluntary sector", "Drug and alcohol service", "Housing", "Council", "Probation")
    for step, agency in zip(made.body.steps, agencies, strict=False):
        done = StepStatus.COMPLETED if agency == "Council" else StepStatus.IN_PROGRESS
        due_on = day_of(now + timedelta(days=14))
        changed = Step(
            step.number, step.what, step.strand, step.action, agency, "Named worker", due_on, done,
            step.goal, (2,) if agency == "Probation" else (),
        )  # fmt: skip
        made = plan_changes.put_step(sessions, scope, ref, changed, made.version, began)
    again = Step(
        0, "Advice on where to live", Strand.SUPPORT, "housing", "Voluntary sector",
        "Tenancy worker",
        day_of(now + timedelta(days=20)),
    )  # fmt: skip
    plan_changes.put_step(sessions, scope, ref, again, made.version, began)
    catalogue, on = plan_catalogue.shipped(), day_of(began)
    agreement = Agreement(
        catalogue.of_person, catalogue.of_us, on, on, "Key worker", day_of(now + timedelta(days=24))
    )
    plan_log.set_agreement(sessions, scope, ref, agreement, "signed at the start", 0, began)


def _one_sided(office: Office, ref: str, now: datetime) -> None:
    """A plan that lacks its support part."""
    sessions, scope = office.sessions, office.scope(Role.OFFENDER_MANAGER)
    details = _details(Track.MOTIVATED, now, "", asked=False)
    made = plan_changes.set_details(sessions, scope, ref, details, "begun", 0, now)
    visit = Step(
        0, "Visit at home", Strand.CONTROL, "home_visit", "Police", "Neighbourhood officer",
        day_of(now + timedelta(days=3)),
    )  # fmt: skip
    plan_changes.put_step(sessions, scope, ref, visit, made.version, now)
