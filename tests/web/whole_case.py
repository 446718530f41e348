"""A case of cost and benefit that is whole, as a supervisor would enter it by the forms."""

from web.world import Visitor, words_of

from navigate_safer.people.cost_book import Kind
from navigate_safer.people.cost_seeds import SHIPPED
from navigate_safer.web import cost_forms

WHY = {"reason": "The board of 12 November asked for it"}
ASSUMPTIONS = cost_forms.form_of_entry(SHIPPED.assumptions, Kind.ASSUMPTIONS)
ARRESTS = {
    "ref": "arrests", "unit_cost": "arrest", "kind": "fiscal", "agency": "Police",
    "baseline": "1.7", "effect": "20", "drop_off": "0", "cashable": "0", "source": "PNC",
}  # fmt: skip
INCIDENTS = ARRESTS | {
    "ref": "incidents", "unit_cost": "incident", "kind": "social", "baseline": "4",
}  # fmt: skip
COST = {
    "ref": "scheme", "service": "Navigate", "agency": "Council", "nature": "preventive",
    "items": "Four workers: £160,000\nPrograms : 40000", "stated_total": "200,000",
    "first_year": "1", "last_year": "30", "source": "Budget",
}  # fmt: skip


def a_whole_case(supervisor: Visitor) -> None:
    entries = (
        ("assumptions/assumptions", ASSUMPTIONS | {"cohort": "156", "replaces": "0"}),
        ("benefit/new", ARRESTS),
        ("benefit/new", INCIDENTS | {"net": "yes"}),
        ("cost/new", COST),
    )
    for path, form in entries:
        answer = supervisor.post(f"/outcomes/cost/{path}", **form, **WHY)
        assert answer.status_code == 302, words_of(answer)
