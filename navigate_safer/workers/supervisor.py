"""Run the workers as child processes: restart one that ends, end them all together.

For one machine and for the demonstration; with systemd or containers, give each worker's command
a unit of its own instead.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

from navigate_safer import logs
from navigate_safer.settings import PREFIX
from navigate_safer.workers.loop import Stop

EVERYTHING = ("ingest", "monitor", "deliver", "schedule", "commands", "web")
METRICS_PORT = f"{PREFIX}METRICS_PORT"
LOOK_EVERY_S = 0.5
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
# A child that ran this long had started well; its next restart is quick again.
STEADY_S = 60.0
TIME_TO_END_S = 10.0


class _Child:
    def __init__(self, command: str, environ: Mapping[str, str]) -> None:
        self.command = command
        self._environ = dict(environ)
        self._pause_s = FIRST_PAUSE_S
        self._restart_at = 0.0
        self.process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0

    def start(self) -> None:
        # In a group of its own, so that Ctrl-C reaches the supervisor alone, which then ends
        # the children in order.
        arguments = [sys.executable, "-m", "navigate_safer", self.command]
        self.process = subprocess.Popen(  # noqa: S603 - our own commands
            arguments, env=self._environ, start_new_session=True
        )
        self._started_at = time.monotonic()

    def look(self) -> None:
        now = time.monotonic()
        if self.process is None:
            if now >= self._restart_at:
                self.start()
            return
        code = self.process.poll()
        if code is None:
            return
        if now - self._started_at > STEADY_S:
            self._pause_s = FIRST_PAUSE_S
        logs.logger(self.command).error("worker ended", code=code, seconds=self._pause_s)
        self.process = None
        self._restart_at = now + self._pause_s
        self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)


def run(
    commands: Sequence[str],
    stop: Stop,
    environ: Mapping[str, str] | None = None,
    *,
    first_metrics_port: int = 0,
) -> None:
    """Keep the commands running until stopped, then end them all.

    Each serves its figures on a port of its own, ``first_metrics_port`` and up; 0 is nowhere.
    """
    given = dict(os.environ if environ is None else environ)
    children = []
    for place, command in enumerate(commands):
        port = first_metrics_port + place if first_metrics_port else 0
        children.append(_Child(command, {**given, METRICS_PORT: str(port)}))
    try:
        for child in children:
            child.start()
        while not stop.wait(LOOK_EVERY_S):
            for child in children:
                child.look()
    finally:
        end([child.process for child in children if child.process is not None])


def end(processes: Sequence["subprocess.Popen[bytes]"]) -> None:
    """Ask every process to end, and after a while insist."""
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + TIME_TO_END_S
    for process in processes:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
