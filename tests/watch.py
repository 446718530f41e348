"""The service worked by hand: what the workers do, when a test says so, at the time it says."""

from datetime import datetime, timedelta

from case_files import START, small_case_file
from databases import Database

from alerts.delivery import Sender
from alerts.policy import Channel
from alerts.senders.recording import RecordingSender
from devices.quality import QualityLimits
from navigate_safer.people.casefile import CaseFile
from navigate_safer.services import deliver, ingest, monitor, register, sweep
from navigate_safer.services.arrivals import Arrivals
from navigate_safer.services.claiming import Ways
from navigate_safer.services.deliver import Delivered
from navigate_safer.services.ingest import BatchResult, Message
from navigate_safer.services.monitor import Judged
from navigate_safer.services.telling import Voice

PUBLIC_URL = "https://safer.example.gov.uk"
VOICE = Voice(PUBLIC_URL)
# A loop that finds something to do so often would never end.
_FAR_TOO_OFTEN = 1_000


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **span: float) -> datetime:
        """Move on by a span, given as to :class:`datetime.timedelta`."""
        self.at += timedelta(**span)
        return self.at

    def not_before(self, at: datetime) -> None:
        """Move on to an instant unless it is past."""
        self.at = max(self.at, at)


class Watch:
    """One database under watch, with a clock and a sender that records."""

    def __init__(self, database: Database, case_file: CaseFile | None = None) -> None:
        self.database = database
        self.sessions = database.sessions
        self.clock = Clock()
        self.limits = QualityLimits()
        self.sender = RecordingSender(self.clock)
        self.others: list[Sender] = []
        self.channels: dict[Channel, list[Sender]] = {}
        self.draw = 0.0
        self.arrivals: Arrivals | None = Arrivals()
        self.register(small_case_file() if case_file is None else case_file)

    def register(self, case_file: CaseFile) -> None:
        """Take in a case file."""
        register.register(self.sessions, case_file, self.clock())

    def receive(self, *messages: Message) -> BatchResult:
        """Store the messages as one batch; the clock moves to the last receipt."""
        self.clock.not_before(max(each.received_at for each in messages))
        return ingest.store_batch(
            self.sessions, messages, self.clock(), self.limits, arrivals=self.arrivals
        )

    def judge(self) -> list[Judged]:
        """Judge until nothing is waiting."""
        return _until_none(
            lambda: monitor.judge_next(self.sessions, self.clock(), VOICE), "judgement"
        )

    def hear(self, *messages: Message) -> list[Judged]:
        """Receive each message by itself and judge after each."""
        judged = []
        for each in messages:
            self.receive(each)
            judged += self.judge()
        return judged

    def escalate(self) -> list[int]:
        """Move every alert whose next step is due; their ids."""
        return _until_none(
            lambda: sweep.escalate_next(self.sessions, self.clock(), VOICE), "escalation"
        )

    def look_for_silence(self) -> list[int]:
        """Tick every fitting that is due; how many alerts each opened."""
        return _until_none(
            lambda: sweep.look_for_silence(self.sessions, self.clock(), VOICE), "silence"
        )

    def deliver(self) -> list[Delivered]:
        """Send every text that is due."""
        return _until_none(self.deliver_one, "delivery")

    def deliver_one(self) -> Delivered | None:
        """Send the text that has been due longest."""
        return deliver.deliver_next(
            self.sessions, self.ways, self.clock, PUBLIC_URL, jitter=0.0, draw=self.draw
        )

    @property
    def ways(self) -> Ways:
        """The senders by channel; texts through ``sender`` and then whatever is in ``others``."""
        return {Channel.SMS: [self.sender, *self.others], **self.channels}


def _until_none(step, what):
    done = []
    while (one := step()) is not None:
        done.append(one)
        assert len(done) < _FAR_TOO_OFTEN, f"{what} never comes to an end"
    return done
