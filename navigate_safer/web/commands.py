"""Ask a wearer's device: where it is now, to vibrate, to show a text; and what came of it."""

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from devices.command import CommandKind, CommandState, StandingText
from navigate_safer.people import private_text
from navigate_safer.people.access import Permission
from navigate_safer.services import commands
from navigate_safer.services.commands import Asked, CommandPolicy, Panel, Wanted
from navigate_safer.web import command_words
from navigate_safer.web.auth import now, rule, scope, service

pages = Blueprint("commands", __name__)
# The page asks so often while a command is under way; the answer is waited for by somebody.
POLL_S, POLL_SETTLED_S = 2, 15


def panel(ref: str) -> Panel:
    """Commands of one wearer, for this page and for the person's."""
    made = service()
    return commands.see_panel(made.sessions, scope(), ref, now(), made.wall_clock())


@pages.get("/people/<ref>/commands")
@rule(Permission.COMMAND_DEVICES)
def desk(ref: str) -> ResponseReturnValue:
    """Everything that can be asked of this wearer's devices."""
    return _page(ref)


@pages.get("/people/<ref>/commands.json")
@rule(Permission.COMMAND_DEVICES)
def state(ref: str) -> ResponseReturnValue:
    """How the newest commands stand, in the words of the page."""
    shown = panel(ref)
    lines = [
        {
            "id": line.name,
            "state": line.state,
            "live": CommandState(line.state).live,
            "text": command_words.said(line, shown.ways, now()),
        }
        for line in shown.lines
    ]
    return jsonify({"commands": lines})


@pages.post("/people/<ref>/commands/ask")
@rule(Permission.COMMAND_DEVICES)
def ask(ref: str) -> ResponseReturnValue:
    """Queue a command."""
    wanted, errors = _read()
    if wanted is None:
        return _page(ref, errors)
    made = service()
    settings = made.settings
    policy = CommandPolicy(settings.command_lasts_s, settings.commands_per_hour)
    asked = commands.ask(made.sessions, scope(), ref, wanted, now(), policy)
    if asked is Asked.NEEDS_REASON:
        return _page(ref, {"reason": "Enter why you ask this of the device"})
    if asked is Asked.NO_POSITIONS:
        return _page(ref, {"device": f"{wanted.device} measures no positions: select a tag"})
    if asked is Asked.TOO_MANY:
        text = (
            f"Not sent: {wanted.device} has had {settings.commands_per_hour} commands within an "
            "hour, the most that its battery is asked for. Wait, or use its ordinary positions."
        )
        flash(text, "error")
    elif asked is Asked.ALREADY:
        flash("This is being asked already; the answer will show below.", "information")
    else:
        flash(f"{command_words.KINDS[wanted.kind]}: asked of {wanted.device}.", "success")
    return redirect(url_for("cases.person", ref=ref, _anchor="commands"))


def _read() -> tuple[Wanted | None, dict[str, str]]:
    form, errors = request.form, {}
    kinds = {each.value: each for each in CommandKind}
    kind = kinds.get(form.get("kind", ""))
    if kind is None:
        errors["kind"] = "Select what the device should do"
    texts = {each.value: each for each in StandingText}
    text = texts.get(form.get("text", "")) if kind is CommandKind.MESSAGE else None
    if kind is CommandKind.MESSAGE and text is None:
        errors["text"] = "Select a text for the device to show"
    device = form.get("device", "")
    if not device:
        errors["device"] = "Select a device"
    wrong = private_text.fault(form.get("reason", ""))
    if wrong is not None:
        errors["reason"] = wrong
    if errors or kind is None:
        return None, errors
    return Wanted(device, kind, text, form.get("reason", "")), {}


def _page(ref: str, errors: dict[str, str] | None = None) -> Response:
    page = render_template(
        "commands.html",
        ref=ref,
        panel=panel(ref),
        texts=list(StandingText),
        errors=errors or {},
        form=request.form,
    )
    return Response(page, 422 if errors else 200)
