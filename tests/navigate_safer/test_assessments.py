"""The common assessment: Dash, judgement that raises and never lowers, the band and its history."""

from collections.abc import Iterator
from datetime import timedelta

import msgspec
import pytest
from databases import SqliteFactory
from hypothesis import given
from hypothesis import strategies as st
from intake_office import NOW, TODAY, Office, by, dash, dash_answers

from navigate_safer.db.people import WearerRow
from navigate_safer.people import assessment_forms, private_text
from navigate_safer.people import assessments as rules
from navigate_safer.people.access import Forbidden, Role
from navigate_safer.people.assessment_forms import Evidence, Incomplete, form
from navigate_safer.people.assessments import Needs, NeverLower, PartnerRating
from navigate_safer.people.referrals import Band
from navigate_safer.people.rfgv import RfgvInputs
from navigate_safer.services import (
    assessments,
    band_overrides,
    kept_assessments,
    rfgv_scores,
    timeline,
    today,
)
from navigate_safer.services.casework import NotFound
from navigate_safer.services.records import Stale

DASH = form("dash")
BANDS = st.sampled_from(list(Band))


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteFactory]:
    made = SqliteFactory(tmp_path_factory.mktemp("sqlite"))
    yield made
    made.close()


@pytest.fixture
def office(sqlite: SqliteFactory) -> Iterator[Office]:
    with sqlite.fresh() as database:
        yield Office.opened(database)


class Desk(msgspec.Struct, frozen=True):
    """What an assessor does about W-1, who was registered as high."""

    office: Office
    role: Role = Role.IDVA

    def save(self, wish, replaces: int = 0):
        sessions, scope = self.office.database.sessions, self.office.scope(self.role)
        return assessments.save_dash(sessions, scope, "W-1", wish, replaces=replaces, now=NOW)

    def judge(self, band: Band, replaces: int, agency: str = "Probation") -> Band:
        sessions, scope = self.office.database.sessions, self.office.scope(self.role)
        return assessments.save_judgement(
            sessions, scope, "W-1", band, "seen at home", by(agency), replaces=replaces, now=NOW
        )

    def see(self, role: Role | None = None) -> assessments.Overview:
        scope = self.office.scope(role or self.role)
        return assessments.see(self.office.database.sessions, scope, "W-1", NOW)

    def band(self) -> str:
        return self.office.database.one(WearerRow, WearerRow.ref == "W-1").band


@pytest.fixture
def desk(office: Office) -> Desk:
    return Desk(office)


@pytest.mark.parametrize(
    ("ticks", "incidents", "band"),
    [
        pytest.param(14, None, Band.HIGH, id="14 ticks"),
        pytest.param(13, None, Band.MEDIUM, id="13 ticks"),
        pytest.param(10, None, Band.MEDIUM, id="10 ticks"),
        pytest.param(9, None, Band.STANDARD, id="9 ticks"),
        pytest.param(2, 3, Band.HIGH, id="2 ticks and three incidents in a year"),
    ],
)
def test_ticks_and_incidents_make_the_band(ticks: int, incidents: int | None, band: Band) -> None:
    made = rules.score_dash(DASH, dash_answers(ticks), None, incidents)
    assert (made.ticks, made.counted, made.band) == (ticks, band, band)


@given(st.integers(0, 24), st.none() | BANDS, st.none() | st.integers(0, 9))
def test_judgement_raises_and_never_lowers(
    ticks: int, judged: Band | None, incidents: int | None
) -> None:
    counted = rules.score_dash(DASH, dash_answers(ticks), None, incidents).band
    if judged is not None and judged.rank < counted.rank:
        with pytest.raises(NeverLower) as told:
            rules.score_dash(DASH, dash_answers(ticks), judged, incidents)
        assert told.value.least is counted
        return
    made = rules.score_dash(DASH, dash_answers(ticks), judged, incidents)
    assert made.band is (judged or counted)
    more = rules.score_dash(DASH, dash_answers(min(24, ticks + 1)), None, incidents)
    assert more.band.rank >= counted.rank


@given(st.sets(st.sampled_from([item.id for item in DASH.items()]), min_size=1))
def test_a_dash_with_answers_missing_is_not_scored_and_they_are_named(gone: set[str]) -> None:
    answers = {item: each for item, each in dash_answers(20).items() if item not in gone}
    with pytest.raises(Incomplete) as told:
        rules.score_dash(DASH, answers, None, None)
    assert {item.id for item in told.value.missing} == gone


def test_an_answer_that_the_form_does_not_know_is_a_missing_one() -> None:
    answers = dash_answers(3) | {"q1": Evidence("perhaps")}
    assert [item.id for item in assessment_forms.missing(DASH, answers)] == ["q1"]


@pytest.mark.parametrize("name", sorted(assessment_forms.NEWEST))
def test_a_form_says_its_source_and_a_caution_and_has_each_item_once(name: str) -> None:
    made = form(name)
    ids = [item.id for item in made.items()]
    assert len(ids) == len(set(ids)) == {"dash": 24, "needs": 11}[name]
    assert made.source
    assert made.caution
    assert made.caution_source


def test_the_band_he_was_registered_with_stays_until_somebody_judges_anew(desk: Desk) -> None:
    desk.save(dash(3))
    shown = desk.see()
    assert (desk.band(), shown.disagree) == ("high", True)
    assert shown.held is not None
    assert shown.held.body.why == ["Band as registered"]
    assert shown.judgement is not None
    assert desk.judge(Band.MEDIUM, shown.judgement.version) is Band.MEDIUM
    assert desk.band() == "medium"
    history = [(each.body.band, each.body.before) for each in desk.see().band_history]
    assert history == [(Band.MEDIUM, Band.HIGH), (Band.HIGH, None)]


def test_nobody_judges_below_what_a_victims_tool_says(desk: Desk) -> None:
    desk.save(dash(15))
    judgement = desk.see().judgement
    assert judgement is not None
    with pytest.raises(NeverLower) as told:
        desk.judge(Band.MEDIUM, judgement.version)
    assert told.value.least is Band.HIGH
    assert desk.band() == "high"


def test_the_highest_of_two_victims_counts_and_a_closed_dash_does_not(desk: Desk) -> None:
    office = desk.office
    person = office.taken_on()
    sessions, scope = office.database.sessions, office.scope(Role.IDVA)
    with pytest.raises(NotFound):
        assessments.save_dash(sessions, scope, person, dash(15), replaces=0, now=NOW)
    desk.save(dash(15))
    desk.judge(Band.HIGH, 1)
    shown = desk.see()
    assert shown.judgement is not None
    with pytest.raises(Stale):
        assessments.close_dash(
            sessions, scope, "W-1", "V-1", replaces=0, reason="she moved abroad", now=NOW
        )
    assessments.close_dash(
        sessions, scope, "W-1", "V-1", replaces=1, reason="she moved abroad", now=NOW
    )
    assert [each.what for each in desk.see().ratings] == ["Judgement"]
    assert desk.judge(Band.STANDARD, shown.judgement.version) is Band.STANDARD
    assert desk.save(dash(11)).version == 1
    assert desk.band() == "medium"


def test_of_two_who_assess_at_once_the_second_is_told_what_the_first_wrote(desk: Desk) -> None:
    desk.save(dash(3))
    with pytest.raises(Stale) as told:
        desk.save(dash(5))
    assert told.value.newest.body.ticks == 3
    assert desk.save(dash(5), replaces=1).version == 2


def test_a_dash_is_seen_by_assessors_and_is_on_no_timeline(desk: Desk) -> None:
    desk.save(dash(15))
    assert [each.body.victim for each in desk.see().dashes] == ["V-1"]
    for role in (Role.DUTY_OFFICER, Role.PROGRAMME_FACILITATOR):
        shown = desk.see(role)
        assert (shown.dashes, shown.victims) == ([], [])
        assert "Dash" not in [each.what for each in shown.ratings]
        with pytest.raises(Forbidden):
            kept_assessments.see_dash(
                desk.office.database.sessions, desk.office.scope(role), "W-1", "V-1", NOW
            )
    events = timeline.see(
        desk.office.database.sessions, desk.office.scope(Role.IDVA), "W-1", NOW
    ).events
    assert {each.kind for each in events if each.source == "casework"} == {"judgement", "band"}
    assert "V-1" not in str(events)


def test_a_review_that_is_due_is_on_the_morning_view_of_assessors_only(desk: Desk) -> None:
    desk.save(dash(15, by=by("IDVA service", days=3)))
    later = NOW + timedelta(days=3)
    office = desk.office

    def due(role: Role) -> list[str]:
        found = today.see(office.database.sessions, office.scope(role), later, mine=False)
        return [item.what for each in found.people for item in each.due]

    assert due(Role.IDVA) == ["Review a victim's Dash"]
    assert due(Role.DUTY_OFFICER) == []


def rating(tool: str, word: str, victim: str = "", **more) -> PartnerRating:
    known = rules.tools().named(tool)
    assert known is not None
    given = {"agency": "Police", "on": TODAY, "review_on": None, "note": ""} | more
    return PartnerRating(
        tool=tool, tool_version="1", rating=word, band=known.ratings[word], victim=victim, **given
    )


def test_a_partners_tool_about_him_is_shown_and_one_about_a_victim_sets_the_band(
    desk: Desk,
) -> None:
    sessions, scope = desk.office.database.sessions, desk.office.scope(Role.ACCESS_TEAM)
    desk.save(dash(3))
    desk.judge(Band.STANDARD, 1)
    assessments.save_rating(sessions, scope, "W-1", rating("OGRS", "Very high"), NOW)
    assert (desk.band(), desk.see().disagree) == ("standard", True)
    assessments.save_rating(sessions, scope, "W-1", rating("DARA", "High", "V-1"), NOW)
    assert desk.band() == "high"
    shown = desk.see(Role.DUTY_OFFICER)
    assert [each.body.tool for each in shown.partner_ratings] == ["OGRS"]
    # The same agency's next rating with the same tool takes the place of the last.
    assessments.save_rating(sessions, scope, "W-1", rating("DARA", "Medium", "V-1"), NOW)
    assert desk.band() == "medium"


def test_overrides_are_counted_by_agency_and_triage_is_none(desk: Desk) -> None:
    desk.save(dash(3, Band.HIGH))
    desk.save(dash(12), replaces=1)
    desk.judge(Band.HIGH, 1)
    lines = band_overrides.see(
        desk.office.database.sessions, desk.office.scope(Role.SUPERVISOR), NOW
    ).overrides
    assert [(each.agency, each.assessments, each.raised) for each in lines] == [
        ("IDVA service", 2, 1), ("Probation", 1, 1),
    ]  # fmt: skip
    assert lines[0].rate == 0.5


def test_each_move_of_a_band_is_counted_once_and_escalations_come_first(desk: Desk) -> None:
    desk.save(dash(3))
    desk.judge(Band.MEDIUM, 1)
    desk.judge(Band.HIGH, 2)
    desk.judge(Band.HIGH, 3, "Police")
    moves = band_overrides.see(
        desk.office.database.sessions, desk.office.scope(Role.SUPERVISOR), NOW
    ).moves
    assert moves == [(Band.MEDIUM, Band.HIGH, 1), (Band.HIGH, Band.MEDIUM, 1)]


def test_needs_are_kept_in_versions_and_never_incomplete(desk: Desk) -> None:
    sessions, scope = desk.office.database.sessions, desk.office.scope(Role.IDVA)
    answers = {item.id: Evidence("none") for item in form("needs").items()}
    answers["alcohol"] = Evidence("much", "three tests", "Probation", TODAY)
    wanted = Needs("1", answers, "Alcohol first", by())
    assessments.save_needs(sessions, scope, "W-1", wanted, replaces=0, now=NOW)
    needs = desk.see(Role.DUTY_OFFICER).needs
    assert needs is not None
    first = assessment_forms.areas_of_need(form("needs"), needs.body.answers)[0]
    assert (first.item.id, first.score, first.evidence.what) == ("alcohol", 2, "three tests")
    del answers["work"]
    with pytest.raises(Incomplete):
        assessments.save_needs(
            sessions, scope, "W-1", Needs("1", answers, "", by()), replaces=1, now=NOW
        )


def test_a_score_keeps_the_table_that_it_was_made_with(desk: Desk) -> None:
    sessions, scope = desk.office.database.sessions, desk.office.scope(Role.SUPERVISOR)
    inputs = RfgvInputs(TODAY, TODAY - timedelta(days=45), 6, "injury", 2)
    given = {"agency": "Police", "evidence": "police records", "now": NOW}
    made = rfgv_scores.save(sessions, scope, "W-1", inputs, replaces=0, **given)
    assert (made.score, made.weights) == (73.5, "2026-11")
    held = rfgv_scores.see_weights(sessions, scope, "west")
    share = {"recency": 1.0, "frequency": 0.0, "gravity": 0.0, "victims": 0.0}
    own = msgspec.structs.replace(held.weights, version="ours", share=share)
    rfgv_scores.save_weights(sessions, scope, "west", own, replaces=0, reason="a trial", now=NOW)
    assert desk.see().rfgv.body.score == 73.5
    again = rfgv_scores.save(sessions, scope, "W-1", inputs, replaces=1, **given)
    assert (again.score, again.weights) == (75.0, "ours")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("She lives at 14 Fletching Row now", "Take out the street address"),
        ("seen at 14b fletching row", "Take out the street address"),
        ("Met at 3 Isle of Man Road", "Take out the street address"),
        ("She is at 1 The Close", "Take out the street address"),
        ("Now at 12 Mill Court", "Take out the street address"),
        ("Now near CH1 2HU", "Take out the postcode"),
        ("ring 07700 900199 at night", "Take out the telephone number"),
        ("She went to a refuge", "Take out the refuge"),
    ],
)
def test_where_somebody_lives_is_found_in_a_text(text: str, found: str) -> None:
    assert str(private_text.fault(text)).startswith(found)


@pytest.mark.parametrize(
    "text",
    [
        "At the Cross on 18 November, 3 times in 2 weeks", "PNC 12/0123456A, since 2 March 2026",
        "He missed 3 in a row", "The 5 sessions took place", "2 days before court",
        "On 12 November at Chester Crown Court", "On 12 November the court adjourned",
        "At 10 he went to court", "5 minutes late on his way",
    ],
)  # fmt: skip
def test_other_numbers_may_stand_in_a_text(text: str) -> None:
    assert private_text.fault(text) is None
