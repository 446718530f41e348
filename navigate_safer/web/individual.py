"""Sessions of one person: the list with what it adds up to, planning, recording, answering."""

import msgspec
from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from navigate_safer.people.access import Permission
from navigate_safer.people.days import day_of
from navigate_safer.people.programme_rules import programme_rules
from navigate_safer.people.programmes import (
    CAUTION,
    Measure,
    Mode,
    RarOrdered,
    SessionKind,
    Sitting,
    Stage,
    Template,
    templates,
)
from navigate_safer.people.session_outcomes import by_code
from navigate_safer.services import individual_sessions as individual
from navigate_safer.services import progress, session_pages
from navigate_safer.services.individual_sessions import NoSession, Recorded
from navigate_safer.services.records import Stale
from navigate_safer.services.session_pages import PersonSessions, SittingPage
from navigate_safer.web.auth import now, rule, scope, service
from navigate_safer.web.form_fields import Fields, day_fields
from navigate_safer.web.person_tabs import Tab
from navigate_safer.web.record_forms import Conflict, conflict
from navigate_safer.web.record_pages import PERSON, RECORD

pages = Blueprint("individual", __name__)
PERSON_TABS = (Tab("Sessions", "individual.person", Permission.SEE_CASEWORK),)
RECORD_PAGES = {
    "session": ("individual.session", RECORD),
    "rar_requirement": ("individual.person", PERSON),
    "progress_measure": ("individual.person", PERSON),
}
ALONE = [each for each in Mode if each is not Mode.GROUP]
MOST_WEEKS, LONGEST_MINUTES, MOST_RAR_DAYS = 52, 480, 200


@pages.get("/people/<ref>/sessions")
@rule(Permission.SEE_CASEWORK)
def person(ref: str) -> ResponseReturnValue:
    """What one person came to, and what is planned."""
    return _person(session_pages.of_person(service().sessions, scope(), ref, now()))


@pages.post("/people/<ref>/sessions")
@rule(Permission.RUN_PROGRAMMES)
def plan(ref: str) -> ResponseReturnValue:
    """Plan a session, or one a week."""
    page = session_pages.of_person(service().sessions, scope(), ref, now())
    fields = Fields(request.form)
    fields.refuse_private("title")
    fields.refuse_private("place", streets=False)
    made, weeks, programme = _planned(fields, page)
    if made is not None:
        sessions = service().sessions
        try:
            if programme:
                kept = individual.plan_programme(sessions, scope(), ref, made, programme, now())
            else:
                kept = individual.plan(sessions, scope(), ref, made, weeks, now())
        except NoSession as fault:
            fields.errors.update(fault.errors)
        else:
            flash(f"{len(kept)} session{'' if len(kept) == 1 else 's'} planned.", "success")
            return redirect(url_for("individual.person", ref=ref))
    return _person(page, request.form, fields.errors, "plan")


@pages.post("/people/<ref>/sessions/rar")
@rule(Permission.RUN_PROGRAMMES)
def rar(ref: str) -> ResponseReturnValue:
    """Days of activity that were ordered."""
    page = session_pages.of_person(service().sessions, scope(), ref, now())
    fields = Fields(request.form)
    order = fields.text("order", "the order", longest=80)
    days = fields.whole("days", "the days", least=1, most=MOST_RAR_DAYS)
    ends_on = fields.day("ends_on", "the last day of the order", required=False)
    fields.refuse_private("order")
    if not fields.errors and days is not None:
        progress.order_rar(
            service().sessions, scope(), ref, RarOrdered(order, days, ends_on), now()
        )
        flash("The days are recorded.", "success")
        return redirect(url_for("individual.person", ref=ref))
    return _person(page, request.form, fields.errors, "rar")


@pages.post("/people/<ref>/sessions/measure")
@rule(Permission.RUN_PROGRAMMES)
def measure(ref: str) -> ResponseReturnValue:
    """A scale as it was filled in."""
    page = session_pages.of_person(service().sessions, scope(), ref, now())
    fields = Fields(request.form)
    on = fields.day("measured_on", "the day", not_after=day_of(now()))
    stage = fields.choice("stage", Stage, "when in the programme")
    made = [
        fields.whole(name, words, least=-1_000, most=1_000)
        for name, words in (
            ("score", "the score"),
            ("lowest", "the lowest"),
            ("highest", "the highest"),
        )
    ]
    tool = fields.text("tool", "the name of the tool", longest=80)
    better = fields.among("better", ["higher", "lower"], "which end is better")
    note = fields.long_text("measure_note", "the note", required=False)
    fields.refuse_private("tool", "measure_note")
    score, lowest, highest = (each or 0 for each in made)
    if not fields.errors and on is not None and stage is not None:
        kept = Measure(tool, stage, on, score, lowest, highest, better == "higher", note)
        try:
            progress.measure(service().sessions, scope(), ref, kept, now())
        except NoSession as fault:
            fields.errors.update(fault.errors)
        else:
            flash("The measure is recorded.", "success")
            return redirect(url_for("individual.person", ref=ref))
    return _person(page, request.form, fields.errors, "measure")


@pages.get("/sessions/<ref>")
@rule(Permission.SEE_CASEWORK)
def session(ref: str) -> ResponseReturnValue:
    """One session."""
    page = session_pages.see(service().sessions, scope(), ref, now())
    body = page.record.body
    typed = {
        "replaces": str(page.record.version), "outcome": body.outcome or "",
        "behaviour": body.behaviour, "concern": body.concern,
        "notify": "yes" if body.notify else "", "answer": body.answer,
    }  # fmt: skip
    return _session(page, MultiDict(typed))


@pages.post("/sessions/<ref>")
@rule(Permission.RUN_PROGRAMMES)
def record(ref: str) -> ResponseReturnValue:
    """How it went."""
    page = session_pages.see(service().sessions, scope(), ref, now())
    fields, told = Fields(request.form), None
    made = Recorded(
        outcome=fields.among("outcome", by_code(), "how it went"),
        behaviour=fields.long_text("behaviour", "the note", required=False),
        concern=fields.long_text("concern", "the concern", required=False),
        notify=fields.ticked("notify"),
    )
    reason = fields.text("reason", "the reason", required=False)
    fields.refuse_private("behaviour", "concern", "reason")
    if not fields.errors:
        try:
            individual.record(
                service().sessions, scope(), ref, made, replaces=fields.version(), reason=reason,
                now=now(), voice=service().voice,
            )  # fmt: skip
        except NoSession as fault:
            fields.errors.update(fault.errors)
        except Stale as stale:
            told = conflict(stale, _as_typed(page.record.body, made))
        else:
            flash("The session is recorded.", "success")
            return redirect(url_for("individual.person", ref=page.person_ref))
    return _session(page, request.form, fields.errors, told)


def _as_typed(body: Sitting, made: Recorded) -> Sitting:
    return msgspec.structs.replace(
        body, outcome=made.outcome, behaviour=made.behaviour, concern=made.concern,
        notify=made.notify,
    )  # fmt: skip


@pages.post("/sessions/<ref>/answer")
@rule(Permission.MANAGE_CASES)
def answer(ref: str) -> ResponseReturnValue:
    """What the officer has decided or done."""
    page = session_pages.see(service().sessions, scope(), ref, now())
    fields = Fields(request.form)
    words = fields.long_text("answer", "what you have decided or done")
    fields.refuse_private("answer")
    if not fields.errors:
        try:
            individual.answer(
                service().sessions, scope(), ref, words, replaces=fields.version(), now=now()
            )
        except Stale as stale:
            by = stale.newest.made_by
            fields.errors["answer"] = f"{by} has changed the session in the meantime: look again"
            page = session_pages.see(service().sessions, scope(), ref, now())
        else:
            flash("Your answer is kept. Nothing is due of this session.", "success")
            return redirect(url_for("individual.person", ref=page.person_ref))
    form = MultiDict(request.form)
    form["replaces"] = str(page.record.version)
    return _session(page, form, fields.errors)


def _planned(fields: Fields, page: PersonSessions) -> tuple[Sitting | None, int, str]:
    """What is planned, for how many weeks, or by which programme."""
    codes = [each.code for each in _alone()]
    programme = fields.among("programme", codes, "a programme", required=False)
    title = fields.text("title", "what it is about", longest=100, required=not programme)
    starts_at = fields.instant("starts_at", "the day and time")
    minutes = fields.whole("minutes", "the minutes", least=5, most=LONGEST_MINUTES)
    weeks = fields.whole("weeks", "the weeks", least=1, most=MOST_WEEKS)
    mode = fields.choice("mode", Mode, "how it is held")
    place = fields.text("place", "where it is", required=False, longest=100)
    catch_ups = _catch_ups(page)
    chosen = fields.among("catch_up", list(catch_ups), "the session", required=False)
    if chosen and (weeks not in (None, 1) or programme):
        fields.errors["weeks"] = "A catch-up is one session, without a programme: enter 1"
    if fields.errors or starts_at is None or minutes is None or weeks is None or mode is None:
        return None, 0, ""
    group, _, unit = chosen.partition(":")
    made = Sitting(
        title=title, module="", mode=mode, starts_at=starts_at, minutes=minutes, place=place,
        group_ref=group, unit=int(unit) if unit else None, catch_up=bool(chosen),
        rar=fields.ticked("rar"),
    )  # fmt: skip
    return made, weeks, programme


def _alone() -> list[Template]:
    return [each for each in templates().templates if each.of_kind(SessionKind.ONE_TO_ONE)]


def _catch_ups(page: PersonSessions) -> dict[str, str]:
    """Sessions of groups that he has not come to, by group and number."""
    return {
        f"{each.ref}:{unit}": f"{each.body.name}, session {unit}"
        for each in page.groups
        for unit in each.missed_units
    }


def _person(
    page: PersonSessions,
    form: "MultiDict[str, str] | None" = None,
    errors: dict[str, str] | None = None,
    which: str = "",
) -> Response:
    if form is None:
        start = {"minutes": "60", "weeks": "1", "mode": Mode.IN_PERSON.value, "better": "higher"}
        form = MultiDict({**start, **day_fields("measured_on", day_of(now()))})
    shown = render_template(
        "person_sessions.html",
        page=page,
        form=form,
        errors=errors or {},
        which=which,
        now=now(),
        codes=by_code(),
        modes=ALONE,
        stages=list(Stage),
        catch_ups=_catch_ups(page),
        programmes=_alone(),
        alone=SessionKind.ONE_TO_ONE,
        rules=programme_rules(),
        caution=CAUTION,
    )
    return Response(shown, 422 if errors else 200)


def _session(
    page: SittingPage,
    form: "MultiDict[str, str]",
    errors: dict[str, str] | None = None,
    told: Conflict | None = None,
) -> Response:
    body = page.record.body
    in_register = bool(body.group_ref) and not body.catch_up
    shown = render_template(
        "session.html",
        page=page,
        form=form,
        errors=errors or {},
        conflict=told,
        now=now(),
        codes=by_code(),
        in_register=in_register,
        may_write=scope().may(Permission.RUN_PROGRAMMES) and page.begun and not in_register,
        may_answer=scope().may(Permission.MANAGE_CASES) and body.outcome is not None,
    )
    return Response(shown, 422 if errors or told else 200)
