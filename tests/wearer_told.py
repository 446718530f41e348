"""What a test needs to have a wearer told: a policy of the area, a number, and the round itself."""

from alerts.wearer_messages import Way, WearerPolicy
from alerts.wearer_words import Occasion, Tone
from navigate_safer.db.people import AreaRow, StaffRow
from navigate_safer.people.access import Role, Scope
from navigate_safer.services import wearer_contacts, wearer_policies, wearer_post, wearer_telling
from navigate_safer.services.commands import CommandPolicy

NUMBER = "07700 900288"
E164 = "+447700900288"
LIMITS = CommandPolicy(lasts_s=180, per_hour=12)


def scope_of(watch, ref: str = "sup-1", role: Role = Role.SUPERVISOR) -> Scope:
    areas = frozenset(each.id for each in watch.database.all(AreaRow))
    return Scope(watch.database.one(StaffRow, StaffRow.ref == ref).id, role, areas)


def by_text(occasion: Occasion, tone: Tone = Tone.NEUTRAL) -> Way:
    return Way(occasion=occasion, by_text=True, tone=tone)


def policy(watch, *ways: Way, area: str = "west", replaces: int = 0, **limits) -> None:
    """Put a version in force, as a supervisor does."""
    area_id = watch.database.one(AreaRow, AreaRow.ref == area).id
    body = WearerPolicy(ways=ways, **limits)
    wearer_policies.save(
        watch.sessions, scope_of(watch), area_id, body, "a trial", replaces, watch.clock()
    )


def number(watch, ref: str = "W-1", typed: str = NUMBER, *, verified: bool = True) -> None:
    """Enter a wearer's number and confirm it."""
    scope = scope_of(watch)
    wearer_contacts.enter(watch.sessions, scope, ref, typed, watch.clock())
    if verified:
        said = "I called it with him before me"
        wearer_contacts.confirm(watch.sessions, scope, ref, said, watch.clock())


def look(watch) -> None:
    """One round of the scheduler."""
    wearer_telling.look(watch.sessions, watch.clock(), LIMITS)
    wearer_telling.look_ahead(watch.sessions, watch.clock(), LIMITS)


def post(watch) -> list[str]:
    """Send every text to a wearer that is due; the states they came to."""
    done = []
    while (claim := wearer_post.claim_next(
        watch.sessions, watch.ways, watch.clock, "https://safer.example.gov.uk", draw=0.0
    )) is not None:  # fmt: skip
        done.append(wearer_post.hand_over(watch.sessions, claim, watch.clock, jitter=0.0))
        assert len(done) < 100
    return done
