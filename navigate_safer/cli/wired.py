"""What a command that serves needs: the settings of the environment, and everything wired."""

import os

from navigate_safer import logs
from navigate_safer.cli.fault import stop
from navigate_safer.db.schema import is_current
from navigate_safer.settings import BadSetting, Settings
from navigate_safer.wiring import Service


def settings() -> Settings:
    """The settings of the environment, or a stop that names the bad one."""
    try:
        return Settings.from_env(os.environ)
    except BadSetting as fault:
        stop(str(fault))


def service() -> Service:
    """Everything wired as the environment says, with a database of the right schema."""
    wanted = settings()
    logs.configure(level=wanted.log_level)
    made = Service(wanted)
    try:
        current = is_current(made.engine)
    except Exception as fault:
        stop(f"NAVIGATE_SAFER_DATABASE_URL: the database does not answer ({type(fault).__name__})")
    if not current:
        stop("the database has another schema than this version; run: navigate-safer migrate")
    return made
