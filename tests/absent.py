"""What a test does where something of the machine is missing that it needs."""

import os
from typing import NoReturn

import pytest


def absent(what: object) -> NoReturn:
    """Skip the test by the name of what is missing; in CI nothing may be skipped, so it fails."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing, and CI=true says that nothing may be skipped")
    pytest.skip(f"{what} is not installed")
