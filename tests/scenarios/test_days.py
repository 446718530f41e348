"""A wearer's day in, alerts and texts out: no broker, no provider, and no clock but the test's."""

import re
from datetime import timedelta

import pytest
from case_files import CREWE, INSIDE, MINUTE, OUTSIDE, START, alcohol, battery, event, fix, message
from databases import Database
from watch import PUBLIC_URL, Watch

from alerts.lifecycle import AlertState
from alerts.messages import fits_one_part
from navigate_safer.db.alerting import AlertRow, EpisodeRow, TextRow
from navigate_safer.db.audit import AuditRow
from navigate_safer.db.people import StaffRow
from navigate_safer.services import replies
from navigate_safer.services.replies import ReplyResult

# The devices were fitted two days before and first heard now: that gap is an episode of its own,
# recorded and told to nobody.
# What is silent since its fitting, weeks ago, is so for the tag and for the monitor.
NOT_SILENCE = EpisodeRow.kind.not_in(["silence", "upload_missed"])


@pytest.fixture
def watch(database: Database) -> Watch:
    return Watch(database)


def test_into_the_zone_told_answered_and_out_again(watch: Watch) -> None:
    for minute, place in enumerate((OUTSIDE, OUTSIDE, INSIDE, INSIDE, OUTSIDE, OUTSIDE)):
        at = START + minute * MINUTE
        watch.hear(message("TAG-1", fix(at, place)))
        watch.deliver()
    episode = watch.database.one(EpisodeRow, NOT_SILENCE)
    # Straight motion: he is in for the last part of the leg in, and the first of the leg out.
    assert START + MINUTE < episode.started_at < START + 2 * MINUTE
    assert START + 3 * MINUTE < episode.ended_at < START + 4 * MINUTE
    assert (episode.clause, episode.rule, episode.rule_version) == (
        "Licence 12",
        "place.probability",
        "5",
    )
    (text,) = watch.sender.sent
    assert text.to == "+447700900101"
    assert fits_one_part(text.body)
    alert = watch.database.one(AlertRow)
    assert alert.reference in text.body
    assert f"{PUBLIC_URL}/k/" in text.body
    assert text.status_callback == f"{PUBLIC_URL}/twilio/status/{text.attempt_id}"
    code = re.search(r"Reply (\d{6})", text.body)
    assert code is not None
    result = replies.take_reply(
        watch.sessions,
        provider_id="SM1",
        sender=text.to,
        body=f"On my way {code[1]}",
        now=watch.clock(),
    )
    assert result is ReplyResult.ACKNOWLEDGED
    assert watch.database.one(AlertRow).state == AlertState.ACKNOWLEDGED.value


def test_nobody_answers_and_everybody_is_told_in_order(watch: Watch) -> None:
    watch.hear(message("TAG-1", fix(START, INSIDE)))
    told = []
    for _ in range(5):
        watch.deliver()
        told = [each.to[-3:] for each in watch.sender.sent]
        watch.clock.forward(seconds=121)
        watch.escalate()
    # Two duty officers of the west, then the supervisor, again and again.
    assert told == ["101", "102", "103", "103", "103"]


def test_an_evening_with_everything_wrong_gives_one_alert_for_each(watch: Watch) -> None:
    at = START
    watch.hear(
        message("TAG-1", fix(at, OUTSIDE), battery(at, 80)),
        message("TAG-1", event(at + MINUTE, "strap_tamper", "start")),
        message("MON-1", alcohol(at + 2 * MINUTE, 0.001), alcohol(at + 32 * MINUTE, 0.031)),
        message("TAG-1", battery(at + 3 * MINUTE, 18), fix(at + 3 * MINUTE, INSIDE)),
        message("TAG-1", battery(at + 4 * MINUTE, 4), fix(at + 4 * MINUTE, INSIDE)),
        message("TAG-1", event(at + 5 * MINUTE, "strap_tamper", "end")),
    )
    kinds = sorted(each.kind for each in watch.database.all(EpisodeRow, NOT_SILENCE))
    assert kinds == [
        "alcohol_threshold",
        "battery_critical",
        "battery_low",
        "compound",
        "exclusion_breach",
        "strap_tamper",
    ]
    # Alcohol and a zone on one evening are a case of their own, told in the place of its parts.
    assert watch.database.count(AlertRow) == 6
    waiting = TextRow.state == "pending"
    told = {row.alert_id for row in watch.database.all(TextRow, TextRow.step == 0, waiting)}
    kinds = {each.id: each.kind for each in watch.database.all(EpisodeRow)}
    by_kind = {kinds[row.episode_id] for row in watch.database.all(AlertRow) if row.id in told}
    assert by_kind == {"battery_critical", "compound", "strap_tamper"}


def test_silence_is_raised_once_and_ends_with_the_next_reading(watch: Watch) -> None:
    watch.hear(message("TAG-1", fix(START, OUTSIDE)))
    watch.clock.forward(minutes=16)
    watch.look_for_silence()
    watch.look_for_silence()
    silence = EpisodeRow.kind == "silence"
    here = EpisodeRow.started_at == START
    assert watch.database.one(EpisodeRow, silence, here).ended_at is None
    back = watch.clock.at
    watch.hear(message("TAG-1", fix(back, OUTSIDE), received_at=back))
    assert watch.database.one(EpisodeRow, silence, here).ended_at == back


def test_an_upload_that_arrives_late_withdraws_the_silence_and_tells_the_breach(
    watch: Watch,
) -> None:
    watch.hear(message("TAG-1", fix(START, OUTSIDE)))
    watch.clock.forward(minutes=40)
    watch.look_for_silence()
    now = watch.clock.at
    stored = [fix(START + minute * MINUTE, OUTSIDE) for minute in range(1, 40)]
    stored[9:12] = [fix(START + minute * MINUTE, INSIDE) for minute in (10, 11, 12)]
    watch.hear(message("TAG-1", fix(now, OUTSIDE), received_at=now))
    watch.hear(message("TAG-1", *stored, received_at=now))
    silence = EpisodeRow.kind == "silence"
    assert watch.database.one(EpisodeRow, silence, EpisodeRow.started_at == START).withdrawn
    breach = watch.database.one(EpisodeRow, EpisodeRow.kind == "exclusion_breach")
    assert breach.ended_at is not None
    alert = watch.database.one(AlertRow, AlertRow.episode_id == breach.id)
    assert alert.late_data


def test_each_wearer_has_his_own_zone_and_officers(watch: Watch) -> None:
    watch.hear(
        message("TAG-1", fix(START, CREWE)),
        message("TAG-2", fix(START, CREWE), gateway="gw-east"),
    )
    watch.deliver()
    assert [each.to[-3:] for each in watch.sender.sent] == ["104"]


def test_every_text_is_a_disclosure_in_the_log(watch: Watch) -> None:
    watch.hear(message("TAG-1", fix(START, INSIDE)))
    watch.deliver()
    entry = watch.database.one(AuditRow, AuditRow.act == "disclosure")
    assert entry.recipient_id == watch.database.one(TextRow).staff_id
    assert entry.subject_kind == "wearer"


def test_the_tag_of_nobody_alarms_nobody_and_is_shown(watch: Watch) -> None:
    watch.hear(message("TAG-SPARE", fix(START, INSIDE)))
    assert watch.database.count(EpisodeRow) == 0
    assert watch.database.counts()["unassigned_readings"] == 1


def test_a_tag_that_was_lent_on_speaks_for_whoever_wore_it_then(watch: Watch) -> None:
    # It was on W-1 until six hours before, on nobody for three, and is on W-2 since.
    watch.clock.forward(hours=1)
    early, between = START - timedelta(hours=7), START - timedelta(hours=4)
    received = watch.clock.at
    watch.hear(
        message("TAG-LENT", fix(early, INSIDE), received_at=received),
        message("TAG-LENT", fix(between, CREWE), received_at=received),
        message("TAG-LENT", fix(START, INSIDE), received_at=received),
    )
    breaches = watch.database.all(EpisodeRow, EpisodeRow.kind == "exclusion_breach")
    assert [each.started_at for each in breaches] == [early]


def test_a_clock_a_day_ahead_neither_ends_nor_begins_anything_before_its_time(
    watch: Watch,
) -> None:
    ahead = START + timedelta(hours=23)
    watch.hear(message("TAG-1", fix(START, INSIDE), battery(START, 4)))
    watch.hear(
        message("TAG-1", fix(ahead, OUTSIDE), battery(ahead, 99), received_at=START + MINUTE)
    )
    watch.hear(message("TAG-1", fix(START + 2 * MINUTE, INSIDE)))
    still = watch.database.all(EpisodeRow, NOT_SILENCE, EpisodeRow.ended_at.is_(None))
    assert sorted(each.kind for each in still) == [
        "battery_critical",
        "battery_low",
        "exclusion_breach",
    ]
    # And it does not hide that the device falls silent meanwhile.
    watch.clock.forward(minutes=20)
    watch.look_for_silence()
    silent = (EpisodeRow.kind == "silence", EpisodeRow.ended_at.is_(None))
    assert watch.database.count(EpisodeRow, *silent) == 1 + _silent_before(watch)


def _silent_before(watch: Watch) -> int:
    """Devices of the case file that were never heard at all."""
    heard = EpisodeRow.started_at < START
    return watch.database.count(
        EpisodeRow, EpisodeRow.kind == "silence", EpisodeRow.ended_at.is_(None), heard
    )


def test_nobody_is_texted_about_what_late_data_has_withdrawn(watch: Watch) -> None:
    watch.hear(message("TAG-1", fix(START, OUTSIDE)))
    watch.clock.forward(minutes=16)
    watch.look_for_silence()
    now = watch.clock.at
    stored = [fix(START + minute * MINUTE, OUTSIDE) for minute in range(1, 17)]
    watch.hear(message("TAG-1", *stored, received_at=now))
    (withdrawn,) = watch.database.all(EpisodeRow, EpisodeRow.started_at == START)
    assert withdrawn.withdrawn
    alert = watch.database.one(AlertRow, AlertRow.episode_id == withdrawn.id)
    told = watch.database.count(TextRow, TextRow.alert_id == alert.id)
    watch.clock.forward(hours=1)
    watch.escalate()
    assert watch.database.count(TextRow, TextRow.alert_id == alert.id) == told
    assert alert.state == AlertState.OPEN.value


def test_what_was_measured_hours_ago_is_told_as_late_also_when_it_has_no_end(
    watch: Watch,
) -> None:
    watch.clock.forward(hours=5)
    watch.hear(
        message(
            "TAG-1", fix(START, INSIDE), fix(START + MINUTE, INSIDE), received_at=watch.clock.at
        )
    )
    assert watch.database.one(AlertRow).late_data


def test_one_alert_that_cannot_be_moved_does_not_stop_the_others(watch: Watch) -> None:
    watch.hear(
        message("TAG-1", fix(START, INSIDE)),
        message("TAG-2", fix(START, CREWE), gateway="gw-east"),
    )
    broken, sound = watch.database.all(AlertRow)
    with watch.sessions.begin() as session:
        session.get_one(AlertRow, broken.id).plan = {"no": "plan"}
    watch.clock.forward(minutes=6)
    watch.escalate()
    assert watch.database.count(TextRow, TextRow.alert_id == sound.id) == 2
    assert watch.database.one(AlertRow, AlertRow.id == broken.id).next_step_at > watch.clock.at


def test_a_text_that_cannot_be_written_out_does_not_stop_the_others(watch: Watch) -> None:
    watch.hear(
        message("TAG-1", fix(START, INSIDE)),
        message("TAG-2", fix(START, CREWE), gateway="gw-east"),
    )
    with watch.sessions.begin() as session:
        broken = session.get_one(TextRow, watch.database.all(TextRow)[0].id)
        session.get_one(StaffRow, broken.staff_id).phone = "not a number"
    watch.deliver()
    first, second = watch.database.all(TextRow)
    assert (first.state, first.fault) == ("failed", "cannot_be_sent")
    assert second.state == "accepted"


def test_an_officer_who_has_left_is_not_texted_and_the_next_is_due_at_once(watch: Watch) -> None:
    watch.hear(message("TAG-1", fix(START, INSIDE)))
    with watch.sessions.begin() as session:
        session.get_one(StaffRow, watch.database.one(TextRow).staff_id).active = False
    watch.deliver()
    watch.escalate()
    watch.deliver()
    assert [each.to[-3:] for each in watch.sender.sent] == ["102"]
