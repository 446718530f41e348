"""The pages about who is told in a real browser: accessible, fitting, and usable by keyboard."""

from collections.abc import Iterator

import msgspec
import pytest
from playwright.sync_api import Browser, expect
from web.browsing import DESK, check_accessible, check_at_both_widths, tab_to, visit_as
from web.on_call import policy_of, rota_of, silence_of
from web.test_browser import browser, served
from web.world import World

from alerts.finding import FindingKind
from alerts.policy import Policy
from navigate_safer.db.answering import TickRow
from navigate_safer.db.telling import PolicyRow, RotaChangeRow, RotaRow, SilenceRow

__all__ = ["browser"]

PAGES = [
    pytest.param("duty", "/silences", id="silences"),
    pytest.param("supervisor", "/silences/{silence}", id="silence to approve"),
    pytest.param("supervisor", "/policies?at=2026-11-25T03:00&for_area=1&severity=critical"
                 "&kind=exclusion_breach", id="policies with a preview"),
    pytest.param("supervisor", "/policies/{policy}", id="policy"),
    pytest.param("duty", "/rotas", id="rotas"),
    pytest.param("supervisor", "/rotas/{rota}", id="rota"),
    pytest.param("supervisor", "/rotas/{rota}/layers", id="layers of a rota"),
    pytest.param("supervisor", "/burden", id="burden"),
    pytest.param("idva", "/alerts/{alert}", id="playbook, to the IDVA"),
    pytest.param("duty", "/account", id="own account"),
]  # fmt: skip


@pytest.fixture
def address(world: World) -> Iterator[str]:
    yield from served(world)


@pytest.fixture(scope="module")
def shared_address(shared_world: World) -> Iterator[str]:
    yield from served(shared_world)


def filled(path: str, world: World) -> str:
    made = {
        "silence": silence_of, "policy": policy_of, "rota": rota_of,
        "alert": lambda each: each.reference(FindingKind.EXCLUSION_BREACH),
    }  # fmt: skip
    for name, make in made.items():
        if f"{{{name}}}" in path:
            path = path.replace(f"{{{name}}}", make(world))
    return path


@pytest.mark.parametrize(("account", "path"), PAGES)
def test_a_page_is_accessible_and_fits(
    browser: Browser, shared_world: World, shared_address: str, account: str, path: str
) -> None:
    visit = visit_as(browser, shared_world, shared_address, account, DESK)
    page = visit.go(filled(path, shared_world))
    assert page.locator("h1").count() == 1
    check_at_both_widths(visit)
    page.context.close()


@pytest.mark.parametrize(
    ("path", "button", "first"),
    [
        ("/silences", "Make the silence", "Select what it is about"),
        ("/policies/new", "Make the policy", "Select at least one severity"),
        ("/rotas/new", "Save the rota", "Enter who takes turns"),
        ("/account", "Send a code", "Enter a mobile number"),
    ],
)
def test_a_form_with_errors_takes_the_focus_and_is_accessible(
    browser: Browser, world: World, address: str, path: str, button: str, first: str
) -> None:
    visit = visit_as(browser, world, address, "supervisor")
    page = visit.go(path)
    page.get_by_role("button", name=button).first.click()
    link = page.locator(".govuk-error-summary").get_by_role("link", name=first)
    link.wait_for()
    expect(page.locator(".govuk-error-summary")).to_be_focused()
    link.click()
    assert page.evaluate("document.activeElement.matches('input, select')")
    check_accessible(page)
    page.context.close()


def test_a_silence_is_made_and_approved_without_a_mouse(
    browser: Browser, world: World, address: str
) -> None:
    visit = visit_as(browser, world, address, "duty")
    page = visit.go("/silences")
    tab_to(page, "subject")
    page.keyboard.press("Space")
    tab_to(page, "ref")
    page.keyboard.type("W-EXC")
    tab_to(page, "kind")
    page.keyboard.press("Space")
    tab_to(page, "hours")
    page.keyboard.type("2")
    tab_to(page, "reason")
    page.keyboard.type("Being")
    tab_to(page, "words")
    page.keyboard.type("a unit is with him")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    tab_to(page, "Make the silence")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Breaches of zones are still told").wait_for()
    page.context.close()

    visit = visit_as(browser, world, address, "supervisor")
    page = visit.go(f"/silences/{world.database.one(SilenceRow).id}")
    tab_to(page, "Approve: I have looked at the reason")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("You have approved the silence")
    page.context.close()


def test_a_step_is_ticked_without_a_mouse(browser: Browser, world: World, address: str) -> None:
    reference = world.reference(FindingKind.EXCLUSION_BREACH)
    visit = visit_as(browser, world, address, "duty")
    page = visit.go(f"/alerts/{reference}")
    tab_to(page, "said-call_wearer")
    page.keyboard.type("he is leaving")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("The step is recorded")
    assert world.database.one(TickRow).words == "he is leaving"
    page.context.close()


def test_a_step_is_taken_back_without_a_mouse(browser: Browser, world: World, address: str) -> None:
    reference = world.reference(FindingKind.EXCLUSION_BREACH)
    world.visitor("duty").post(f"/alerts/{reference}/step", key="look", said="")
    visit = visit_as(browser, world, address, "duty")
    page = visit.go(f"/alerts/{reference}")
    page.locator("summary", has_text="Take back").focus()
    page.keyboard.press("Enter")
    tab_to(page, "why-look")
    check_accessible(page)
    page.keyboard.press("Enter")
    page.locator(".govuk-error-summary").wait_for()
    check_accessible(page)
    tab_to(page, "why-look")
    page.keyboard.type("not looked yet")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("The step is taken back")
    assert world.database.one(TickRow).undone_why == "not looked yet"
    page.context.close()


def test_a_policy_is_made_and_previewed_without_a_mouse(
    browser: Browser, world: World, address: str
) -> None:
    visit = visit_as(browser, world, address, "supervisor")
    page = visit.go("/policies")
    tab_to(page, "Make a policy")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="New escalation policy").wait_for()
    tab_to(page, "name")
    page.keyboard.type("Nights")
    tab_to(page, "severities")
    page.keyboard.press("Space")
    tab_to(page, "who_1")
    page.keyboard.press("ArrowDown")
    tab_to(page, "minutes_1")
    page.keyboard.type("2")
    tab_to(page, "reason")
    page.keyboard.type("officers first")
    tab_to(page, "Make the policy")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("The policy is in force")
    kept = msgspec.convert(world.database.one(PolicyRow).body, Policy)
    assert [(each.role, each.answer_within_s) for each in kept.steps] == [("duty_officer", 120)]
    tab_to(page, "Escalation policies")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Who would be told?").wait_for()
    tab_to(page, "Show who would be told", most=60)
    page.keyboard.press("Enter")
    expect(page.get_by_role("table", name="By the policy: Nights")).to_contain_text(
        "Duty Ashworthy"
    )
    check_accessible(page)
    page.context.close()


def test_a_policy_is_taken_out_of_force_without_a_mouse(
    browser: Browser, world: World, address: str
) -> None:
    number = policy_of(world)
    visit = visit_as(browser, world, address, "supervisor")
    page = visit.go(f"/policies/{number}")
    tab_to(page, "why_not", most=80)
    page.keyboard.type("the trial is over")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("The policy is out of force")
    assert not any(row.active for row in world.database.all(PolicyRow))
    page.context.close()


def test_a_rota_is_made_and_overridden_without_a_mouse(
    browser: Browser, world: World, address: str
) -> None:
    visit = visit_as(browser, world, address, "supervisor")
    page = visit.go("/rotas/new")
    for field, typed in (
        ("ref", "nights"),
        ("name", "Nights"),
        ("people_1", "duty, duty-2"),
        # As the parts of the field are typed one after the other, whichever of them comes first.
        ("starts_on_1", "11022026"),
        ("handover_1", "0900AM"),
        ("turn_days_1", "7"),
        ("reason", "winter"),
    ):
        tab_to(page, field, most=200)
        page.keyboard.type(typed)
    tab_to(page, "Save the rota")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Nights").first.wait_for()
    assert world.database.one(RotaRow).ref == "nights"
    tab_to(page, "over_who", most=80)
    page.keyboard.press("ArrowDown")
    for field in ("over_from", "over_until"):
        tab_to(page, field)
        page.keyboard.type("11252026")
        page.keyboard.press("ArrowRight")
        page.keyboard.type("0900AM" if field == "over_from" else "0900PM")
    tab_to(page, "over_reason")
    page.keyboard.type("he is ill")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_be_visible()
    assert world.database.one(RotaChangeRow).reason == "he is ill"
    check_accessible(page)
    page.context.close()


def test_an_alert_is_opened_again_without_a_mouse(
    browser: Browser, world: World, address: str
) -> None:
    reference = world.reference(FindingKind.EXCLUSION_BREACH)
    world.visitor("duty").post(f"/alerts/{reference}/resolve", outcome="false_alarm")
    visit = visit_as(browser, world, address, "duty")
    page = visit.go(f"/alerts/{reference}")
    tab_to(page, "Open the alert again", most=80)
    page.keyboard.press("Enter")
    page.locator(".govuk-error-summary").wait_for()
    check_accessible(page)
    tab_to(page, "reopening", most=80)
    page.keyboard.type("he was seen there")
    tab_to(page, "Open the alert again")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("The alert is open again")
    assert world.alert(reference).state == "open"
    page.context.close()
