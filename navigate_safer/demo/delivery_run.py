"""One fault run: workers, a database, a provider and telephones, and what came of it."""

import dataclasses
import random
import threading
import time
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import msgspec

from devices.quality import QualityLimits
from navigate_safer.db.invariants import STEP_OVERDUE
from navigate_safer.db.reading import DATABASE_FAULTS
from navigate_safer.demo import breachers, delivery_faults, delivery_office, text_provider
from navigate_safer.demo.delivery_crew import Crew, Dying, HandedClock
from navigate_safer.demo.delivery_faults import AWAY_S, DATABASE_AWAY_S, SPEED, Fault
from navigate_safer.demo.delivery_proof import Outside, Verdict, verdict
from navigate_safer.demo.server_process import HOST, free_port, listens, until
from navigate_safer.demo.servers import PostgreSQL
from navigate_safer.demo.telephones import Telephones
from navigate_safer.demo.text_provider import TextProvider
from navigate_safer.services import ingest, measures
from navigate_safer.services.arrivals import Arrivals
from navigate_safer.services.ingest import Message
from navigate_safer.settings import Settings
from navigate_safer.wiring import Service

# Breaches come over so many seconds on the wall; where the clocks change, in the middle of them.
SPREAD_S = 3.0
PATIENCE_S = 120.0
_TRY_AGAIN_S = 0.1
# The fault begins after this share of the breaches.
_BEGINS_AFTER = 0.3
_SECRET = "of-the-stand-in-and-of-nothing-else-at-all"  # noqa: S105


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """A run's verdict, how many processes were killed in it, and its seconds on the wall."""

    fault: str
    verdict: Verdict
    killed: int
    seconds: float


class Run(AbstractContextManager["Run"]):
    """One fault on one migrated database; ``server`` is its own where the database is stopped."""

    def __init__(
        self,
        fault: Fault,
        url: str,
        folder: Path,
        *,
        breaches: int,
        seed: int,
        spread_s: float = SPREAD_S,
        server: PostgreSQL | None = None,
    ) -> None:
        self._fault, self._breaches, self._server = fault, breaches, server
        self._spread_s = spread_s
        self._fault_begins = threading.Event()
        self._stack = ExitStack()
        settings = _settings(url, folder)
        lead = timedelta(seconds=spread_s / 2 * SPEED)
        start = datetime.now(UTC) if fault.change_at is None else fault.change_at - lead
        clock = self._clock = HandedClock(start, SPEED)
        phones = Telephones(settings.public_url, fault.receipts)
        self._stack.callback(phones.end)
        self._provider = self._stack.enter_context(
            TextProvider(
                clock,
                slow_s=delivery_faults.SLOW_S,
                hangs_s=delivery_faults.HANGS_S,
                took=phones.take,
                kill=lambda: self._crew.kill("deliver"),
            )
        )
        self._phones = phones
        self._provider.plan = delivery_faults.plan(fault, seed)
        settings = dataclasses.replace(settings, twilio_base_url=self._provider.url)
        self._service = Service(settings)
        self._service.clock = clock
        self._stack.callback(self._service.close)
        commands = ("monitor", *["deliver"] * fault.senders, *["schedule"] * fault.ticks, "web")
        dying = _dying(fault, breaches, seed)
        self._crew = Crew(settings, clock, folder / "log", commands, dying)
        self._complaints: list[str] = []

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def outcome(self) -> Outcome:
        """Let it happen, wait until everything has come to rest, and judge."""
        began = time.monotonic()
        service = self._service
        delivery_office.open_office(service, self._breaches, self._fault.change_at)
        self._crew.start()
        self._stack.callback(self._crew.end)
        port = service.settings.web_port
        if not until(lambda: listens(port), within_s=PATIENCE_S):
            self._complaints.append("the pages did not come up")
        self._clock.go()
        self._happen()
        self._wait()
        now = service.clock()
        # What is in a call is finished first: else it would be at the provider and in no row.
        self._crew.end()
        found = self._verdict(now)
        return Outcome(
            fault=self._fault.name,
            verdict=found,
            killed=self._crew.deaths,
            seconds=time.monotonic() - began,
        )

    def _wait(self) -> None:
        """Until everybody has answered, every text is settled and every receipt has come."""
        deadline = time.monotonic() + PATIENCE_S
        while not (
            self._phones.idle
            and measures.delivery_is_at_rest(self._service.sessions, self._breaches)
        ):
            if time.monotonic() > deadline:
                self._complaints.append(f"not at rest after {PATIENCE_S:.0f} s")
                return
            time.sleep(_TRY_AGAIN_S)

    def _happen(self) -> None:
        """Breaches come, and among them the fault begins that is in answer to nothing.

        It is this thread that stops and starts the server: one that a thread has started ends with
        the thread.
        """
        feeding = threading.Thread(target=self._feed, name="feed")
        feeding.start()
        self._fault_begins.wait(PATIENCE_S)
        try:
            self._disturb()
        finally:
            feeding.join()

    def _feed(self) -> None:
        """Store one breach after the other at an even pace."""
        clock, arrivals, limits = self._service.clock, Arrivals(), QualityLimits()
        began, fault_at = time.monotonic(), int(self._breaches * _BEGINS_AFTER)
        for number in range(self._breaches):
            if number == fault_at:
                self._fault_begins.set()
            due = began + number * self._spread_s / self._breaches
            time.sleep(max(0.0, due - time.monotonic()))
            now = clock()
            topic, payload = breachers.breach(number, now)
            message = Message(topic, payload, now)
            stored = partial(self._stored, message, arrivals, limits)
            if not until(stored, within_s=PATIENCE_S):
                self._complaints.append("a reading could not be stored")
                return

    def _stored(self, message: Message, arrivals: Arrivals, limits: QualityLimits) -> bool:
        """Whether it is; intake too keeps what it cannot store, and tries again."""
        service = self._service
        try:
            ingest.store_batch(
                service.sessions, [message], service.clock(), limits, arrivals=arrivals
            )
        except DATABASE_FAULTS:
            time.sleep(_TRY_AGAIN_S)
            return False
        return True

    def _disturb(self) -> None:
        """What goes wrong of itself and not in answer to a request."""
        if self._fault.provider_away:
            self._provider.go_away()
            time.sleep(AWAY_S)
            self._provider.come_back()
        if self._fault.database_stop is not None and self._server is not None:
            self._server.halt(self._fault.database_stop)
            time.sleep(DATABASE_AWAY_S)
            self._server.resume()

    def _verdict(self, now: datetime) -> Verdict:
        rows = measures.delivery(self._service.sessions, now, STEP_OVERDUE * SPEED)
        if self._crew.deaths < self._fault.kills:
            self._complaints.append("the fault did not take place: too few were killed")
        handover_at = self._fault.handover_at
        on_duty = None
        if handover_at is not None:
            # The supervisor is named in the plan and on no rota.
            on_duty = {
                text.text_id: delivery_office.on_duty(text.created_at, handover_at)
                for text in rows.texts
                if text.staff != delivery_office.IN_CHARGE
            }
        outside = Outside(
            taken=self._provider.taken,
            answered=set(self._phones.answered),
            posted=list(self._phones.posted),
            complaints=[*self._complaints, *self._provider.complaints, *self._crew.ended],
            on_duty=on_duty,
        )
        found = verdict(rows, outside, self._breaches)
        return msgspec.structs.replace(found, late_s=found.late_s / SPEED)


def _dying(fault: Fault, breaches: int, seed: int) -> list[Dying]:
    """The workers that end at their point: at one of the first times that they come there."""
    draw = random.Random(f"{seed}|{fault.name}|kills")
    latest = max(1, breaches // 8)
    return [Dying(point, draw.randint(1, latest)) for point in fault.crashes]


def _settings(url: str, folder: Path) -> Settings:
    """As in service, with the shortest time-out that fits a fast clock."""
    port = free_port()
    return Settings(
        database_url=url,
        secret_key=_SECRET,
        public_url=f"http://{HOST}:{port}",
        web_host=HOST,
        web_port=port,
        sms_sender="twilio",
        twilio_account_sid=text_provider.ACCOUNT_SID,
        twilio_auth_token=text_provider.AUTH_TOKEN,
        twilio_from=text_provider.FROM_NUMBER,
        sms_timeout_s=delivery_faults.TIMEOUT_S,
        archive_dir=str(folder / "archive"),
    )
