"""What a supervisor reads of the burden, and how long the oldest alert has waited on the board."""

from web.world import World, words_of

from alerts.finding import FindingKind


def test_the_page_counts_what_was_opened_answered_confirmed_and_sent(world: World):
    officer = world.visitor("duty")
    alert = f"/alerts/{world.reference(FindingKind.EXCLUSION_BREACH)}"
    officer.post(f"{alert}/acknowledge")
    officer.post(f"{alert}/resolve", outcome="breach_confirmed")
    shown = words_of(world.visitor("supervisor").get("/burden"))
    assert "Alerts 9, 0.3 a day" in shown
    assert "Confirmed 1 of 1 judged" in shown
    assert "Duty Ashworthy" in shown
    assert "Rookery Cross exclusion" in shown
    assert "Crewe market" not in shown, "of the east"
    world.clock.forward(days=8)
    assert "No alert was opened" in words_of(world.visitor("supervisor").get("/burden?days=7"))
    assert world.visitor("supervisor").get("/burden?days=x").status_code == 200
    assert "burden of alerts" in [row.what for row in world.log()]


def test_the_board_says_since_when_the_oldest_has_waited(world: World):
    first = world.alert(world.reference(FindingKind.EXCLUSION_BREACH))
    assert "The oldest has waited since 21:01:02" in words_of(world.visitor("duty").get("/board"))
    world.visitor("duty").post(f"/alerts/{first.reference}/acknowledge")
    assert "The oldest has waited since" in words_of(world.visitor("duty").get("/board"))


def test_alerts_that_stayed_open_for_days_are_counted_in_days(world: World):
    reference = world.reference(FindingKind.EXCLUSION_BREACH)
    world.clock.forward(days=6)
    officer = world.visitor("duty")
    officer.post(f"/alerts/{reference}/acknowledge")
    officer.post(f"/alerts/{reference}/resolve", outcome="breach_confirmed")
    assert "Time to resolve median 6.0 days" in words_of(world.visitor("supervisor").get("/burden"))
