"""Send texts that are due: claimed one after the other, handed over side by side."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from navigate_safer import logs, metrics
from navigate_safer.db.limits import GIGABYTE
from navigate_safer.services import claiming, deliver, heartbeats, wearer_post
from navigate_safer.services.claiming import Claim
from navigate_safer.services.self_watch import SelfWatch
from navigate_safer.services.wearer_post import WearerClaim
from navigate_safer.wiring import Service
from navigate_safer.workers import loop
from navigate_safer.workers.loop import Stop

IDLE_S = 0.1
ClaimT = TypeVar("ClaimT")


class DeliverWorker:
    """A provider that takes a second over each text must not make the next ones wait."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._log = logs.logger("deliver")
        self._ways = service.ways()
        many = service.settings.deliver_side_by_side
        self._pool = ThreadPoolExecutor(max_workers=many, thread_name_prefix="deliver")
        self._free = threading.Semaphore(many)
        # One at a time and in a pool of their own: a provider that is slow with texts to wearers
        # must not keep a place from an officer's.
        self._wearer_pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="wearers")
        self._wearer_free = threading.Semaphore(1)
        # The scheduler watches too; whoever notices that the other is gone says so.
        disk_bytes = service.settings.database_disk_gb * GIGABYTE
        self._watch = SelfWatch(service.sessions, service.voice, disk_bytes)

    def run(self, stop: Stop) -> None:
        """Run until stopped; calls that have been begun are finished and written down."""
        try:
            loop.run("deliver", self.turn, self._beat, stop, idle_s=IDLE_S)
        finally:
            self._pool.shutdown(wait=True)
            self._wearer_pool.shutdown(wait=True)

    def turn(self) -> bool:
        """Claim one text and hand it to a thread; False when nothing is due."""
        if not self._free.acquire(timeout=IDLE_S):
            return True
        claimed = self._claimed(claiming.claim_next, self._free, self._pool, self._hand_over)
        return claimed or self._wearer_turn()

    def _wearer_turn(self) -> bool:
        """Where no officer waits: claim one text to a wearer; False when none is due."""
        if not self._wearer_free.acquire(blocking=False):
            return False
        return self._claimed(
            wearer_post.claim_next, self._wearer_free, self._wearer_pool, self._hand_to_wearer
        )

    def _claimed(
        self,
        claim_next: Callable[..., ClaimT | None],
        free: threading.Semaphore,
        pool: ThreadPoolExecutor,
        hand_over: Callable[[ClaimT], None],
    ) -> bool:
        """Claim one and give it to a thread, which frees its place; else it is free again here."""
        claim = None
        try:
            service = self._service
            claim = claim_next(
                service.sessions,
                self._ways,
                service.clock,
                service.settings.public_url,
                draw=random.random(),
            )
            if claim is not None:
                pool.submit(hand_over, claim)
        finally:
            if claim is None:
                free.release()
        return claim is not None

    def _hand_to_wearer(self, claim: WearerClaim) -> None:
        service = self._service
        try:
            state = wearer_post.hand_over(
                service.sessions, claim, service.clock, jitter=random.random()
            )
        except Exception as fault:  # as for officers' texts: the lease ends, and it is looked for
            kind = type(fault).__name__
            self._log.error(
                "text to a wearer not recorded", message_id=claim.message_id, exception_type=kind
            )
            return
        finally:
            self._wearer_free.release()
        metrics.wearer_text_tried(state)

    def _hand_over(self, claim: Claim) -> None:
        service = self._service
        try:
            done = deliver.hand_over(
                service.sessions, claim, service.clock, service.voice, jitter=random.random()
            )
        except Exception as fault:  # the database is away: the lease ends, and it is looked for
            kind = type(fault).__name__
            self._log.error("text not recorded", text_id=claim.text_id, exception_type=kind)
            return
        finally:
            self._free.release()
        metrics.text_tried(done.state)
        if done.fault is not None:
            self._log.warning(
                "text not sent", text_id=done.text_id, fault=done.fault, state=done.state
            )

    def _beat(self, fault: str | None) -> None:
        service = self._service
        heartbeats.beat(service.sessions, "deliver", service.wall_clock(), fault=fault)
        self._watch.look(service.clock(), service.wall_clock())


def main(service: Service, stop: Stop) -> None:
    """The ``deliver`` command."""
    DeliverWorker(service).run(stop)
