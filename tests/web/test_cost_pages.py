"""Cost and benefit on the page: who changes what, in versions, and what is refused."""

import pytest
from sqlalchemy import select
from web.whole_case import ARRESTS, ASSUMPTIONS, COST, INCIDENTS, WHY, a_whole_case
from web.world import HOSTILE, World, words_of

from navigate_safer.db.audit import AuditRow
from navigate_safer.db.costs import CostEntryRow


def test_before_anybody_has_entered_anything_the_page_says_what_is_missing(
    quiet_world: World,
) -> None:
    words = words_of(quiet_world.visitor("manager").get("/outcomes/cost"))
    assert "Cannot be estimated: The size of the cohort is not stated" in words
    assert "Savings of the perpetrator package not stated" in words
    assert "£13,160 for one incident; scope: national average" in words
    assert "period: not stated" in words
    assert "Add a benefit" not in words, "only supervisors change the book"


def test_a_whole_case_shows_its_result_with_and_without_deductions(quiet_world: World) -> None:
    supervisor = quiet_world.visitor("supervisor")
    a_whole_case(supervisor)
    page = supervisor.get("/outcomes/cost")
    words = words_of(page)
    for part in (
        "Without, discounted", "With, discounted", "Economic benefit",
        "no finding that the programme worked", "These pay more than they get: Council",
        "What moves the result most", "adds up", "£10,610.00",
    ):  # fmt: skip
        assert part in words, part
    assert page.text.count("<svg") >= 1
    # 156 x 1.7 arrests, a fifth avoided at £6,000, for £200,000 a year; then 0.7 x 0.85 / 1.1.
    assert "Fiscal return on each pound 1.59 1.59 0.86 0.86" in words


def test_a_double_count_is_refused_in_the_form_with_its_explanation(quiet_world: World) -> None:
    supervisor = quiet_world.visitor("supervisor")
    a_whole_case(supervisor)
    both = INCIDENTS | {"replaces": "1", **WHY}
    page = supervisor.post("/outcomes/cost/benefit/incidents", **both)
    assert page.status_code == 422
    words = words_of(page)
    assert "Error: " in page.text.split("</title>")[0]
    assert "The £13,160 of one incident" in words
    assert "the same pounds would count twice" in words
    assert "£6,000 × 0.425 = £10,610.00" in words


def test_each_change_is_a_version_with_author_and_reason_and_the_old_result_can_be_seen(
    quiet_world: World,
) -> None:
    supervisor = quiet_world.visitor("supervisor")
    a_whole_case(supervisor)
    before = quiet_world.clock()
    quiet_world.clock.forward(seconds=60)
    form = ASSUMPTIONS | {"cohort": "100", "replaces": "1", "reason": "Fewer are left"}
    assert supervisor.post("/outcomes/cost/assumptions/assumptions", **form).status_code == 302
    words = words_of(supervisor.get("/outcomes/cost/assumptions/assumptions"))
    assert "Version 2 by Supervisor Ashworthy" in words
    assert "Fewer are left. People in the cohort: 100" in words
    now = words_of(supervisor.get("/outcomes/cost"))
    then = words_of(supervisor.get("/outcomes/cost", query_string={"known": before.isoformat()}))
    assert "Fiscal return on each pound 1.02" in now
    assert "Fiscal return on each pound 1.59" in then
    (entry, *_) = quiet_world.database.all(AuditRow, AuditRow.what == "cost entry")
    assert entry.subject_kind == "costs"
    assert "Fewer" not in repr(entry.detail)


def test_a_form_that_somebody_has_overtaken_is_refused(quiet_world: World) -> None:
    first, second = quiet_world.visitor("supervisor"), quiet_world.visitor("supervisor")
    form = ASSUMPTIONS | {"replaces": "0", **WHY}
    assert first.post("/outcomes/cost/assumptions/assumptions", **form).status_code == 302
    late = second.post("/outcomes/cost/assumptions/assumptions", **form)
    assert late.status_code == 422
    assert "Somebody has changed this since you opened it" in words_of(late)
    assert quiet_world.database.count(CostEntryRow) == 1


def test_what_is_in_use_stays_and_what_is_taken_out_keeps_its_versions(quiet_world: World) -> None:
    supervisor = quiet_world.visitor("supervisor")
    a_whole_case(supervisor)
    used = supervisor.post("/outcomes/cost/unit-cost/arrest/remove", why_not="old", replaces="0")
    assert "It is used by arrests, incident, victim: change these first" in words_of(used)
    gone = supervisor.post("/outcomes/cost/benefit/arrests/remove", why_not="old", replaces="1")
    assert gone.status_code == 302
    words = words_of(supervisor.get("/outcomes/cost/benefit/arrests"))
    assert "It is out of force" in words
    assert "Version 2, taken out of force" in words


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        pytest.param({"effect": "200"}, "Enter a number from -1,000 to 100", id="more than all"),
        pytest.param({"effect": "nan"}, "Enter a number such as 12.5", id="not a number"),
        pytest.param({"baseline": "1e400"}, "Enter a number such as 12.5", id="infinity"),
        pytest.param({"ref": "Two Words"}, "Enter a short name of small letters", id="a bad name"),
        pytest.param({"effect": "0,5"}, "with a point: 0.5", id="a comma as the point"),
        pytest.param({"unit_cost": "gold"}, "Select a unit cost that is in the book", id="unknown"),
        pytest.param({"kind": "magic"}, "Select: kind", id="no such kind"),
        pytest.param({"source": " "}, "Enter: source", id="no source"),
        pytest.param({"signed_by": "A"}, "Enter the day on which", id="signed, and no day"),
        pytest.param({"kind": "social", "cashable": "5"}, "Only a fiscal benefit", id="cashable"),
        pytest.param({"reason": ""}, "Enter why", id="no reason"),
        pytest.param({"agency": "x" * 300}, "agency", id="too long"),
    ],
)
def test_a_form_that_cannot_be_kept_says_what_to_do(
    shared_world: World, changed: dict[str, str], told: str
) -> None:
    page = shared_world.visitor("supervisor").post(
        "/outcomes/cost/benefit/new", **(ARRESTS | WHY | changed)
    )
    assert page.status_code == 422
    assert told in words_of(page)
    assert shared_world.database.count(CostEntryRow) == 0


def test_words_of_the_book_are_words_on_every_page(quiet_world: World) -> None:
    supervisor = quiet_world.visitor("supervisor")
    a_whole_case(supervisor)
    form = COST | {"ref": "bad", "service": HOSTILE, "items": f"{HOSTILE}: 5", "stated_total": ""}
    assert supervisor.post("/outcomes/cost/cost/new", **form, **WHY).status_code == 302
    for path in ("/outcomes/cost", "/outcomes/cost/cost/bad", "/outcomes/pack?tier=steering"):
        page = supervisor.get(path)
        assert page.status_code == 200
        assert "<script>alert" not in page.text, path
    assert supervisor.get("/outcomes/pack.pdf?tier=steering").data.startswith(b"%PDF-")


def test_an_entry_that_is_not_there_is_not_found(shared_world: World) -> None:
    supervisor = shared_world.visitor("supervisor")
    for path in ("magic/new", "benefit/nothing", "unit-cost/nothing"):
        assert supervisor.get(f"/outcomes/cost/{path}").status_code == 404
    made = supervisor.post("/outcomes/cost/benefit/nothing", **ARRESTS, **WHY, replaces="0")
    assert made.status_code == 404
    with shared_world.database.sessions() as session:
        assert session.scalars(select(CostEntryRow)).all() == []
