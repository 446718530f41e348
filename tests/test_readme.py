"""The README keeps up with the code: settings with their defaults, commands, pictures."""

import re
from collections.abc import Iterator
from dataclasses import Field, fields
from pathlib import Path

import click
import pytest

from navigate_safer.cli import main
from navigate_safer.settings import PREFIX, SECRETS, Settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def settings_in(text: str) -> dict[str, tuple[str, str]]:
    """Default and meaning of each setting in the table, by its variable."""
    rows = re.findall(r"^\| `(NAVIGATE_SAFER_\w+)` \|([^|]*)\|([^|]*)\|$", text, re.MULTILINE)
    return {name: (default.strip().strip("`"), meaning.strip()) for name, default, meaning in rows}


TABLE = settings_in(README)
FIELDS = [pytest.param(each, id=each.name) for each in fields(Settings)]


def written(default: object) -> str:
    """A default as somebody would set it."""
    if isinstance(default, bool):
        return str(default).lower()
    return "" if default is None else str(default)


@pytest.mark.parametrize("setting", FIELDS)
def test_each_setting_is_in_the_table_with_its_default_and_a_meaning(setting: Field) -> None:
    variable = PREFIX + setting.name.upper()
    assert variable in TABLE, f"{variable} is missing from the README"
    default, meaning = TABLE[variable]
    assert default == written(setting.default)
    assert meaning
    assert ("secret" in meaning.split("; ")) == (setting.name in SECRETS)


def test_the_table_has_no_setting_that_is_gone() -> None:
    assert set(TABLE) == {PREFIX + each.name.upper() for each in fields(Settings)}


def test_no_other_variable_is_promised() -> None:
    known = set(TABLE) | {f"{PREFIX}{name.upper()}_FILE" for name in SECRETS}
    assert set(re.findall(r"NAVIGATE_SAFER_[A-Z_]+[A-Z]", README)) <= known


CONTEXT = click.Context(main)


def leaves(command: click.Command, words: str = "") -> Iterator[str]:
    """Every command that does something, by its words."""
    if not isinstance(command, click.Group):
        yield words
        return
    for name in command.list_commands(CONTEXT):
        yield from leaves(command.get_command(CONTEXT, name), f"{words} {name}".strip())


@pytest.mark.parametrize("words", sorted(leaves(main)))
def test_each_command_is_mentioned(words: str) -> None:
    assert re.search(rf"`(navigate-safer )?{re.escape(words)}\b", README), words


@pytest.mark.parametrize("command", re.findall(r"navigate-safer ([a-z][a-z -]*[a-z])", README))
def test_each_command_that_it_names_is_there(command: str) -> None:
    first = command.split(maxsplit=1)[0]
    assert first in main.list_commands(CONTEXT), f"navigate-safer {command}"


@pytest.mark.parametrize("path", re.findall(r"\]\(([^)#:]+)\)", README))
def test_each_file_that_it_links_to_is_there(path: str) -> None:
    assert (ROOT / path).exists()
