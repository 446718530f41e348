"""What became of a command, in plain words: also that nothing did."""

from datetime import datetime

from flask import Flask

from devices.command import CommandKind, CommandState, StandingText
from navigate_safer.db.commands import CommandLine, Way
from navigate_safer.people.days import span
from navigate_safer.services.command_post import TAKEN_OFF
from navigate_safer.web import auth
from navigate_safer.web.words import clock_time, in_words

KINDS = {
    CommandKind.LOCATE: "Locate now",
    CommandKind.VIBRATE: "Vibrate",
    CommandKind.MESSAGE: "Show a text",
}
FAULTS = {
    "not_connected": "there is no connection to the broker",
    "no_answer": "the broker does not answer",
    "refused": "the broker refuses it; the service's access list must allow command/v1/#",
    "nobody_listens": "no gateway is listening for commands to this device",
    "no_gateway": "no gateway is registered that could carry it",
}


def install(app: Flask) -> None:
    """Make the filters."""
    app.jinja_env.filters.update(
        said=lambda line, ways: said(line, ways, auth.now()),
        asked_for=asked_for,
        way=way,
        is_live=lambda state: CommandState(state).live,
    )


def asked_for(line: CommandLine) -> str:
    """What was asked, with the text that the device shows."""
    words = KINDS[CommandKind(line.kind)]
    if line.standing_text is None:
        return words
    return f"{words}: “{StandingText(line.standing_text).words}”"


def said(line: CommandLine, ways: list[Way], now: datetime) -> str:
    """One or two sentences on how a command stands."""
    match CommandState(line.state):
        case CommandState.QUEUED | CommandState.SENT | CommandState.DELIVERED:
            return _under_way(line, ways)
        case CommandState.ANSWERED:
            return _answer(line, now)
        case CommandState.REFUSED:
            return f"The device refused at {clock_time(_at(line, 'refuse'))}{_why(line, 'refuse')}."
        case CommandState.FAILED:
            return _failed(line)
        case CommandState.EXPIRED:
            return _expired(line, ways)


def way(each: Way) -> str | None:
    """What stands between us and a device; None when nothing is known to."""
    found = []
    if each.gateway is not None and each.online is False:
        since = f" since {clock_time(each.status_at)}" if each.status_at else ""
        found.append(
            f"Gateway {each.gateway} has been offline{since}: the device gets a command only if "
            "the gateway is back before it expires."
        )
    if each.elsewhere:
        others = " and ".join(each.elsewhere)
        found.append(
            f"In the last hour {others} spoke for this device, which belongs to {each.gateway}. "
            "Commands go to its own gateway and may not reach it: check the register."
        )
    return " ".join(found) or None


def _under_way(line: CommandLine, ways: list[Way]) -> str:
    if line.state == CommandState.QUEUED.value:
        fault = FAULTS.get(line.fault or "")
        return f"Not sent yet: {fault}. It is tried again." if fault else "Being sent."
    if line.state == CommandState.SENT.value:
        return f"{_sent(line)} The device has not confirmed it yet.{_offline(line, ways)}"
    waits = " Waiting for its position." if line.kind == CommandKind.LOCATE.value else ""
    return f"The device has it since {clock_time(_at(line, 'deliver'))}.{waits}"


def _answer(line: CommandLine, now: datetime) -> str:
    if line.answer_at is None:
        return f"The device did it, as it said at {clock_time(_at(line, 'answer'))}."
    age, radius_m = span(now - line.answer_at), line.answer_accuracy_m
    # Zero is how devices write that they state none.
    within = f"within {radius_m:,.0f} m" if radius_m else "of no stated accuracy"
    return f"Position measured {age} ago, {within}, at {clock_time(line.answer_at)}."


def _failed(line: CommandLine) -> str:
    if line.fault == TAKEN_OFF:
        return "Not sent: the device was taken off first."
    fault = FAULTS.get(line.fault or "")
    if _at(line, "send") is None and fault is not None:
        return f"Not sent by {clock_time(line.expires_at)}: {fault}."
    if _at(line, "send") is None and not _why(line, "fail"):
        return f"Not sent by {clock_time(line.expires_at)}."
    return f"The device could not do it{_why(line, 'fail')}."


def _expired(line: CommandLine, ways: list[Way]) -> str:
    late = any(step.move.startswith("late_") for step in line.steps)
    ends = f" by {clock_time(line.expires_at)}"
    if _at(line, "deliver") is not None:
        if line.kind == CommandKind.LOCATE.value:
            return f"The device had it and measured no position{ends}."
        return f"The device had it and did not say{ends} that it was done."
    words = f"No answer{ends}. {_sent(line)} The device never confirmed it."
    return f"{words}{_offline(line, ways)}" + (" It did so after the end." if late else "")


def _sent(line: CommandLine) -> str:
    gateways = [step.gateway for step in line.steps if step.move == "send" and step.gateway]
    through = f" to {' and '.join(gateways)}" if len(gateways) in (1, 2) else ""
    return f"Sent{through} at {clock_time(_at(line, 'send'))}."


def _offline(line: CommandLine, ways: list[Way]) -> str:
    for each in ways:
        if each.device == line.device and each.online is False:
            return f" Gateway {each.gateway} is offline."
    return ""


def _at(line: CommandLine, move: str) -> datetime | None:
    return next((step.at for step in line.steps if step.move == move), None)


def _why(line: CommandLine, move: str) -> str:
    reason = next((step.reason for step in line.steps if step.move == move), None)
    return f": {in_words(reason).lower()}" if reason else ""
