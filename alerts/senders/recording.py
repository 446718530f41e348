"""A sender that keeps what it is given and fails when told to: for tests and rehearsals."""

from collections.abc import Callable, Collection
from datetime import datetime

import msgspec

from alerts.delivery import Accepted, DeliveryStatus, OutgoingText, SendError


class _Failure(msgspec.Struct, frozen=True):
    error: SendError
    after_taking: bool


class _Taken(msgspec.Struct, frozen=True):
    text: OutgoingText
    taken_at: datetime
    accepted: Accepted


class RecordingSender:
    """Implements :class:`alerts.delivery.Sender` in memory.

    ``tried`` holds every text given to :meth:`send` in order, failed ones too; ``sent`` those
    that were taken, as an officer would have got them. ``clock`` gives the aware time of each.
    """

    def __init__(self, clock: Callable[[], datetime], *, name: str = "recording") -> None:
        self.name = name
        self.tried: list[OutgoingText] = []
        self._clock = clock
        self._taken: list[_Taken] = []
        self._failures: dict[int, _Failure] = {}

    @property
    def sent(self) -> list[OutgoingText]:
        """The texts that were taken, oldest first."""
        return [taken.text for taken in self._taken]

    def fail(self, nth: int, error: SendError, *, after_taking: bool = False) -> None:
        """Make the ``nth`` call of :meth:`send` (1 is the first ever) raise ``error``.

        With ``after_taking`` the text is taken and only the answer is lost, so that
        :meth:`find` finds it: the case which makes a blind repeat text an officer twice.
        """
        if nth <= len(self.tried):
            raise ValueError(f"call {nth} has been made; {len(self.tried)} have so far")
        self._failures[nth] = _Failure(error, after_taking)

    def send(self, text: OutgoingText) -> Accepted:
        """Keep the text. Raises the :class:`alerts.delivery.SendError` set for this call."""
        self.tried.append(text)
        failure = self._failures.get(len(self.tried))
        if failure is not None and not failure.after_taking:
            raise failure.error
        accepted = Accepted(f"recording-{len(self._taken) + 1}", DeliveryStatus.ACCEPTED)
        self._taken.append(_Taken(text, self._clock(), accepted))
        if failure is not None:
            raise failure.error
        return accepted

    def find(
        self, *, to: str, reference: str, since: datetime, taken: Collection[str] = ()
    ) -> Accepted | None:
        """The newest such text that was taken; see the port."""
        for each in reversed(self._taken):
            matches = each.text.to == to and reference in each.text.body
            if matches and each.taken_at >= since and each.accepted.provider_id not in taken:
                return each.accepted
        return None
