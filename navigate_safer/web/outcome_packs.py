"""The quarterly packs: as a page, as a PDF, as a workbook."""

from datetime import datetime

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from navigate_safer.people.access import Permission
from navigate_safer.people.outcome_packs import Pack, Tier
from navigate_safer.people.outcome_report import SMALL
from navigate_safer.people.outcome_table import words
from navigate_safer.services import outcome_pack, outcome_packs
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.outcome_wish import asked, name_of, query, without_second_set
from navigate_safer.web.outcomes import TITLES, curves_of

pages = Blueprint("outcome_packs", __name__)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pages.get("/outcomes/pack")
@rule(Permission.SEE_OUTCOME_FIGURES)
def pack() -> ResponseReturnValue:
    """The pack as a page; its address gives the same again."""
    if asked().errors:
        return _back()
    made, known = _made()
    again = _again(made, known)
    return render_template(
        "outcomes_pack.html",
        pack=made,
        report=made.report,
        known=known,
        query=again,
        titles=TITLES if made.tier is Tier.TEAM else {},
        static_curves=True,
        small=SMALL,
        words=words,
        curves_of=curves_of,
        digest=outcome_pack.digest(made),
    )


@pages.get("/outcomes/pack.pdf")
@rule(Permission.SEE_OUTCOME_FIGURES)
def pack_pdf() -> ResponseReturnValue:
    """The pack, printed."""
    if asked().errors:
        return _back()
    made, known = _made()
    return _file(outcome_pack.pdf(made, known), "application/pdf", made, "pdf")


@pages.get("/outcomes/pack.xlsx")
@rule(Permission.SEE_OUTCOME_FIGURES)
def pack_spreadsheet() -> ResponseReturnValue:
    """The pack as a workbook."""
    if asked().errors:
        return _back()
    made, known = _made()
    return _file(outcome_pack.spreadsheet(made, known), XLSX, made, "xlsx")


def _back() -> ResponseReturnValue:
    return redirect(f"{url_for('outcomes.report')}?{request.query_string.decode()}")


def _made() -> tuple[Pack, datetime]:
    """The pack as of the moment that the address names, now if none, and the moment it is of."""
    wish = without_second_set(asked().wish)
    tiers = {each.value: each for each in Tier}
    usual = Tier.TEAM if scope().may(Permission.SEE_OUTCOMES) else Tier.BOARD
    if request.args.get("view") == "public":
        usual = Tier.BOARD
    tier = tiers.get(request.args.get("tier", ""), usual)
    sessions = service().sessions
    return outcome_packs.see_pack(sessions, scope(), tier, wish, now(), name_of)


def _again(made: Pack, known: datetime) -> dict[str, str | list[str]]:
    """The address that gives the same pack again."""
    shared = {"tier": made.tier.value, "known": known.isoformat(timespec="microseconds")}
    if made.tier is not Tier.TEAM:
        return {**shared}
    return {**query(without_second_set(asked().wish), public=False), **shared}


def _file(content: bytes, kind: str, made: Pack, ending: str) -> Response:
    name = f"outcomes-{made.tier.value}-{made.report.as_at}.{ending}"
    return Response(
        content,
        content_type=kind,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
