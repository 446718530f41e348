"""One command a worker, and one that runs them all."""

import click

from navigate_safer import logs, metrics
from navigate_safer.cli.fault import stop
from navigate_safer.cli.wired import service
from navigate_safer.settings import BadSetting
from navigate_safer.wiring import Service
from navigate_safer.workers import commands as commands_worker
from navigate_safer.workers import deliver as deliver_worker
from navigate_safer.workers import ingest as ingest_worker
from navigate_safer.workers import monitor as monitor_worker
from navigate_safer.workers import schedule as schedule_worker
from navigate_safer.workers import serve, supervisor
from navigate_safer.workers.loop import Stop


def _measured() -> Service:
    """Everything wired, and this process's figures served where the settings say so."""
    made = service()
    settings = made.settings
    try:
        metrics.serve(settings.metrics_host, settings.metrics_port)
    except OSError as fault:
        # What watches the service must not be able to stop it.
        logs.logger("metrics").error(
            "not served", port=settings.metrics_port, exception_type=type(fault).__name__
        )
    return made


@click.command()
def ingest() -> None:
    """Take telemetry from the broker and store it."""
    ingest_worker.main(_measured(), Stop().listen())


@click.command()
def monitor() -> None:
    """Judge stored telemetry and open alerts."""
    monitor_worker.main(_measured(), Stop().listen())


@click.command()
def deliver() -> None:
    """Send texts that are due."""
    deliver_worker.main(_measured(), Stop().listen())


@click.command()
def schedule() -> None:
    """Look for silence, escalate unanswered alerts, keep house."""
    schedule_worker.main(_measured(), Stop().listen())


@click.command()
def commands() -> None:
    """Send commands to devices and take their acknowledgements."""
    commands_worker.main(_measured(), Stop().listen())


@click.command()
@click.option("--threads", default=8, show_default=True, help="Requests served at once.")
def web(threads: int) -> None:
    """Serve the pages."""
    made = service()
    try:
        made.settings.need_secret_key()
    except BadSetting as fault:
        stop(str(fault))
    serve.main(made, threads=threads)


@click.command()
def run() -> None:
    """Run every worker and the pages, restarting any that ends."""
    made = service()
    try:
        made.settings.need_secret_key()
    except BadSetting as fault:
        stop(str(fault))
    made.close()
    first_port = made.settings.metrics_port
    supervisor.run(supervisor.EVERYTHING, Stop().listen(), first_metrics_port=first_port)
