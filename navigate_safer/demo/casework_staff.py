"""Who writes the demonstration's casework: real scopes of the invented staff."""

import msgspec

from navigate_safer.db import demonstration
from navigate_safer.db.base import Sessions
from navigate_safer.people.access import Role, Scope


class Office(msgspec.Struct, frozen=True):
    """An area with somebody of each role, its wearers and those protected, by reference."""

    sessions: Sessions
    area_id: int
    area_ref: str
    staff: dict[Role, int]
    wearers: list[str]
    victims: list[str]

    @classmethod
    def of(cls, sessions: Sessions) -> "Office":
        """The area with the most wearers."""
        with sessions() as session:
            area_id, area_ref = demonstration.largest_area(session)
            return cls(
                sessions,
                area_id,
                area_ref,
                {Role(role): id_ for role, id_ in demonstration.staff_of(session, area_id)},
                demonstration.wearers_of(session, area_id),
                demonstration.victims_of(session, area_id),
            )

    def scope(self, role: Role) -> Scope:
        """What somebody of that role may reach in this area."""
        return Scope(self.staff[role], role, frozenset({self.area_id}))
