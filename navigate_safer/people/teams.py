"""Teams of the localities, and which of them a case goes to."""

from collections.abc import Iterable, Sequence

import msgspec

from navigate_safer.people.access import Permission
from navigate_safer.people.records import RecordKind

BANDS = ("standard", "medium", "high")


class Team(msgspec.Struct, frozen=True):
    """A case management team. Without localities it takes every one, without bands every band."""

    name: str
    localities: tuple[str, ...] = ()
    bands: tuple[str, ...] = ()

    def takes(self, locality: str, band: str) -> bool:
        """Whether a case of this locality and band is this team's."""
        here = {each.casefold() for each in self.localities}
        return (not here or locality.casefold() in here) and (not self.bands or band in self.bands)


class TeamSettings(msgspec.Struct, frozen=True):
    """The teams of an area, in the order in which they are asked."""

    teams: tuple[Team, ...] = ()


TEAMS = RecordKind(
    "team_settings", "Localities and teams", "TS", TeamSettings, Permission.SEE_CASEWORK,
    Permission.SET_CASEWORK,
)  # fmt: skip


def route(teams: Iterable[Team], locality: str, band: str) -> Team | None:
    """The team of a case: one that names the locality before one that takes all; else the first."""
    fitting = [each for each in teams if each.takes(locality, band)]
    named = [each for each in fitting if each.localities]
    return next(iter([*named, *fitting]), None)


def overlaps(teams: Sequence[Team]) -> list[str]:
    """Names that two teams have: with them nobody would know which is meant."""
    seen: set[str] = set()
    found = []
    for team in teams:
        name = team.name.casefold()
        if name in seen:
            found.append(team.name)
        seen.add(name)
    return found
