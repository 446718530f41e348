"""Every text that can be sent travels as one part: GSM-7, no more than 160 septets, longest case.

The templates are found in the code, so that a new one fails here until its longest case is given.
"""

import ast
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from case_files import INSIDE, OUTSIDE, walk
from watch import Watch

from alerts.delivery import Fault, SendError
from alerts.finding import Severity
from alerts.messages import (
    MOST_TOGETHER,
    NOT_ACKNOWLEDGED_BY_CODE,
    ONE_PART_SEPTETS,
    breach_text,
    bundle_text,
    gsm7_septets,
)
from alerts.policy import Channel
from alerts.senders.recording import RecordingSender
from navigate_safer.db.alerting import TextRow
from navigate_safer.services import alerting, contacts, deliver, stopped, sweep
from navigate_safer.services.telling import Voice
from navigate_safer.settings import LONGEST_PUBLIC_URL

ROOT = Path(__file__).parent.parent.parent
LONGEST_URL = "https://".ljust(LONGEST_PUBLIC_URL, "x")
REFERENCE, CODE = "CCCCCC", "000000"

# The longest case of each template whose words go out as a text.
LONGEST = {
    "alerts/messages.py breach_text": [
        breach_text(
            reference=REFERENCE, word=each.word, code=CODE, link=f"{LONGEST_URL}/a/{REFERENCE}"
        )
        for each in Severity
    ],
    "alerts/messages.py bundle_text": [
        bundle_text(
            word=each.word,
            alerts=[(REFERENCE, CODE)] * number,
            link=f"{LONGEST_URL}/a/{REFERENCE}",
        )
        for each in Severity
        for number in range(2, MOST_TOGETHER + 1)
    ],
    "alerts/messages.py NOT_ACKNOWLEDGED_BY_CODE": [NOT_ACKNOWLEDGED_BY_CODE],
    "navigate_safer/services/contacts.py code_text": [
        contacts.code_text(CODE, f"check {2**63 - 1}")
    ],
}
# What begins as our texts do, or says our name, and goes out another way.
NO_TEXTS = {
    "alerts/messages.py breach_call": "said by a voice",
    "alerts/messages.py breach_email": "an e-mail",
    "alerts/messages.py ACKNOWLEDGED_BY_KEY": "said by a voice",
    "alerts/messages.py NOT_ACKNOWLEDGED_BY_KEY": "said by a voice",
    "alerts/messages.py _OWN_WORD": "finds the severity word in a breach_text",
    "alerts/messages.py with_word": "a breach_text with another word, where it fits",
    "navigate_safer/people/outcome_packs.py late_items": "a row of a pack",
    "alerts/rota_ical.py PRODUCT": "the maker of a calendar file",
    "alerts/senders/smtp_email.py _written": "the subject of an e-mail",
}
# Whoever hands a body over, and what he takes it from. A new one must take it from a template.
HANDED_OVER = {
    "navigate_safer/services/claiming.py _outgoing": "the row's body",
    "navigate_safer/services/telling.py _write": "breach_text, breach_call or breach_email",
    "navigate_safer/services/telling.py _body": "breach_text, breach_call or breach_email",
    "navigate_safer/wiring.py send_code": "code_text",
    "navigate_safer/wiring.py text_back": "NOT_ACKNOWLEDGED_BY_CODE",
    "navigate_safer/services/contacts.py ask": "code_text",
    "navigate_safer/services/ack_links.py body": "breach_text",
    "navigate_safer/services/bundles.py _body": "bundle_text",
    "navigate_safer/services/wearer_contacts.py send_code": "code_text",
    # The longest cases of wearer_words are in test_wearer_messages.
    "navigate_safer/services/wearer_post.py _outgoing": "wearer_words",
}
_TEXT_MAKERS = {"OutgoingText", "TextRow"}
_TEMPLATES = {each.rsplit(" ", 1)[-1] for each in LONGEST}
# A module without one of these has nothing to do with texts, and need not be parsed.
_SIGNS = {"Navigate Safer", *(f"{each}(" for each in _TEXT_MAKERS | _TEMPLATES)}


def modules() -> Iterator[tuple[str, ast.Module]]:
    """The modules that have anything to do with texts."""
    for package in ("alerts", "navigate_safer"):
        for path in sorted((ROOT / package).rglob("*.py")):
            words = path.read_text(encoding="utf-8")
            if any(each in words for each in _SIGNS):
                yield path.relative_to(ROOT).as_posix(), ast.parse(words)


def owners(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Every node of a module with the innermost function, or the constant, that it is in."""

    def within(node: ast.AST, owner: str) -> Iterator[tuple[str, ast.AST]]:
        for child in ast.iter_child_nodes(node):
            inner = owner
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                inner = child.name
            elif isinstance(child, ast.Assign) and not owner and child.targets:
                inner = getattr(child.targets[0], "id", "")
            yield inner, child
            yield from within(child, inner)

    return within(tree, "")


def docstrings(tree: ast.Module) -> set[int]:
    """The docstrings of a module and of everything in it, by identity."""
    bodies = [node.body for node in ast.walk(tree) if hasattr(node, "body")]
    firsts = [body[0] for body in bodies if isinstance(body, list) and body]
    return {
        id(first.value)
        for first in firsts
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    }


def named() -> set[str]:
    """Every function or constant whose words say our name, as each text does; pages say it too."""
    found = set()
    for name, tree in modules():
        if name.startswith(("navigate_safer/web", "navigate_safer/cli", "navigate_safer/demo")):
            continue
        said = docstrings(tree)
        for owner, node in owners(tree):
            words = isinstance(node, ast.Constant) and id(node) not in said and node.value
            if isinstance(words, str) and "Navigate Safer" in words:
                found.add(f"{name} {owner}")
    return found


def handed_over() -> set[str]:
    """Every function that makes a text for a sender, or calls one of the two templates."""
    found = set()
    for name, tree in modules():
        for owner, node in owners(tree):
            if isinstance(node, ast.Call):
                called = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if called in _TEXT_MAKERS | _TEMPLATES:
                    found.add(f"{name} {owner}")
    return found


def test_every_template_that_says_our_name_has_its_longest_case_here():
    about_us = {"navigate_safer/people/outcome_framework.py"}
    found = {each for each in named() if each.split(" ")[0] not in about_us}
    assert found == set(LONGEST) | set(NO_TEXTS), "give the longest case of a new text in LONGEST"


def test_nothing_hands_a_text_over_that_is_not_of_a_template():
    assert handed_over() == set(HANDED_OVER), "say in HANDED_OVER which template it is of"


@pytest.mark.parametrize("template", LONGEST)
def test_the_longest_case_of_a_template_is_one_part(template: str):
    for said in LONGEST[template]:
        septets = gsm7_septets(said)
        assert septets is not None, "a character outside GSM-7 halves the room"
        assert septets <= ONE_PART_SEPTETS


# What is really sent, whatever made it.


@pytest.fixture(params=["sqlite"])
def factory(request, _factories, tmp_path_factory):
    """The words are the same on every database."""
    from databases import SqliteFactory

    return _factories.setdefault("sqlite", SqliteFactory(tmp_path_factory.mktemp("sqlite")))


def run_out(watch: Watch, seconds: int) -> None:
    """Escalate and deliver as the workers do, each five seconds, with the longest address."""
    for _ in range(0, seconds, 5):
        while sweep.escalate_next(watch.sessions, watch.clock(), Voice(LONGEST_URL)) is not None:
            pass
        while deliver.deliver_next(
            watch.sessions, watch.ways, watch.clock, LONGEST_URL, jitter=0.0
        ):
            pass
        watch.clock.forward(seconds=5)


def test_alert_escalation_reminder_resend_and_the_notices_of_the_service_are_one_part_each(
    database,
):
    watch = Watch(database)
    second = RecordingSender(watch.clock, name="second")
    watch.others = [second]
    watch.hear(*walk("TAG-1", OUTSIDE, INSIDE))
    for nth, fault in enumerate((Fault.AMBIGUOUS, Fault.RATE_LIMITED), start=1):
        watch.sender.fail(nth, SendError(fault, "planted"))
    run_out(watch, 3 * 120 + 130)
    with database.sessions.begin() as session:
        alerting.open_service_alert(
            session, "worker: ingest", Severity.HIGH, watch.clock(), Voice(LONGEST_URL), "gone"
        )
    stopped.tell(database.sessions, "+447700900101", watch.clock(), Voice(LONGEST_URL))
    run_out(watch, 10)
    rows = database.all(TextRow)
    assert any(row.resent_after_unknown for row in rows), "a resend is among them"
    told = [row.staff_id for row in rows if row.step >= 2]
    assert any(a == b for a, b in itertools.pairwise(told)), "so is a reminder to the last person"
    sent = [*watch.sender.sent, *second.sent]
    assert {each.channel for each in sent} == {Channel.SMS}
    assert second.sent, "both providers were used"
    assert len({each.reference for each in sent}) == 3, "the breach and two about the service"
    for each in sent:
        septets = gsm7_septets(each.body)
        assert septets is not None, each.reference
        assert septets <= ONE_PART_SEPTETS, each.reference
