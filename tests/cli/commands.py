"""Runs the commands and tells a refusal from a crash."""

from pathlib import Path

from click.testing import CliRunner, Result

from navigate_safer.cli import main


def run(*arguments: str | Path, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments], env=env)


def check_refused(result: Result, *words: str) -> str:
    """One line on standard error that holds the words, nothing on standard output, exit code 2."""
    assert result.exit_code == 2, result.output
    assert isinstance(result.exception, SystemExit)
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert result.stdout == ""
    for word in words:
        assert word in lines[0]
    return lines[0]
