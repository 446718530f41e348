"""Who is told through a policy, a rota and a role, and what a silence or a gateway holds back."""

from datetime import date, time, timedelta

import msgspec
import pytest
from case_files import INSIDE, OUTSIDE, walk
from sqlalchemy import select, update
from watch import VOICE, Watch

from alerts.finding import FindingKind, Severity
from alerts.policy import Channel, Policy, Step, Target
from alerts.rota import Layer
from navigate_safer.db.alerting import AlertHistoryRow, AlertRow, TextRow
from navigate_safer.db.people import AreaRow, GatewayRow, StaffRow, WearerRow
from navigate_safer.db.telling import PolicyRow, RotaChangeRow, RotaRow, SilenceRow
from navigate_safer.services import alerting, telling

ALL = frozenset(Severity)


def add(watch: Watch, *rows):
    with watch.sessions.begin() as session:
        session.add_all(rows)
        session.flush()
        return [row.id for row in rows]


def staff(watch: Watch, ref: str) -> int:
    return watch.database.one(StaffRow, StaffRow.ref == ref).id


def area(watch: Watch, ref: str = "west") -> int:
    return watch.database.one(AreaRow, AreaRow.ref == ref).id


def policy(watch: Watch, *steps: Step, number: int = 1, **changed) -> None:
    body = Policy(number=number, version=1, name="nights", severities=ALL, steps=steps, **changed)
    row = PolicyRow(
        number=number, version=1, body=msgspec.to_builtins(body), active=True,
        made_at=watch.clock(), reason="tried out",
    )  # fmt: skip
    add(watch, row)


def rota(watch: Watch, *people: str) -> int:
    layer = Layer(
        people=tuple(staff(watch, each) for each in people),
        starts_on=date(2026, 11, 2), handover=time(9), turn_days=7,
    )  # fmt: skip
    row = RotaRow(
        ref="r-1", name="West nights", area_id=area(watch), timezone="Europe/London",
        layers=[msgspec.to_builtins(layer)], version=1, active=True,
    )  # fmt: skip
    return add(watch, row)[0]


def breach(watch: Watch) -> AlertRow:
    watch.hear(*walk("TAG-1", OUTSIDE, INSIDE))
    return watch.database.one(AlertRow)


def told(watch: Watch) -> list[tuple[str, str]]:
    refs = {row.id: row.ref for row in watch.database.all(StaffRow)}
    rows = sorted(watch.database.all(TextRow), key=lambda each: each.step)
    return [(refs[row.staff_id], row.channel) for row in rows]


def history(watch: Watch) -> list[str]:
    rows = sorted(watch.database.all(AlertHistoryRow), key=lambda each: each.id)
    return [row.move for row in rows]


def on(rota_id: int, **changed) -> Step:
    return Step(target=Target.ROTA, rota_id=rota_id, answer_within_s=120, **changed)


OFFICERS = Step(target=Target.ROLE, role="duty_officer", answer_within_s=300)


def test_without_a_policy_everybody_is_told_one_after_the_other(watch):
    assert breach(watch).plan["policy"] == "built in"
    watch.clock.forward(seconds=121)
    watch.escalate()
    assert told(watch) == [("off-1", "sms"), ("off-2", "sms")]


def test_the_policy_of_the_alert_s_area_and_kind_is_kept_in_it(watch):
    policy(watch, OFFICERS, number=1)
    policy(watch, on(rota(watch, "off-2")), number=2, area_id=area(watch))
    alert = breach(watch)
    assert alert.plan["policy"] == "nights (2.1)"
    assert told(watch) == [("off-2", "sms")]


def test_a_policy_that_is_edited_changes_no_alert_that_is_out(watch):
    policy(watch, Step(staff_id=staff(watch, "off-1"), answer_within_s=120), OFFICERS)
    breach(watch)
    with watch.sessions.begin() as session:
        session.execute(update(PolicyRow).values(active=False))
    watch.clock.forward(seconds=121)
    watch.escalate()
    assert told(watch) == [("off-1", "sms"), ("off-1", "sms"), ("off-2", "sms")]


def test_who_is_on_duty_is_asked_when_the_step_is_due(watch):
    """The alert opens in one turn and its second step is due in the next."""
    number = rota(watch, "off-1")
    policy(watch, on(number), on(number))
    breach(watch)
    start = watch.clock()
    row = RotaChangeRow(
        rota_id=number, kind="override", from_at=start + timedelta(seconds=60),
        until_at=start + timedelta(hours=8), staff_id=staff(watch, "off-2"), reason="relief",
        made_at=start,
    )  # fmt: skip
    add(watch, row)
    watch.clock.forward(seconds=121)
    watch.escalate()
    assert told(watch) == [("off-1", "sms"), ("off-2", "sms")]


@pytest.mark.parametrize(
    ("agreed", "who"),
    [pytest.param(False, "off-1", id="asked for"), pytest.param(True, "off-2", id="agreed")],
)
def test_a_swap_counts_once_the_other_has_agreed(watch, agreed, who):
    number = rota(watch, "off-1")
    policy(watch, on(number))
    now = watch.clock()
    row = RotaChangeRow(
        rota_id=number, kind="swap", from_at=now - timedelta(hours=1),
        until_at=now + timedelta(hours=8), staff_id=staff(watch, "off-1"),
        taken_by=staff(watch, "off-2"), reason="wedding", made_at=now,
        agreed_at=now if agreed else None,
    )  # fmt: skip
    add(watch, row)
    breach(watch)
    assert told(watch) == [(who, "sms")]


def test_a_gap_in_the_rota_falls_to_the_supervisor(watch):
    number = rota(watch, "off-3")  # who works in another area
    policy(watch, on(number))
    breach(watch)
    assert told(watch) == [("sup-1", "sms")]


def test_a_step_that_reaches_nobody_is_noted_and_the_next_is_taken_at_once(watch):
    nobody = Step(staff_id=staff(watch, "off-1"), channel=Channel.EMAIL, answer_within_s=300)
    policy(watch, nobody, OFFICERS)
    breach(watch)
    assert told(watch) == [("off-1", "sms"), ("off-2", "sms")]
    assert history(watch) == ["opened", "not_told", "told", "told"]


def test_a_number_that_was_never_verified_is_not_used(watch):
    with watch.sessions.begin() as session:
        session.execute(
            update(StaffRow).where(StaffRow.ref == "off-1").values(phone_verified_at=None)
        )
    breach(watch)
    assert told(watch) == [("off-2", "sms")]


# Silences


def silence(watch: Watch, *, approved: bool = True, hours: float = 1, **about) -> int:
    now = watch.clock()
    subject = about or {"wearer_id": watch.database.one(WearerRow, WearerRow.ref == "W-1").id}
    row = SilenceRow(
        kind="silence", from_at=now - timedelta(minutes=1), until_at=now + timedelta(hours=hours),
        author_id=staff(watch, "off-1"), made_at=now, reason="being_dealt_with",
        words="a unit is with him", area_id=area(watch),
        approved_by=staff(watch, "sup-1") if approved else None, **subject,
    )  # fmt: skip
    return add(watch, row)[0]


def test_a_breach_under_a_silence_opens_its_alert_and_tells_nobody_yet(watch):
    number = silence(watch)
    alert = breach(watch)
    assert (alert.state, alert.silence_id, told(watch)) == ("open", number, [])
    assert history(watch) == ["opened", "silenced"]


def test_what_is_still_going_on_when_the_silence_ends_is_told(watch):
    silence(watch)
    breach(watch)
    watch.clock.forward(hours=1)
    watch.escalate()
    assert told(watch) == [("off-1", "sms")]
    assert "no_longer_held" in history(watch)


def test_what_was_over_when_the_silence_ended_stays_on_the_board_untold(watch):
    silence(watch)
    watch.hear(*walk("TAG-1", OUTSIDE, INSIDE, OUTSIDE, OUTSIDE))
    watch.clock.forward(hours=1)
    watch.escalate()
    assert told(watch) == []
    assert watch.database.one(AlertRow).state == "open"


def test_a_silence_of_one_person_alone_mutes_no_zone(watch):
    silence(watch, approved=False)
    breach(watch)
    assert told(watch) == [("off-1", "sms")]


# A gateway that is down, and the service itself


@pytest.fixture
def gateway_down(watch):
    with watch.sessions.begin() as session:
        gateway = session.scalars(select(GatewayRow).where(GatewayRow.ref == "gw-west")).one()
        gateway.online = False
        return telling.gateway_part(gateway.id)


def tell_of(watch: Watch, part: str, severity: Severity = Severity.HIGH) -> None:
    with watch.sessions.begin() as session:
        alerting.open_service_alert(
            session, part, severity, watch.clock(), VOICE, "the gateway says that it is away"
        )


def silent_tag(watch: Watch) -> AlertRow:
    watch.hear(*walk("TAG-1", OUTSIDE))
    watch.clock.forward(minutes=20)
    watch.look_for_silence()
    with watch.sessions() as session:
        query = (
            select(AlertRow)
            .join(WearerRow, WearerRow.id == AlertRow.wearer_id)
            .where(WearerRow.ref == "W-1")
        )
        rows = [
            row
            for row in session.scalars(query)
            if telling.kind_of(session, row) is FindingKind.SILENCE
        ]
    return rows[-1]


def texts_of(watch: Watch, alert: AlertRow) -> int:
    return len(watch.database.all(TextRow, TextRow.alert_id == alert.id))


def test_the_silence_of_a_device_is_part_of_its_gateway_s_failure(watch, gateway_down):
    tell_of(watch, gateway_down)
    alert = silent_tag(watch)
    assert (alert.grouped_gateway_id is not None, texts_of(watch, alert)) == (True, 0)


def test_a_gateway_that_nobody_was_told_of_speaks_for_nothing(watch, gateway_down):
    assert texts_of(watch, silent_tag(watch)) == 1


def test_a_device_that_stays_silent_after_its_gateway_is_back_is_told(watch, gateway_down):
    tell_of(watch, gateway_down)
    alert = silent_tag(watch)
    with watch.sessions.begin() as session:
        session.execute(update(GatewayRow).values(online=True))
        alerting.end_service_alert(session, gateway_down, watch.clock(), "it is back")
    watch.clock.forward(minutes=2)
    watch.escalate()
    assert texts_of(watch, alert) == 1


def test_a_breach_of_a_zone_is_told_whatever_the_gateway_says(watch, gateway_down):
    tell_of(watch, gateway_down)
    watch.hear(*walk("TAG-1", OUTSIDE, INSIDE))
    assert ("off-1", "sms") in told(watch)


def test_a_part_of_the_service_has_one_live_alert_that_resolves_itself(watch):
    tell_of(watch, "worker:ingest")
    tell_of(watch, "worker:ingest")
    alert = watch.database.one(AlertRow)
    assert (alert.wearer_id, alert.episode_id, alert.part) == (None, None, "worker:ingest")
    with watch.sessions.begin() as session:
        assert alerting.end_service_alert(session, "worker:ingest", watch.clock(), "runs again")
        assert not alerting.end_service_alert(session, "worker:ingest", watch.clock(), "again")
    assert watch.database.one(AlertRow).state == "resolved"
    tell_of(watch, "worker:ingest")
    assert len(watch.database.all(AlertRow)) == 2


def test_a_fault_of_the_service_that_gets_worse_is_told_again(watch):
    tell_of(watch, "disk", Severity.MEDIUM)
    tell_of(watch, "disk", Severity.CRITICAL)
    alert = watch.database.one(AlertRow)
    assert (alert.severity, "worse" in history(watch)) == ("critical", True)
