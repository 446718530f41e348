"""Pages of what was refused: by reason, one entry, and what may be done with it."""

import contextlib

import msgspec
from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from devices.rejection import Reason
from navigate_safer.db.quarantine import Handling
from navigate_safer.db.refusals import LINES_ON_A_PAGE, Entry, Wanted
from navigate_safer.people.access import Permission
from navigate_safer.services import repair
from navigate_safer.services.casework import NotFound
from navigate_safer.services.repair import CannotRepair, Tried
from navigate_safer.web.auth import now, rule, scope, service

pages = Blueprint("quarantine", __name__)
LARGEST_ID = 2**63
LONGEST_FILTER = 200
# A larger message is repaired where it is made: nobody corrects a thousand readings by hand.
EDITABLE_BYTES = 32_768

# What to do about each reason, for somebody who runs the service and not for its makers.
ADVICE: dict[Reason, str] = {
    Reason.TOO_LARGE: "The sender must split the message. Ask the maker of the gateway.",
    Reason.MALFORMED: "It is not JSON, or was cut off. If one device sends many, replace its "
    "firmware or its SIM; if a gateway does, ask its maker.",
    Reason.INVALID: "It does not follow the published format. Compare it with "
    "/schema/telemetry/v1.json and tell the maker of the gateway.",
    Reason.NOT_FINITE: "A measurement is not a number: a fault of the device's firmware.",
    Reason.OUT_OF_RANGE: "A measurement is outside what can be: a fault of the device or of the "
    "gateway's conversion of units.",
    Reason.COORDINATES_SWAPPED: "Latitude and longitude are exchanged. Tell the maker of the "
    "gateway; whoever may see the message can exchange them below.",
    Reason.TIME_IN_FUTURE: "The device's clock is wrong by more than a day. Have the device reset.",
    Reason.TIME_TOO_OLD: "The reading is older than is believed. If the device was found after a "
    "long time, set it aside and keep the device as evidence.",
    Reason.UNKNOWN_TOPIC: "It was published where nothing is expected. Tell the maker of the "
    "gateway which topics there are.",
    Reason.UNKNOWN_GATEWAY: "Register the gateway, then try all of this reason again.",
    Reason.UNKNOWN_DEVICE: "Register the device, then try all of this device again. If it is not "
    "yours, set it aside.",
    Reason.WRONG_GATEWAY: "Register the device to this gateway, or to none if it may use any, "
    "then try again. If neither is right, somebody may be sending in its name.",
    Reason.WRONG_TOPIC: "The message names another device than its topic. Somebody may be sending "
    "in its name; a fault of the gateway is likelier.",
    Reason.UNSUPPORTED: "The sender speaks a version that this one does not know. Update this "
    "service, then try again.",
    Reason.INTERNAL_FAULT: "A fault of this service. Report it; after an update, try again.",
}


@pages.get("/service/quarantine")
@rule(Permission.SEE_OPERATIONS)
def index() -> ResponseReturnValue:
    """Reasons with their counts, and the entries that are asked for."""
    wanted = _wanted()
    before = request.args.get("before", type=int)
    if before is not None and not 0 < before < LARGEST_ID:
        before = None
    lines, total = repair.see_lines(service().sessions, scope(), wanted, before)
    after = request.args.get("after", 0, type=int)
    return render_template(
        "quarantine.html",
        reasons=repair.see_reasons(service().sessions, scope()),
        lines=lines,
        total=total,
        wanted=wanted,
        states=list(Handling),
        advice=_advice(wanted.reason),
        older=lines[-1].entry_id if len(lines) == LINES_ON_A_PAGE else None,
        after=after if 0 <= after < LARGEST_ID else 0,
        slice=repair.SLICE,
    )


@pages.post("/service/quarantine/try-again")
@rule(Permission.REPAIR_TELEMETRY)
def try_all() -> ResponseReturnValue:
    """The next slice of what waits for one reason, gateway or device."""
    wanted = _wanted(request.form)
    after = request.form.get("after", 0, type=int)
    tried = repair.try_slice(
        service().sessions,
        scope(),
        wanted,
        after if 0 <= after < LARGEST_ID else 0,
        now(),
        service().limits,
    )
    flash(_came_to(tried), "success" if tried.taken or not tried.messages else "warning")
    # Past the last one the next press begins anew.
    return redirect(
        url_for(
            "quarantine.index",
            reason=wanted.reason,
            gateway=wanted.gateway,
            device=wanted.device,
            after=tried.last_id,
        )
    )


@pages.get("/service/quarantine/<int:entry_id>")
@rule(Permission.SEE_OPERATIONS)
def entry(entry_id: int) -> ResponseReturnValue:
    """One entry: the message where it may be seen, the reason, what to do, what was done."""
    return _page(entry_id)


@pages.post("/service/quarantine/<int:entry_id>/try-again")
@rule(Permission.REPAIR_TELEMETRY)
def try_one(entry_id: int) -> ResponseReturnValue:
    """Put it through intake as it is."""
    _known(entry_id)
    try:
        tried = repair.try_again(service().sessions, scope(), entry_id, now(), service().limits)
    except CannotRepair as fault:
        return _page(entry_id, {"try": "; ".join(fault.faults)})
    flash(_came_to(tried), "success" if tried.taken else "warning")
    return redirect(url_for("quarantine.entry", entry_id=entry_id))


@pages.post("/service/quarantine/<int:entry_id>/correct")
@rule(Permission.REPAIR_TELEMETRY)
def correct(entry_id: int) -> ResponseReturnValue:
    """Put a corrected message through intake."""
    _known(entry_id)
    text, why = request.form.get("payload", ""), request.form.get("why", "")
    errors = {} if why.strip() else {"why": "Say why, and how you know that this is right"}
    if not text.strip():
        errors["payload"] = "Enter the corrected message"
    if errors:
        return _page(entry_id, errors)
    payload = text.replace("\r\n", "\n").encode(errors="replace")
    try:
        tried = repair.correct(
            service().sessions, scope(), entry_id, payload, why, now(), service().limits
        )
    except CannotRepair as fault:
        return _page(entry_id, {"payload": "It would be refused: " + "; ".join(fault.faults)})
    flash(_came_to(tried), "success" if tried.taken else "warning")
    return redirect(url_for("quarantine.entry", entry_id=entry_id))


@pages.post("/service/quarantine/<int:entry_id>/set-aside")
@rule(Permission.REPAIR_TELEMETRY)
def set_aside(entry_id: int) -> ResponseReturnValue:
    """Say that it will not be repaired."""
    _known(entry_id)
    why = request.form.get("reason", "")
    if not why.strip():
        return _page(entry_id, {"reason": "Say why it is set aside"})
    repair.set_aside(service().sessions, scope(), entry_id, why, now())
    flash("The message is set aside. It is still kept.", "success")
    return redirect(url_for("quarantine.entry", entry_id=entry_id))


def _page(entry_id: int, errors: dict[str, str] | None = None) -> Response:
    _known(entry_id)
    found = repair.see_entry(service().sessions, scope(), entry_id, now())
    text, why_not = _shown(found), repair.why_not(found.topic)
    editable = text is not None and found.line.payload_bytes <= EDITABLE_BYTES
    page = render_template(
        "quarantine_entry.html",
        entry=found,
        line=found.line,
        text=text,
        is_text=found.payload is not None and _is_text(found.payload),
        editable=editable,
        advice=why_not or _advice(found.line.reason),
        can_be_tried=why_not is None,
        imported=repair.is_imported(found.topic),
        errors=errors or {},
        form=request.form,
        decoded=_decoded,
    )
    return Response(page, 422 if errors else 200)


def _known(entry_id: int) -> None:
    if not 0 < entry_id < LARGEST_ID:
        raise NotFound


def _shown(found: Entry) -> str | None:
    return None if found.payload is None else _decoded(found.payload)


def _decoded(payload: bytes) -> str:
    """The message as text; JSON with a line for each field, and not past what a page can show."""
    part = payload[:EDITABLE_BYTES]
    with contextlib.suppress(msgspec.DecodeError, RecursionError, ValueError):
        part = msgspec.json.format(payload, indent=2)[:EDITABLE_BYTES]
    return part.decode("utf-8", "replace").replace("\0", "\N{SYMBOL FOR NULL}")


def _is_text(payload: bytes) -> bool:
    try:
        return "\0" not in payload.decode("utf-8")
    except UnicodeDecodeError:
        return False


def _wanted(given: object = None) -> Wanted:
    values = request.args if given is None else request.form
    reason = values.get("reason", "")
    state = values.get("state", Handling.WAITING.value)
    return Wanted(
        reason=reason if reason in [each.value for each in Reason] else None,
        gateway=values.get("gateway", "")[:LONGEST_FILTER] or None,
        device=values.get("device", "")[:LONGEST_FILTER] or None,
        state=Handling(state) if state in [each.value for each in Handling] else None,
    )


def _advice(reason: str | None) -> str | None:
    known = reason in [each.value for each in Reason]
    return ADVICE[Reason(reason)] if known else None


def _came_to(tried: Tried) -> str:
    lines = f" Lines of imported files that wait: {tried.imported:,}; import the file again."
    also = lines if tried.imported else ""
    if not tried.messages:
        return f"There was nothing to try again.{also}"
    text = f"Tried again: {tried.messages}. Taken: {tried.taken}. Refused again: {tried.refused}."
    if tried.last_id is not None and tried.left:
        text += f" Still waiting: {tried.left:,}; press again for the next."
    return text + also
