"""Forms about one person: read, try to keep, and show again with what was typed.

What is typed about a wearer must not say where somebody protected lives or how they are reached: a
postcode, a street address, a telephone number or a refuge in it is refused, under its field.
"""

from collections.abc import Callable, Mapping

import msgspec
from flask import Response, render_template
from werkzeug.datastructures import MultiDict

from navigate_safer.services.one_record import Refused
from navigate_safer.services.records import Stale
from navigate_safer.web.form_fields import Fields
from navigate_safer.web.record_forms import Conflict, conflict

# Made by the page itself.
_NOT_TYPED = {"csrf_token", "seen", "replaces", "record"}

Form = MultiDict[str, str]


def refuse_addresses(fields: Fields) -> None:
    """An error under each field that holds an address, a telephone number or a refuge."""
    fields.refuse_private(*(name for name in fields.form if name not in _NOT_TYPED))


class Outcome(msgspec.Struct, frozen=True):
    """What became of a save: it was kept, or the form is shown again."""

    kept: bool
    clash: Conflict | None = None


def attempt(
    fields: Fields,
    save: Callable[[], object],
    typed: Callable[[Stale], msgspec.Struct],
) -> Outcome:
    """Try to keep what was read; faults go into ``fields``.

    ``typed`` gives what was to be saved, where somebody else has saved in between.
    """
    refuse_addresses(fields)
    if fields.errors:
        return Outcome(kept=False)
    try:
        save()
    except Refused as refused:
        fields.errors.update(refused.faults)
        return Outcome(kept=False)
    except Stale as stale:
        return Outcome(kept=False, clash=conflict(stale, typed(stale)))
    return Outcome(kept=True)


def shown(
    template: str,
    title: str,
    ref: str,
    name: str,
    form: Form,
    fields: Fields | None = None,
    clash: Conflict | None = None,
    *,
    more: Mapping[str, object],
) -> Response:
    """The form of a person as it was typed, with its errors or what somebody else has saved.

    ``more`` is what the template shows besides.
    """
    errors = {} if fields is None else fields.errors
    page = render_template(
        template,
        title=title,
        page_title=("Error: " if errors else "") + f"{title}, {name}",
        ref=ref,
        name=name,
        form=form,
        errors=errors,
        conflict=clash,
        **more,
    )
    return Response(page, 422 if errors else 409 if clash else 200)


def filled(values: dict[str, str], **several: list[str]) -> Form:
    """A form that nobody has typed into yet; ``several`` are boxes of which more are ticked."""
    form: Form = MultiDict(values)
    for name, ticked in several.items():
        form.setlist(name, ticked)
    return form
