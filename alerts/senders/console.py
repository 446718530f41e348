"""Texts shown on a terminal instead of sent, so that the whole service runs with no account."""

import textwrap
import threading
import uuid
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import TextIO

import msgspec

from alerts.delivery import Accepted, DeliveryStatus, Fault, OutgoingText, SendError

_INNER_WIDTH = 76


class _Shown(msgspec.Struct, frozen=True):
    to: str
    body: str
    shown_at: datetime
    accepted: Accepted


class ConsoleSender:
    """Prints each text in a frame; implements :class:`alerts.delivery.Sender`.

    ``clock`` gives the aware time of each text. The recipient appears as the last two digits
    only. A text counts as delivered once it is on the screen: no receipt will follow.
    """

    name = "console"

    def __init__(self, stream: TextIO, clock: Callable[[], datetime]) -> None:
        self._stream = stream
        self._clock = clock
        self._shown: list[_Shown] = []
        # Frames of two worker threads must not be mixed line by line.
        self._lock = threading.Lock()

    def send(self, text: OutgoingText) -> Accepted:
        """Print the text. Raises :class:`alerts.delivery.SendError` if the stream is gone."""
        now = self._clock()
        accepted = Accepted(f"console-{uuid.uuid4()}", DeliveryStatus.DELIVERED)
        frame = _frame(text, now, getattr(self._stream, "encoding", None) or "utf-8")
        with self._lock:
            written = self._write(frame)
            if written:
                self._shown.append(_Shown(text.to, text.body, now, accepted))
        if not written:
            raise SendError(Fault.NOT_SENT, "the console's output is closed or full")
        return accepted

    def find(
        self, *, to: str, reference: str, since: datetime, taken: Collection[str] = ()
    ) -> Accepted | None:
        """The newest such text printed by this process; see the port."""
        with self._lock:
            shown = list(self._shown)
        for each in reversed(shown):
            matches = each.to == to and reference in each.body and each.shown_at >= since
            if matches and each.accepted.provider_id not in taken:
                return each.accepted
        return None

    def _write(self, frame: str) -> bool:
        # A closed stream raises ValueError, a broken pipe or a full disk OSError.
        try:
            self._stream.write(frame)
            self._stream.flush()
        except (OSError, ValueError):
            return False
        return True


def _frame(text: OutgoingText, now: datetime, encoding: str) -> str:
    at = now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    heading = f"{at}  {text.channel.label} to …{text.to[-2:]}"
    # A link must stay whole to be clicked, so it may stick out of the frame.
    body = textwrap.wrap(text.body, _INNER_WIDTH, break_long_words=False, break_on_hyphens=False)
    edge = "+" + "-" * (_INNER_WIDTH + 2) + "+"
    lines = [edge, *(f"| {line:<{_INNER_WIDTH}} |" for line in (heading, "", *body)), edge]
    # A terminal without the ellipsis gets a question mark rather than an exception.
    return ("\n".join(lines) + "\n").encode(encoding, "replace").decode(encoding)
