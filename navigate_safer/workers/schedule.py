"""Ticks: silence, escalation, housekeeping. The only module that knows APScheduler.

The scheduler owns no truth. Each job is one line that asks a service what is due; a tick that is
missed is made up by the next one, and two schedulers at once do nothing twice.
"""

import time
from collections.abc import Callable

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.schedulers.background import BackgroundScheduler

from navigate_safer import logs
from navigate_safer.db.limits import GIGABYTE
from navigate_safer.services import (
    chase,
    collection,
    compliance,
    figures,
    gateway_minutes,
    heartbeats,
    hub,
    meetings,
    protected_silence,
    provider_health,
    rota_watch,
    sealing,
    self_watch,
    storage_round,
    sweep,
    wearer_telling,
)
from navigate_safer.services.commands import CommandPolicy
from navigate_safer.services.self_watch import SelfWatch
from navigate_safer.wiring import Service
from navigate_safer.workers.loop import BEAT_EVERY_S, Stop
from navigate_safer.workers.ticks import Ticks

ESCALATION_EVERY_S = 1
WEIGHTS_EVERY_S = 5
SILENCE_EVERY_S = 5
HOUSEKEEPING_EVERY_S = 3_600
COLLECTION_EVERY_S = 60
GROWTH_EVERY_S = 3_600
WATCH_EVERY_S = 5
# Switches are usually set to tell somebody after a few minutes without a sign.
DEADMAN_EVERY_S = 30
# A day moves on once; one that was in use is tried again in the next round.
STORAGE_EVERY_S = 900
# What was logged since the last round could be changed unseen.
SEALS_EVERY_S = 60
# Days of compliance: one round through the wearers, in parts, so that a stop need not wait.
COMPLIANCE_EVERY_S = 300
COMPLIANCE_WITHIN_S = 20.0
MEETINGS_EVERY_S = 3_600
# Whoever has sent an extract looks at the page for its progress.
PARTNERS_EVERY_S = 5
PROTECTED_EVERY_S = 15
ROTAS_EVERY_S = 900
WEARERS_EVERY_S = 1
CURFEWS_EVERY_S = 30
# Between a breach and an officer: should one fail or hang, the sign of life says so.
WATCHED = ("escalation", "chase", "weights", "silence", "protected", "watch")
# One tick does at most so many, so that the others get their turn.
MOST_AT_ONCE = 200


def main(service: Service, stop: Stop) -> None:
    """The ``schedule`` command."""
    log = logs.logger("schedule")
    scheduler = BackgroundScheduler(
        timezone="UTC",
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )

    def trouble(event: JobExecutionEvent) -> None:
        kind = type(event.exception).__name__ if event.exception else "missed"
        log.error("tick failed", part=event.job_id, exception_type=kind)

    scheduler.add_listener(trouble, EVENT_JOB_ERROR | EVENT_JOB_MISSED)
    ticks = Ticks(WATCHED)
    for name, every_s, job in _jobs(service, ticks):
        scheduler.add_job(ticks.watch(name, job), "interval", seconds=every_s, id=name, name=name)
    scheduler.start()
    try:
        while not stop.wait(1.0):
            pass
    finally:
        scheduler.shutdown(wait=True)


def _jobs(
    service: Service, ticks: Ticks | None = None
) -> list[tuple[str, float, Callable[[], None]]]:
    sessions, clock, voice = service.sessions, service.clock, service.voice

    def escalate() -> None:
        _repeat(lambda: sweep.escalate_next(sessions, clock(), voice))

    def chased() -> None:
        _repeat(lambda: chase.chase_next(sessions, clock()))

    def weights() -> None:
        provider_health.tick(sessions, service.settings.sms_senders, clock())

    def silence() -> None:
        if heartbeats.feed_is_up(sessions, service.wall_clock()):
            sweep.put_off(sessions, clock())
            _repeat(lambda: sweep.look_for_silence(sessions, clock(), voice))

    def beat() -> None:
        fault = None if ticks is None else ticks.fault()
        heartbeats.beat(sessions, "schedule", service.wall_clock(), fault=fault)

    return [
        ("escalation", ESCALATION_EVERY_S, escalate),
        ("chase", ESCALATION_EVERY_S, chased),
        ("weights", WEIGHTS_EVERY_S, weights),
        ("silence", SILENCE_EVERY_S, silence),
        ("heartbeat", BEAT_EVERY_S, beat),
        *_wearer_jobs(service),
        *_self_watch(service),
        *_house_jobs(service),
        *_place_jobs(service),
    ]


def _wearer_jobs(service: Service) -> list[tuple[str, float, Callable[[], None]]]:
    sessions, clock, settings = service.sessions, service.clock, service.settings
    limits = CommandPolicy(settings.command_lasts_s, settings.commands_per_hour)

    def wearers() -> None:
        wearer_telling.look(sessions, clock(), limits)

    def curfews() -> None:
        wearer_telling.look_ahead(sessions, clock(), limits)

    return [
        ("wearers", WEARERS_EVERY_S, wearers),
        ("curfews", CURFEWS_EVERY_S, curfews),
    ]


def _house_jobs(service: Service) -> list[tuple[str, float, Callable[[], None]]]:
    sessions, clock = service.sessions, service.clock

    def log_collection() -> None:
        collection.log(sessions, clock())

    def growth() -> None:
        figures.sample_growth(sessions, clock())

    def storage() -> None:
        storage_round.keep_house_and_tell(
            sessions, clock(), service.wall_clock(), service.storage_plan, time.sleep
        )

    def sealed() -> None:
        sealing.look(sessions, clock(), service.settings.audit_keys, time.sleep)

    def housekeeping() -> None:
        sweep.prune_checkpoints(sessions, clock())
        sweep.prune_batches(sessions, clock())
        gateway_minutes.prune(sessions, clock())
        provider_health.forget_others(sessions, service.settings.sms_senders)

    return [
        ("housekeeping", HOUSEKEEPING_EVERY_S, housekeeping),
        ("collection", COLLECTION_EVERY_S, log_collection),
        ("growth", GROWTH_EVERY_S, growth),
        ("storage", STORAGE_EVERY_S, storage),
        ("seals", SEALS_EVERY_S, sealed),
    ]


def _place_jobs(service: Service) -> list[tuple[str, float, Callable[[], None]]]:
    sessions, clock = service.sessions, service.clock
    reached = 0

    def days() -> None:
        nonlocal reached
        ends = time.monotonic() + COMPLIANCE_WITHIN_S
        while time.monotonic() < ends:
            wearer_id = compliance.work_out_next(sessions, clock(), reached)
            reached = wearer_id or 0
            if wearer_id is None:
                return

    def together() -> None:
        meetings.look(sessions, clock())

    partners = hub.Folder(service.settings.partner_dir)

    def extracts() -> None:
        partners.tick(sessions, clock())

    def protected() -> None:
        # Where nothing is heard of anybody, no device is called silent: the feed is.
        if heartbeats.feed_is_up(sessions, service.wall_clock()):
            protected_silence.look(sessions, clock(), service.voice)

    return [
        ("partners", PARTNERS_EVERY_S, extracts),
        ("protected", PROTECTED_EVERY_S, protected),
        ("compliance", COMPLIANCE_EVERY_S, days),
        ("meetings", MEETINGS_EVERY_S, together),
    ]


def _self_watch(service: Service) -> list[tuple[str, float, Callable[[], None]]]:
    disk_bytes = service.settings.database_disk_gb * GIGABYTE
    own = SelfWatch(service.sessions, service.voice, disk_bytes)

    def watch() -> None:
        own.look(service.clock(), service.wall_clock())

    def rotas() -> None:
        rota_watch.look(service.sessions, service.clock(), service.voice)

    return [
        ("rotas", ROTAS_EVERY_S, rotas),
        ("watch", WATCH_EVERY_S, watch),
        ("deadman", DEADMAN_EVERY_S, lambda: _deadman(service)),
    ]


def _deadman(service: Service) -> None:
    """Ask the switch outside, unless something does not hold: then it must go off."""
    url = service.settings.deadman_url
    if not url:
        return
    log = logs.logger("schedule")
    wrong = self_watch.not_holding(service.sessions, service.clock(), service.wall_clock())
    if wrong:
        log.error("dead-man switch not asked", count=len(wrong))
    elif not self_watch.ping(url):
        log.error("dead-man switch not reached")


def _repeat(one: Callable[[], int | None]) -> None:
    for _ in range(MOST_AT_ONCE):
        if one() is None:
            return
