"""Providers, the tick and gateways, judged from what the rows say: part of the service's health.

A provider that fails beside another that works is a warning that is told at once: a breach still
reaches its officer, and would not if the other one failed too.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from alerts.delivery import Fault
from alerts.finding import Severity
from alerts.providers import HealthLimits
from navigate_safer.db.parts import GatewayFacts, PartFacts, ProviderFacts
from navigate_safer.db.seals import LogFacts
from navigate_safer.people.days import span
from navigate_safer.services.checks import Check, State
from navigate_safer.services.telling import gateway_part

# Policy of this project, version 1. A gateway is called quiet when every device that reports
# through it could be called silent (alerts/terms.py).
GATEWAY_QUIET = timedelta(minutes=15)
# A wording or an address that was refused is told of for so long; the next text says it again.
REFUSAL_SHOWN = timedelta(hours=1)
# Without new errors weight drifts back (alerts/providers.py); a weight that has been nothing for
# longer is of a provider that is set up no more.
NO_WEIGHT_SHOWN = timedelta(minutes=15)
# Logs are checked each day; what is a day late is checked by nobody.
CHECKED_WITHIN = timedelta(days=2)
_LIMITS = HealthLimits()
_OURS = {
    Fault.PROVIDER_UNUSABLE: "refuses us: its account, credentials or sender must be mended",
    Fault.CONTENT_REFUSED: "or a carrier refuses what our texts say: breaches may go unread",
    Fault.BAD_CALLBACK: "refuses the address for its receipts: what it delivers is not known",
}


def judge(found: PartFacts, now: datetime) -> list[Check]:
    """One check for each provider and the tick, and one for each gateway that is quiet."""
    return [
        *(_provider(each, found.providers, now) for each in found.providers),
        _tick(found.steps_overdue),
        *_gateways(found, now),
    ]


def _provider(each: ProviderFacts, all_: Sequence[ProviderFacts], now: datetime) -> Check:
    name = f"provider: {each.name}"
    wrong = _wrong(each, now)
    if wrong is None:
        return Check(name, State.OK, f"Provider {each.name} takes what it is given.")
    text, hides_breaches = f"Provider {each.name} {wrong[0]}.", wrong[1]
    others = [other for other in all_ if other.name != each.name and _wrong(other, now) is None]
    if each.channels <= {channel for other in others for channel in other.channels}:
        return Check(
            name, State.WARNING, f"{text} Others take its messages.", told_as=Severity.MEDIUM
        )
    if not hides_breaches:
        return Check(name, State.WARNING, text, told_as=Severity.MEDIUM)
    return Check(name, State.FAULT, text)


def _wrong(each: ProviderFacts, now: datetime) -> tuple[str, bool] | None:
    """What is wrong in words, and whether breaches go unseen by it; None where nothing is."""
    for fault, words in _OURS.items():
        at = each.ours.get(fault)
        if at is not None and _still(fault, at, each.accepted_at, now):
            return words, fault.tell_supervisor
    if each.failed >= _LIMITS.errors_in_window:
        return f"has failed {each.failed} calls within the last minute", True
    if each.points == 0 and each.moved is not None and now - each.moved[0] <= NO_WEIGHT_SHOWN:
        return f"gets no texts at present ({each.moved[1]})", True
    return None


def _still(fault: Fault, at: datetime, accepted_at: datetime | None, now: datetime) -> bool:
    """Whether a refusal still stands: one of us until it takes something, one of a text a while."""
    if fault.provider_is_down:
        return accepted_at is None or accepted_at < at
    return now - at <= REFUSAL_SHOWN


def _tick(overdue: int) -> Check:
    if overdue:
        text = f"{overdue} alert(s) should have been told to the next person and were not."
        return Check("tick", State.FAULT, text)
    return Check("tick", State.OK, "Whoever is next is told in time.")


def _gateways(found: PartFacts, now: datetime) -> list[Check]:
    """Those that bring nothing while intake listens; without intake no gateway is to blame."""
    if found.listening_since is None:
        return []
    quiet = [(each, now - _heard(each, found.listening_since)) for each in found.gateways]
    return [_quiet(each, span) for each, span in quiet if span > GATEWAY_QUIET]


def _heard(each: GatewayFacts, listening_since: datetime) -> datetime:
    """Since when nothing has come: the last message, or since one could have come."""
    # A message may have come at the end of its minute.
    newest = None if each.newest_at is None else each.newest_at + timedelta(minutes=1)
    known = (listening_since, each.online_since, newest)
    return max(at for at in known if at is not None)


def _quiet(each: GatewayFacts, quiet: timedelta) -> Check:
    text = (
        f"A gateway is connected and has brought no message for {span(quiet)}; "
        f"{each.devices} fitted device(s) report through it."
    )
    detail = f"It is {each.ref}."
    name = gateway_part(each.gateway_id)
    return Check(name, State.WARNING, text, told_as=Severity.HIGH, detail=detail)


def logs(found: Sequence[LogFacts], now: datetime) -> list[Check]:
    """One check for each log that was ever checked: whether its chain held, and who seals it."""
    return [_log(each, now) for each in found]


def _log(each: LogFacts, now: datetime) -> Check:
    name, ago = f"log: {each.name}", span(now - each.checked_at)
    if each.fault is not None:
        text = f"The {each.label} is not what was sealed: its chain did not hold {ago} ago."
        return Check(name, State.WARNING, text, told_as=Severity.MEDIUM, detail=f"{each.fault}.")
    if each.waiting or now - each.checked_at > CHECKED_WITHIN:
        text = f"The {each.label} is not sealed as it grows; it was checked {ago} ago."
        return Check(name, State.WARNING, text)
    signed = "signed" if each.is_signed else "not signed: no key is set"
    return Check(name, State.OK, f"The {each.label} was whole {ago} ago ({signed}).")
