"""An alert in words, for the papers of enforcement."""

from navigate_safer.services import consult, explaining
from navigate_safer.services.casework import NotFound
from navigate_safer.services.enforcement_papers import PackAlert
from navigate_safer.web.auth import now, scope, service
from navigate_safer.web.reasons import reasons
from navigate_safer.web.words import KINDS, in_words, moment


def explain(reference: str) -> PackAlert | None:
    """What the alert was, when, what shows it and what speaks against it; None without one."""
    try:
        detail, _, _ = consult.see_alert(service().sessions, scope(), reference, now())
        told = None
        if explaining.explained(detail.line.kind):
            told = explaining.see_explanation(service().sessions, scope(), reference, now())
    except NotFound:
        return None
    line = detail.line
    ended = "it goes on" if line.ended_at is None else f"to {moment(line.ended_at)}"
    said = [f"{detail.clause}. No officer has closed it yet."]
    if line.outcome is not None:
        said = [f"{detail.clause}. An officer closed it as: {in_words(line.outcome)}."]
    if told is not None:
        why = reasons(told)
        said += [why.lead, why.coverage, *why.against]
    what = KINDS.get(line.kind, in_words(line.kind))
    return PackAlert(reference, what, f"From {moment(line.started_at)}, {ended}.", tuple(said))
