"""The form of a rota's layers: what it says, and what is wrong with it."""

from collections.abc import Callable, Mapping
from datetime import date, time
from typing import TypeVar

from werkzeug.datastructures import MultiDict

from alerts.rota import Layer, On, RotaFault
from navigate_safer.services.rotas import Draft, RotaPage
from zones.schedule import WEEK, Day, Schedule, Window

LAYERS = 5
LONGEST_TURN_DAYS = 366
T = TypeVar("T")
Form = MultiDict[str, str]


def draft_of(
    form: Form, area_id: int, ref: str | None, accounts: Mapping[str, int], errors: dict[str, str]
) -> Draft | None:
    """The rota that a form says; None with what is wrong in ``errors``."""
    layers = []
    for number in range(1, LAYERS + 1):
        if form.get(f"people_{number}", "").strip():
            layer = _layer(form, number, accounts, errors)
            if layer is not None:
                layers.append(layer)
    if not layers and not errors:
        errors["people_1"] = "Enter who takes turns"
    for field, what in (("name", "Enter a name"), ("reason", "Enter why")):
        if not form.get(field, "").strip():
            errors[field] = what
    if ref is None and not form.get("ref", "").strip():
        errors["ref"] = "Enter a short reference"
    if errors:
        return None
    replaces = form.get("replaces", "")
    return Draft(
        ref=ref or form["ref"].strip(),
        name=form["name"],
        area_id=area_id,
        layers=tuple(layers),
        reason=form["reason"],
        replaces=int(replaces) if replaces.isdecimal() else 0,
        active=form.get("active") == "yes",
    )


def _layer(
    form: Form, number: int, accounts: Mapping[str, int], errors: dict[str, str]
) -> Layer | None:
    before = len(errors)
    named = [each.strip() for each in form.get(f"people_{number}", "").split(",") if each.strip()]
    unknown = [each for each in named if each not in accounts]
    if unknown:
        what = f"Layer {number}: nobody of this area has the account {unknown[0]!r}"
        errors[f"people_{number}"] = f"{what}; write accounts with commas between"
    starts_on = _read(form, f"starts_on_{number}", date.fromisoformat, errors, "a first day")
    handover = _read(form, f"handover_{number}", time.fromisoformat, errors, "a time of handover")
    days = _read(form, f"turn_days_{number}", _turn, errors, "1 to 366 days for a turn")
    until = None
    if form.get(f"until_{number}", "").strip():
        until = _read(form, f"until_{number}", date.fromisoformat, errors, "a last day")
    hours = _hours(form, number, errors)
    on = form.get(f"on_{number}", On.EVERY_DAY.value)
    if on not in {each.value for each in On}:
        errors[f"on_{number}"] = f"Layer {number}: select on which days it counts"
    if len(errors) > before or starts_on is None or handover is None or days is None:
        return None
    try:
        return Layer(
            people=tuple(accounts[each] for each in named),
            starts_on=starts_on,
            handover=handover.replace(tzinfo=None),
            turn_days=days,
            hours=hours,
            on=On(on),
            until=until,
        )
    except RotaFault as fault:
        errors[f"people_{number}"] = f"Layer {number}: {fault}"
        return None


def _turn(text: str) -> int:
    days = int(text)
    if not 1 <= days <= LONGEST_TURN_DAYS:
        raise ValueError
    return days


def _read(
    form: Form, field: str, read: Callable[[str], T], errors: dict[str, str], what: str
) -> T | None:
    try:
        value = read(form.get(field, "").strip())
    except ValueError:
        errors[field] = f"Enter {what}"
        return None
    return value


def _hours(form: Form, number: int, errors: dict[str, str]) -> Schedule | None:
    start, end = (form.get(f"{each}_{number}", "").strip() for each in ("start", "end"))
    days = tuple(Day(each) for each in form.getlist(f"days_{number}") if each in _NAMES)
    if not start and not end and not days:
        return None
    try:
        first, last = time.fromisoformat(start), time.fromisoformat(end)
    except ValueError:
        errors[f"start_{number}"] = f"Layer {number}: enter both times, such as 17:00 and 09:00"
        return None
    return Schedule((Window(days or WEEK, first, last),))


_NAMES = frozenset(each.value for each in WEEK)


def filled(page: RotaPage | None) -> Form:
    """A rota as its form shows it."""
    form: Form = MultiDict()
    form["active"] = "yes"
    if page is None:
        return form
    form["ref"], form["name"], form["replaces"] = page.ref, page.name, str(page.version)
    form["active"] = "yes" if page.active else ""
    for number, layer in enumerate(page.layers, start=1):
        people = [page.refs.get(each, "") for each in layer.people]
        form[f"people_{number}"] = ", ".join(people)
        form[f"starts_on_{number}"] = layer.starts_on.isoformat()
        form[f"handover_{number}"] = f"{layer.handover:%H:%M}"
        form[f"turn_days_{number}"] = str(layer.turn_days)
        form[f"on_{number}"] = layer.on.value
        form[f"until_{number}"] = "" if layer.until is None else layer.until.isoformat()
        if layer.hours is not None:
            window = layer.hours.windows[0]
            form[f"start_{number}"] = f"{window.start:%H:%M}"
            form[f"end_{number}"] = f"{window.end:%H:%M}"
            form.setlist(f"days_{number}", [each.value for each in window.days])
    return form
