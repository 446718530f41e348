"""The cohort against both databases: what moves up, the first selection, other areas."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import msgspec
import pytest
from case_files import START, small_case_file
from databases import Database

from navigate_safer.db.offending import OffendingRow
from navigate_safer.db.people import AreaRow, StaffRow, WearerRow
from navigate_safer.people import cohort_policy
from navigate_safer.people.access import Forbidden, Role, Scope
from navigate_safer.people.cohort import (
    LEADS,
    Decision,
    Gap,
    IomCohort,
    Leads,
    Membership,
    Seat,
)
from navigate_safer.people.offending import EntryKind, IncidentRole, OffendingEntry
from navigate_safer.people.partners import Mapped
from navigate_safer.people.plan_log import Agreement, Offer, OfferAnswer
from navigate_safer.people.rag import Colour, RagStatus
from navigate_safer.services import (
    cohort,
    cohort_changes,
    cohort_settings,
    cohort_watch,
    offending,
    one_record,
    partner_import,
    plan_log,
    records,
    register,
    today,
)
from navigate_safer.services.casework import NotFound
from navigate_safer.services.one_record import Refused
from navigate_safer.services.records import Stale

TODAY = START.date()
LATER = START + timedelta(hours=1)
PANEL = Membership(
    Decision.SELECTED, TODAY, (Seat("A", "Police"), Seat("B", "Probation")), "Three incidents",
    IomCohort.FLEX,
)  # fmt: skip


class Office(msgspec.Struct, frozen=True):
    database: Database
    areas: dict[str, int]
    staff_id: int

    def scope(self, role: Role = Role.SUPERVISOR, area: str = "west") -> Scope:
        return Scope(self.staff_id, role, frozenset({self.areas[area]}))

    def select(self) -> None:
        cohort_changes.decide_panel(self.database.sessions, self.scope(), "W-1", PANEL, 0, START)

    def decide(self, colour: Colour, version: int = 0, **more: object) -> None:
        status = RagStatus(colour, "as the panel said", TODAY + timedelta(days=7), **more)
        cohort_changes.decide_colour(
            self.database.sessions, self.scope(), "W-1", status, (), version, START
        )

    def know(self, *entries: OffendingEntry) -> None:
        offending.import_entries(self.database.sessions, entries, LATER)

    def stands(self):
        return cohort.see_person(self.database.sessions, self.scope(), "W-1", LATER).standing


@pytest.fixture
def office(database: Database) -> Office:
    register.register(database.sessions, small_case_file(), START)
    areas = {row.ref: row.id for row in database.all(AreaRow)}
    supervisor = database.one(StaffRow, StaffRow.ref == "sup-1")
    return Office(database, areas, supervisor.id)


def entry(ref: str, kind: EntryKind, on: date, **fields: object) -> OffendingEntry:
    return OffendingEntry(ref, "W-1", kind, on, "police record", TODAY, **fields)


def test_only_what_is_new_and_against_him_moves_him_up(office: Office):
    office.select()
    office.decide(Colour.GREEN)
    suspect, victim = IncidentRole.SUSPECT, IncidentRole.VICTIM
    years_ago = TODAY - timedelta(days=900)
    office.know(
        entry("E-OLD", EntryKind.INCIDENT, years_ago, role=suspect),
        entry("E-VICTIM", EntryKind.INCIDENT, TODAY, role=victim),
        entry("E-CUSTODY", EntryKind.CUSTODY, years_ago, until=TODAY),
    )
    assert office.stands().colour is Colour.GREEN
    office.know(entry("E-NEW", EntryKind.ARREST, TODAY, role=suspect))
    assert office.stands().colour is Colour.RED
    assert [each.ref for each in office.stands().causes] == ["E-NEW"]


def test_whoever_comes_out_of_custody_is_red_on_that_day(office: Office):
    office.select()
    office.decide(Colour.BLUE, release_on=TODAY + timedelta(days=120))
    office.know(entry("E-IN", EntryKind.CUSTODY, TODAY - timedelta(days=30)))
    assert office.stands().colour is Colour.BLUE
    shown = cohort.see_person(office.database.sessions, office.scope(), "W-1", LATER)
    assert shown.inside
    out = entry("E-OUT", EntryKind.CUSTODY, TODAY - timedelta(days=30), until=TODAY)
    office.know(out)
    assert office.stands().colour is Colour.RED


LEAVES = Membership(
    Decision.TRANSFERRED, TODAY, (Seat("A", "Police"), Seat("B", "Probation")), "He has moved"
)  # fmt: skip


@pytest.mark.parametrize("decision", [Decision.TRANSFERRED, Decision.DIED])
def test_who_leaves_the_cohort_is_not_overdue_for_ever(office: Office, decision: Decision):
    sessions, scope = office.database.sessions, office.scope()
    office.select()
    office.decide(Colour.GREEN)
    offer = Offer(TODAY, "Abuse work", "Probation", OfferAnswer.REFUSED)
    plan_log.add_offer(sessions, scope, "W-1", offer, START)
    paper = Agreement(("I come",), ("We say why",))
    plan_log.set_agreement(sessions, scope, "W-1", paper, "first", 0, START)

    def due() -> set[str]:
        people = today.see(sessions, scope, START + timedelta(days=400), mine=False).people
        return {line.kind for each in people for line in each.due}

    assert {"rag", "offer", "agreement"} <= due()
    leaves = msgspec.structs.replace(LEAVES, decision=decision)
    cohort_changes.decide_panel(sessions, scope, "W-1", leaves, 1, LATER)
    assert not {"rag", "offer", "agreement"} & due()
    stands = cohort.see_person(sessions, scope, "W-1", LATER)
    assert [each.body.colour for each in stands.colours] == [Colour.GREEN] * 2, "it stays on file"


def test_whoever_is_selected_again_begins_his_green_days_anew(office: Office):
    sessions, scope = office.database.sessions, office.scope()
    office.select()
    office.decide(Colour.GREEN)
    back = START + timedelta(days=200)
    cohort_changes.decide_panel(sessions, scope, "W-1", LEAVES, 1, LATER)
    again = msgspec.structs.replace(PANEL, on=back.date())
    cohort_changes.decide_panel(sessions, scope, "W-1", again, 2, back)
    stands = cohort.see_person(sessions, scope, "W-1", back)
    assert (stands.colour, stands.standing.colour) == (None, None)
    green = RagStatus(Colour.GREEN, "calm again", back.date() + timedelta(days=7))
    cohort_changes.decide_colour(sessions, scope, "W-1", green, (), 0, back)
    shown = cohort.see_person(sessions, scope, "W-1", back + timedelta(days=1))
    assert "green for 1 of 183 days" in shown.why_not


def test_an_arrest_between_two_decisions_for_green_begins_the_days_anew(office: Office):
    sessions, scope = office.database.sessions, office.scope()
    office.select()
    office.decide(Colour.GREEN)
    arrested = START + timedelta(days=170)
    arrest = entry("E-NEW", EntryKind.ARREST, arrested.date(), role=IncidentRole.SUSPECT)
    arrest = msgspec.structs.replace(arrest, as_at=arrested.date())
    offending.import_entries(sessions, [arrest], arrested)
    looked_at = START + timedelta(days=185)
    assert cohort.see_person(sessions, scope, "W-1", looked_at).standing.colour is Colour.RED
    green = RagStatus(Colour.GREEN, "no charge", looked_at.date() + timedelta(days=7))
    cohort_changes.decide_colour(sessions, scope, "W-1", green, ("arrest:E-NEW",), 1, looked_at)
    shown = cohort.see_person(sessions, scope, "W-1", looked_at + timedelta(days=2))
    assert "green for 2 of 183 days" in shown.why_not


def test_a_key_worker_whose_account_is_closed_is_none(office: Office):
    sessions, scope = office.database.sessions, office.scope()
    leads = Leads(office.staff_id, "A", "B")
    cohort_changes.set_leads(sessions, scope, "W-1", leads, "new", 0, START)
    assert cohort.see_person(sessions, scope, "W-1", LATER).gaps == []
    with sessions.begin() as session:
        session.get_one(StaffRow, office.staff_id).active = False
    assert cohort.see_person(sessions, scope, "W-1", LATER).gaps == [Gap.KEY_WORKER]
    missing = cohort.see_all(sessions, scope, cohort.Wish(whole=True, missing=True), LATER)
    assert [each.person.ref for each in missing.lines] == ["W-1"]


def test_the_first_selection_is_the_day_from_which_outcomes_are_counted(office: Office):
    office.select()
    (row,) = office.database.all(OffendingRow)
    assert (row.kind, row.on, row.source) == ("selection", TODAY, "cohort panel")
    again = msgspec.structs.replace(PANEL, reasons="seen again")
    cohort_changes.decide_panel(office.database.sessions, office.scope(), "W-1", again, 1, LATER)
    assert office.database.count(OffendingRow) == 1


def test_nobody_has_a_colour_before_a_panel_has_selected_him(office: Office):
    with pytest.raises(Refused, match="a panel has to select this person first"):
        office.decide(Colour.RED)


def test_the_key_worker_and_the_wearers_row_change_together_or_not_at_all(office: Office):
    sessions, scope = office.database.sessions, office.scope()
    leads = Leads(office.staff_id, "A", "B")
    cohort_changes.set_leads(sessions, scope, "W-1", leads, "new", 0, START)
    row = office.database.one(WearerRow, WearerRow.ref == "W-1")
    assert row.offender_manager_id == office.staff_id
    wrong = msgspec.structs.replace(leads, key_worker=None, team="No such team")
    with pytest.raises(Refused):
        cohort_changes.set_leads(sessions, scope, "W-1", wrong, "new", 1, START)
    row = office.database.one(WearerRow, WearerRow.ref == "W-1")
    assert row.offender_manager_id == office.staff_id


def test_of_two_who_name_the_first_leads_at_once_the_second_is_told(office: Office):
    sessions, scope = office.database.sessions, office.scope()
    with ThreadPoolExecutor() as others:
        with sessions.begin() as session:
            of, _ = records.about(session, scope, "W-1")
            first = Leads(None, "A", "B")
            one_record.put(session, scope, LEADS, of, first, replaces=0, now=START)
            second = Leads(None, "C", "D")
            late = others.submit(
                cohort_changes.set_leads, sessions, scope, "W-1", second, "why", 0, LATER
            )
        with pytest.raises(Stale) as told:
            late.result()
    assert told.value.newest.body == first


def test_nobody_reaches_another_area_or_decides_without_the_right(office: Office):
    sessions, east = office.database.sessions, office.scope(area="east")
    with pytest.raises(NotFound):
        cohort.see_person(sessions, east, "W-1", START)
    with pytest.raises(NotFound):
        cohort_settings.see(sessions, east, office.areas["west"])
    with pytest.raises(NotFound):
        cohort_settings.set_policy(
            sessions, east, office.areas["west"], cohort_policy.shipped(), "why", 0, START
        )
    duty = office.scope(Role.DUTY_OFFICER)
    with pytest.raises(Forbidden):
        cohort_changes.decide_panel(sessions, duty, "W-1", PANEL, 0, START)
    with sessions() as session:
        assert cohort_watch.asked(session, duty, START) == {}
        assert cohort_watch.asked(session, office.scope(), START)


def test_an_arrest_in_an_extract_moves_him_up_without_saying_what_it_is(office: Office):
    office.select()
    office.decide(Colour.GREEN)
    sent = {"police_arrests": "arrest", "police_incidents": "incident"}
    for source, kind in sent.items():
        columns = {"entry": "ref", "person": "who", "on": "day", "kind": "kind", "what": "what"}
        mapped = Mapped(source, columns, "Agreement of 2026")
        sessions, scope, area_id = office.database.sessions, office.scope(), office.areas["west"]
        partner_import.keep_setting(sessions, scope, area_id, mapped, replaces=0, now=LATER)
        content = f"ref,who,day,kind,what\nP-1,W-1,{TODAY},{kind},At night\n".encode()
        partner_import.take(sessions, scope, source, area_id, "p.csv", content, TODAY, LATER)
    # Whether he was the suspect of the incident or its victim the extract does not say.
    assert partner_import.read_waiting(office.database.sessions, LATER) == 2
    shown = cohort.see_person(office.database.sessions, office.scope(), "W-1", LATER)
    assert shown.standing.colour is Colour.RED
    assert [each.label for each in shown.causes] == ["News in a partner's extract"]
