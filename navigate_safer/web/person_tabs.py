"""The navigation of one person's pages: each module of casework names its own entries."""

from collections.abc import Callable, Iterable
from types import ModuleType

import msgspec
from flask import request, url_for

from navigate_safer.people.access import Permission


class Tab(msgspec.Struct, frozen=True):
    """An entry; ``endpoint`` takes ``ref``, the person's reference.

    ``also`` are other blueprints whose pages are under the same entry.
    """

    label: str
    endpoint: str
    permission: Permission
    also: tuple[str, ...] = ()


OVERVIEW = Tab("Overview", "cases.person", Permission.SEE_CASELOAD)


def of(modules: Iterable[ModuleType]) -> "Callable[..., list[dict[str, object]]]":
    """What the template asks for the entries: of the modules that have ``PERSON_TABS``."""
    tabs = [OVERVIEW, *(tab for each in modules for tab in getattr(each, "PERSON_TABS", ()))]

    def shown(ref: str, may: Callable[[str], bool]) -> list[dict[str, object]]:
        """Entries for whoever looks: ``{text, href, active}``."""
        return [
            {
                "text": tab.label,
                "href": url_for(tab.endpoint, ref=ref),
                "active": request.endpoint == tab.endpoint
                or (tab is not OVERVIEW and request.blueprint == tab.endpoint.split(".")[0])
                or request.blueprint in tab.also,
            }
            for tab in tabs
            if may(tab.permission.name)
        ]

    return shown
