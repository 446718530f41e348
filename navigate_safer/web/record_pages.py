"""Where the page of a record is: each module of casework names its own kinds."""

from collections.abc import Callable, Iterable
from types import ModuleType

from flask import url_for

# What fills the address: the record's own reference, or the person's.
RECORD, PERSON = "record", "person"


def of(modules: Iterable[ModuleType]) -> "Callable[..., str | None]":
    """What templates ask for the address of a record.

    Of the modules that have ``RECORD_PAGES``: {kind: (endpoint, RECORD or PERSON)}; the endpoint
    takes ``ref``. None for a kind without a page.
    """
    known: dict[str, tuple[str, str]] = {}
    for each in modules:
        known.update(getattr(each, "RECORD_PAGES", {}))

    def page_of(kind: str, record_ref: str, person_ref: str | None) -> str | None:
        endpoint, filled = known.get(kind, ("", ""))
        ref = record_ref if filled == RECORD else person_ref
        return url_for(endpoint, ref=ref) if endpoint and ref else None

    return page_of
