"""Silences, rotas, policies, playbooks, contacts and burden on both databases."""

from datetime import date, timedelta

import pytest
from case_files import INSIDE, OUTSIDE, walk
from decided import withdraw
from sqlalchemy import select
from watch import VOICE, Watch

from alerts.finding import FindingKind, Severity
from alerts.policy import Channel, Step, Target
from alerts.rota import Layer
from alerts.rota_problems import ProblemKind
from alerts.silences import Reason, SilenceKind
from navigate_safer.db import invariants
from navigate_safer.db.alerting import AlertRow, EpisodeRow, TextRow
from navigate_safer.db.answering import ContactCodeRow, TickRow
from navigate_safer.db.people import AreaRow, StaffRow
from navigate_safer.db.telling import RotaRow
from navigate_safer.people.access import Forbidden, Scope
from navigate_safer.services import (
    accounts,
    burden,
    contacts,
    playbook,
    policies,
    policy_preview,
    rota_changes,
    rota_watch,
    rotas,
    silencing,
    stopped,
)
from navigate_safer.services.contacts import ContactKind
from navigate_safer.services.silencing import CannotSilence, Wanted


def scope(watch: Watch, ref: str) -> Scope:
    with watch.sessions() as session:
        return accounts.scope_of(session, watch.database.one(StaffRow, StaffRow.ref == ref))


def breach(watch: Watch) -> AlertRow:
    watch.hear(*walk("TAG-1", OUTSIDE, INSIDE))
    return watch.database.one(AlertRow)


def hush(watch: Watch, who: str = "off-1") -> int:
    now = watch.clock()
    wanted = Wanted(
        kind=SilenceKind.SILENCE, subject="wearer", ref="W-1", kinds=None, from_at=now,
        until_at=now + timedelta(hours=2), reason=Reason.IN_CUSTODY, words="in the cells",
    )  # fmt: skip
    return silencing.make(watch.sessions, scope(watch, who), wanted, now)


def texts(watch: Watch) -> int:
    return watch.database.count(TextRow)


def test_a_silence_holds_back_hides_nothing_and_is_told_at_its_early_end(watch):
    number = hush(watch)
    supervisor = scope(watch, "sup-1")
    with pytest.raises(CannotSilence, match="Somebody else"):
        silencing.approve(watch.sessions, scope(watch, "off-1"), number, watch.clock())
    assert silencing.approve(watch.sessions, supervisor, number, watch.clock())
    alert = breach(watch)
    page = silencing.see(watch.sessions, supervisor, number, watch.clock())
    assert [each.reference for each in page.hidden] == [alert.reference]
    # The tag had been silent until then, which the same silence was about.
    seen = [each.kind for each in page.meanwhile]
    assert seen == [FindingKind.SILENCE.value, FindingKind.EXCLUSION_BREACH.value]
    assert (texts(watch), page.line.hidden) == (0, 1)
    watch.clock.forward(minutes=1)
    assert silencing.end(watch.sessions, supervisor, number, watch.clock())
    assert not silencing.end(watch.sessions, supervisor, number, watch.clock())
    watch.escalate()
    assert texts(watch) == 1
    after = silencing.see(watch.sessions, supervisor, number, watch.clock())
    assert not after.hidden[0].still_held
    assert len(silencing.see_all(watch.sessions, supervisor, watch.clock())) == 1


def test_what_proves_to_be_no_breach_under_a_silence_is_not_told_at_its_end(watch):
    number, supervisor = hush(watch), scope(watch, "sup-1")
    assert silencing.approve(watch.sessions, supervisor, number, watch.clock())
    alert = breach(watch)
    withdraw(watch, watch.database.one(EpisodeRow, EpisodeRow.id == alert.episode_id))
    assert silencing.end(watch.sessions, supervisor, number, watch.clock())
    watch.escalate()
    assert texts(watch) == 0


def make_rota(watch: Watch, **layer) -> str:
    who = watch.database.one(StaffRow, StaffRow.ref == "off-1").id
    area = watch.database.one(AreaRow, AreaRow.ref == "west").id
    draft = rotas.Draft(
        ref="nights", name="Nights", area_id=area, reason="winter",
        layers=(Layer(people=(who,), starts_on=date(2026, 11, 2), **layer),),
    )  # fmt: skip
    rotas.save(watch.sessions, scope(watch, "sup-1"), draft, watch.clock(), new=True)
    return "nights"


def test_a_rota_is_made_watched_and_its_calendar_comes_in_again(watch):
    ref, now = make_rota(watch, until=date(2026, 11, 16)), watch.clock()
    supervisor = scope(watch, "sup-1")
    assert len(rota_watch.look(watch.sessions, now, VOICE)) == 1
    assert watch.database.one(AlertRow).part.startswith("rota:")
    text = rota_changes.calendar(watch.sessions, supervisor, ref, now)
    kept = "\r\n".join(line for line in text.split("\r\n")).replace(
        "NOBODY: gap in the rota", watch.database.one(StaffRow, StaffRow.ref == "off-1").name
    )
    added, known = rota_changes.take_calendar(watch.sessions, supervisor, ref, kept.encode(), now)
    assert (added > 0, known) == (True, 0)
    again = rota_changes.take_calendar(watch.sessions, supervisor, ref, kept.encode(), now)
    assert again == (0, added)
    page = rotas.see(watch.sessions, supervisor, ref, now, now, now + timedelta(days=14))
    assert {each.staff_id for each in page.duties} == {
        watch.database.one(StaffRow, StaffRow.ref == "off-1").id
    }
    with pytest.raises(Forbidden):
        rota_changes.take_calendar(watch.sessions, scope(watch, "off-1"), ref, b"", now)


def test_a_gap_that_nobody_mends_is_told_to_the_supervisor_two_days_before(watch):
    make_rota(watch, until=date(2026, 11, 16))
    rota_watch.look(watch.sessions, watch.clock(), VOICE)
    watch.escalate()
    assert texts(watch) == 0
    watch.clock.forward(days=2)
    rota_watch.look(watch.sessions, watch.clock(), VOICE)
    alert = watch.database.one(AlertRow, AlertRow.part.is_not(None))
    watch.escalate()
    told = watch.database.all(TextRow, TextRow.alert_id == alert.id)
    assert [row.staff_id for row in told] == [scope(watch, "sup-1").staff_id]
    with watch.sessions() as session:
        assert "an open alert was never told and nothing holds it" not in invariants.broken(
            session, watch.clock()
        )


def administrator_with_a_telephone(watch: Watch) -> int:
    with watch.sessions.begin() as session:
        row = session.scalars(select(StaffRow).where(StaffRow.ref == "adm-1")).one()
        row.phone, row.phone_verified_at = "+447700900105", watch.clock()
        return row.id


def test_a_gap_in_a_rota_is_told_to_the_area_s_supervisor_before_any_administrator(watch):
    administrator = administrator_with_a_telephone(watch)
    make_rota(watch, until=date(2026, 11, 16))
    watch.clock.forward(days=2)
    rota_watch.look(watch.sessions, watch.clock(), VOICE)
    alert = watch.database.one(AlertRow, AlertRow.part.is_not(None))
    steps = [each["staff_id"] for each in alert.plan["steps"]]
    assert steps == [scope(watch, "sup-1").staff_id, administrator]


def test_a_muted_telephone_is_told_to_the_officer_s_supervisor_before_any_administrator(watch):
    administrator = administrator_with_a_telephone(watch)
    stopped.tell(watch.sessions, "+447700900101", watch.clock(), VOICE)
    alert = watch.database.one(AlertRow, AlertRow.part.is_not(None))
    steps = [each["staff_id"] for each in alert.plan["steps"]]
    assert steps == [scope(watch, "sup-1").staff_id, administrator]


def rota_policy(watch: Watch, *channels: Channel) -> None:
    """A policy that tells whoever is on duty on the rota, by each channel in turn."""
    rota = watch.database.one(RotaRow).id
    draft = policies.Draft(
        name="Nights", severities=frozenset(Severity), kinds=None,
        area_id=watch.database.one(AreaRow, AreaRow.ref == "west").id, about_service=False,
        steps=tuple(
            Step(target=Target.ROTA, rota_id=rota, channel=each, answer_within_s=300)
            for each in channels
        ),
        reason="first",
    )  # fmt: skip
    policies.save(watch.sessions, scope(watch, "sup-1"), None, draft, watch.clock())


@pytest.mark.parametrize(
    ("channels", "reached"),
    [
        pytest.param((), True, id="no policy names the rota"),
        pytest.param((Channel.EMAIL,), True, id="by the e-mail that is verified"),
        pytest.param((Channel.SMS,), False, id="by texts, without a telephone"),
        pytest.param((Channel.EMAIL, Channel.VOICE), False, id="by e-mail, and then by a call"),
    ],
)
def test_on_a_rota_somebody_must_be_reached_by_the_channels_of_its_policies(
    watch, channels, reached
):
    ref, now = make_rota(watch), watch.clock()
    with watch.sessions.begin() as session:
        officer = session.scalars(select(StaffRow).where(StaffRow.ref == "off-1")).one()
        officer.phone = officer.phone_verified_at = None
        officer.email, officer.email_verified_at = "off-1@example.gov.uk", now
    if channels:
        rota_policy(watch, *channels)
    page = rotas.see(watch.sessions, scope(watch, "sup-1"), ref, now, now, now + timedelta(days=7))
    kinds = {each.kind for each in page.problems}
    assert (ProblemKind.NO_CONTACT not in kinds) is reached


def test_a_policy_is_kept_in_versions_and_previewed(watch):
    supervisor, now = scope(watch, "sup-1"), watch.clock()
    area = watch.database.one(AreaRow, AreaRow.ref == "west").id
    officers = Step(target=Target.ROLE, role="duty_officer", answer_within_s=300)
    draft = policies.Draft(
        name="All", severities=frozenset(Severity), kinds=None, area_id=area,
        about_service=False, steps=(officers,), reason="first",
    )  # fmt: skip
    number = policies.save(watch.sessions, supervisor, None, draft, now)
    shown = policy_preview.would_tell(
        watch.sessions, supervisor, area, Severity.HIGH, FindingKind.SILENCE, now
    )
    assert shown.policy == f"All ({number}.1)"
    assert len(shown.lines) == 2
    assert policies.deactivate(watch.sessions, supervisor, number, "over", now)
    assert [each.active for each in policies.versions(watch.sessions, supervisor, number)] == [
        False,
        False,
    ]
    assert breach(watch).plan["policy"] == "built in"


def test_a_step_is_ticked_once_and_the_burden_counts_the_alert(watch):
    alert, officer = breach(watch), scope(watch, "off-1")
    ticked = [
        playbook.tick(watch.sessions, officer, alert.reference, "look", "", watch.clock())
        for _ in range(2)
    ]
    assert ticked == [True, False]
    assert watch.database.one(TickRow).key == "look"
    watch.clock.forward(minutes=1)
    page = burden.see(watch.sessions, scope(watch, "sup-1"), 7, watch.clock())
    assert (page.whole.alerts, sum(count for _, count in page.days)) == (1, 1)
    assert [load.pages for _, load in page.officers] == [1]
    with pytest.raises(Forbidden):
        burden.see(watch.sessions, officer, 7, watch.clock())


def test_a_contact_is_verified_by_the_code_that_was_sent(watch):
    sent: list[str] = []
    officer = scope(watch, "off-1")

    def post(_kind: ContactKind, _address: str, body: str, _reference: str) -> None:
        sent.append(body)

    now = watch.clock()
    contacts.ask(watch.sessions, officer, ContactKind.PHONE, "07700 900188", post, now)
    code = sent[0].split("code is ")[1][:6]
    assert contacts.verify(watch.sessions, officer, ContactKind.PHONE, code, now)
    assert watch.database.one(StaffRow, StaffRow.ref == "off-1").phone == "+447700900188"
    assert watch.database.one(ContactCodeRow).used_at == now
