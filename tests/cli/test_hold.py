"""hold place, list and lift: what is printed, what is refused."""

from case_files import START, small_case_file
from click.testing import CliRunner

from navigate_safer.cli import main
from navigate_safer.services import register


def test_a_hold_is_placed_listed_and_lifted(database):
    register.register(database.sessions, small_case_file(), START)
    runner = CliRunner(env={"NAVIGATE_SAFER_DATABASE_URL": database.url})
    placed = runner.invoke(
        main, ["hold", "place", "--wearer", "W-1", "--to", "2026-11-30", "--why", "T20267001"]
    )
    assert placed.exit_code == 0, placed.output
    number = placed.stdout.strip()
    listed = runner.invoke(main, ["hold", "list"]).stdout
    assert listed == f"{number}\tW-1\t... to 2026-11-30\tin force\tT20267001\n"
    assert runner.invoke(main, ["hold", "lift", number, "--why", "over"]).exit_code == 0
    assert "lifted" in runner.invoke(main, ["hold", "list"]).stdout


def test_a_hold_on_nobody_is_one_line_and_exit_code_2(database):
    runner = CliRunner(env={"NAVIGATE_SAFER_DATABASE_URL": database.url})
    refused = runner.invoke(main, ["hold", "place", "--wearer", "W-9", "--why", "court"])
    assert refused.exit_code == 2
    assert "no wearer W-9 is registered" in refused.output
