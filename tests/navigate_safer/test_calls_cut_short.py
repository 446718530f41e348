"""A sender that is to be killed in a call may have ended by then; then it is the next one."""

from datetime import UTC, datetime

from navigate_safer.demo.text_provider import TextProvider, Trouble

NOW = datetime(2026, 11, 22, 21, tzinfo=UTC)


def a_provider(killed: list[bool], planned: list[Trouble]) -> TextProvider:
    provider = TextProvider(lambda: NOW, slow_s=0, hangs_s=0, kill=lambda: killed.pop(0))
    provider.plan = lambda _method: planned.pop(0) if planned else None
    return provider


def test_a_sender_that_had_ended_is_killed_in_its_next_text_and_not_in_a_look_for_one():
    with a_provider([False, True], [Trouble.KILL_AFTER]) as provider:
        provider.cut_short(provider.next_trouble("POST"))
        assert provider.next_trouble("GET") is None
        again = provider.next_trouble("POST")
        assert again is Trouble.KILL_AFTER
        provider.cut_short(again)
        assert provider.next_trouble("POST") is None


def test_a_sender_that_was_killed_is_killed_once():
    with a_provider([True], [Trouble.KILL_BEFORE]) as provider:
        provider.cut_short(provider.next_trouble("POST"))
        assert provider.next_trouble("POST") is None
