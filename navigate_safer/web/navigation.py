"""What every page shows of the service around it: the entries for whoever looks, and banners."""

from flask import Flask, g, request, url_for

from navigate_safer.people.access import Permission
from navigate_safer.web import auth

ON_CALL = ("/rotas", "/silences", "/policies", "/wearer-messages", "/burden", "/account")
Entry = tuple[Permission, str, str, tuple[str, ...]]
# The pages of casework that are about an area and not about one person.
CASEWORK: tuple[Entry, ...] = (
    (Permission.TRIAGE, "Intake", "referrals.queue", ("/intake", "/assessments")),
    (Permission.SEE_CASEWORK, "Cohort", "cohort.listed", ("/cohort", "/plans")),
    (Permission.SEE_CASEWORK, "Menu", "menu.listed", ("/menu",)),
    (Permission.SEE_CASEWORK, "Groups", "groups.listed", ("/groups", "/sessions")),
    (Permission.SEE_CAPACITY, "Capacity", "capacity.see", ("/capacity",)),
    (Permission.RUN_MEETINGS, "Meetings", "panels.listed", ("/meetings",)),
    (Permission.USE_PARTNER_DATA, "Partners", "hub.listed", ("/hub",)),
    (Permission.SEE_VICTIMS, "Protected people", "victims.listed", ("/victims",)),
)


def install(app: Flask) -> None:
    """Give every page its entries."""
    app.context_processor(_page)


def _page() -> dict[str, object]:
    who = g.get("signed_in")
    if who is None:
        return {"navigation": [], "signed_in": None, "degraded": []}
    may = who.scope.may
    shows_faults = may(Permission.SEE_BOARD) or may(Permission.SEE_OPERATIONS)
    return {
        "navigation": _navigation(may),
        "casework_tabs": _casework_tabs(may),
        "signed_in": {"name": who.name, "role": who.scope.role.label},
        "degraded": auth.degraded() if shows_faults else [],
        "may": lambda name: may(Permission[name]),
    }


def _first_of_casework(may: object) -> list[Entry]:
    """One entry for all of casework, to the first of its pages that somebody may see."""
    assert callable(may)
    first = next((each for each in CASEWORK if may(each[0])), None)
    paths = tuple(path for each in CASEWORK for path in each[3])
    return [] if first is None else [(first[0], "Casework", first[2], paths)]


def _casework_tabs(may: object) -> list[dict[str, object]]:
    """The pages of casework, on each of them; empty elsewhere."""
    assert callable(may)
    if not any(request.path.startswith(paths) for _, _, _, paths in CASEWORK):
        return []
    return [
        {"text": text, "href": url_for(endpoint), "active": request.path.startswith(paths)}
        for permission, text, endpoint, paths in CASEWORK
        if may(permission)
    ]


def _navigation(may: object) -> list[dict[str, object]]:
    assert callable(may)
    entries = (
        (Permission.SEE_BOARD, "Duty board", "board.board", ("/board", "/alerts")),
        (Permission.SEE_CASEWORK, "Today", "today.today", ("/today",)),
        (Permission.SEE_CASELOAD, "Caseload", "cases.caseload", ("/caseload", "/people")),
        *_first_of_casework(may),
        (Permission.SEE_PLACES, "Zones", "zones.listed", ("/zones",)),
        (Permission.SEE_PLACES, "Near a place", "near.question", ("/near",)),
        (Permission.SEE_OUTCOME_FIGURES, "Outcomes", "outcomes.report", ("/outcomes",)),
        (Permission.ACT_ON_ALERTS, "Who is told", "rotas.listed", ON_CALL),
        (Permission.SEE_OPERATIONS, "Service", "oversight.operations", ("/service",)),
        (Permission.SEE_AUDIT, "Audit log", "oversight.audit", ("/audit",)),
    )
    return [
        {"text": text, "href": url_for(endpoint), "active": request.path.startswith(paths)}
        for permission, text, endpoint, paths in entries
        if may(permission)
    ]
