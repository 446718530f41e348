"""The reason of an alert in words: from what a rule really found to the sentence of the page."""

import re
from pathlib import Path
from types import SimpleNamespace

import jinja2
import pytest
from alcohol_days import SPILL
from builders import at, sample
from web.alert_reasons import REASONS, worn

import navigate_safer.web
from alerts.finding import FindingKind
from alerts.judge import States, judge, tick
from alerts.terms import ConditionKind
from navigate_safer.web.words import KINDS, in_words

TEMPLATES = Path(navigate_safer.web.__file__).parent / "templates"


def reason(finding):
    """The sentence, with nothing in it that the rule did not give."""
    pages = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), undefined=jinja2.StrictUndefined, autoescape=True
    )
    pages.filters["in_words"] = in_words
    pages.filters["kind"] = lambda value: KINDS[value]
    line = SimpleNamespace(kind=finding.kind.value, ended_at=finding.ended_at)
    alert = SimpleNamespace(evidence=finding.evidence, zone_name=None, also=[])
    text = pages.get_template("alert_reason.html").render(alert=alert, line=line, reasons=None)
    return " ".join(text.split())


@pytest.mark.parametrize("kind", REASONS, ids=lambda kind: kind.value)
def test_what_was_found_is_said_in_words(kind):
    condition_kind, readings, looked, words = REASONS[kind]
    fitting = worn(condition_kind)
    outcome = judge(fitting, States(), readings)
    found = dict(outcome.findings)
    if looked is not None:
        found |= tick(fitting, outcome.states, at(looked)).findings
    (finding,) = (each for each in found.values() if each.kind is kind)
    said = reason(finding)
    for each in words:
        assert each in said, said
    assert not re.search(r"\b(None|Undefined|nan)\b", said), said


def test_alcohol_that_is_not_confirmed_is_told_with_its_doubts():
    readings = [sample(30 * n, level) for n, level in enumerate([*SPILL, 0.0])]
    (found,) = judge(worn(ConditionKind.ALCOHOL_ABSTINENCE), States(), readings).findings.values()
    said = reason(found)
    assert "The rule so far: not confirmed, because too few readings in a row" in said
    assert re.search(r"from the shape alone: \d %", said)
    assert "units" not in said


def test_every_kind_has_a_name_on_the_pages():
    # What alerts about the service itself are about is no finding.
    assert set(KINDS) - {"service_fault"} == {kind.value for kind in FindingKind}
