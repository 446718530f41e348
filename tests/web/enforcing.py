"""An order, failures, a breach and a notice of the small office, as its staff would make them."""

from datetime import date, timedelta

from case_files import START
from msgspec.structs import replace
from web.on_call import scope_of
from web.world import World

from navigate_safer.db.people import OrderRow
from navigate_safer.people.breaches import BREACH
from navigate_safer.people.failures import FAILURE
from navigate_safer.people.notices import NOTICE, Notice
from navigate_safer.people.orders import OrderFile
from navigate_safer.services import breaches, failures, notices, orders, records

DAY = timedelta(days=1)
OF = "W-EXC"
MISSED = "You missed your group session"


def order_of(world: World, wearer: str = OF) -> int:
    """The number of the licence of a wearer."""
    return world.database.one(OrderRow, OrderRow.ref == f"O-{wearer}").id


def listed(world: World, kind):
    """Current records of a kind about the wearer, the newest first."""
    scope = scope_of(world, "manager")
    with world.database.sessions() as session:
        of, _ = records.about(session, scope, OF)
        return records.listed(session, scope, kind, wearer_id=of.wearer_id)


def community_order(world: World) -> str:
    """The reference of a community order of the wearer, beside the licence."""
    scope = scope_of(world, "manager")
    draft = OrderFile(
        "", "community_order", "Chester Magistrates' Court", "CH/26/77", date(2026, 9, 1),
        date(2026, 9, 1), date(2027, 8, 31),
    )  # fmt: skip
    number = orders.make(world.database.sessions, scope, OF, draft, world.clock())
    return world.database.one(OrderRow, OrderRow.id == number).ref


def missed(world: World, days_ago: int, source_ref: str) -> str:
    """The reference of a session that was missed."""
    scope = scope_of(world, "facilitator")
    with world.database.sessions.begin() as session:
        of, _ = records.about(session, scope, OF)
        at = START - days_ago * DAY
        made = failures.propose(session, scope, of, MISSED, at, source_ref, world.clock())
        return made.ref


def decided(world: World, ref: str, order_ref: str, kind: str) -> str:
    """The same once the officer has decided that there was no good reason."""
    known = next(each for each in listed(world, FAILURE) if each.ref == ref)
    body = replace(known.body, requirement="Attend", order_ref=order_ref, order_kind=kind)
    failures.decide(
        world.database.sessions, scope_of(world, "manager"), ref, body, acceptable=False,
        why="No proof was shown", replaces=known.version, now=world.clock(),
    )  # fmt: skip
    return ref


def failure_of(world: World) -> str:
    """A failure under the licence for which there was no good reason, made once."""
    known = [each.ref for each in listed(world, FAILURE) if each.body.source_ref == "SE-1"]
    if known:
        return known[0]
    return decided(world, missed(world, 3, "SE-1"), f"O-{OF}", "licence")


def breach_of(world: World) -> str:
    """A breach of the licence that waits for its pack, made once."""
    if not listed(world, BREACH):
        ref = decided(world, missed(world, 1, "SE-2"), f"O-{OF}", "licence")
        (known,) = [each for each in listed(world, FAILURE) if each.ref == ref]
        breaches.refer(
            world.database.sessions, scope_of(world, "manager"), ref, why="It was serious",
            referred_to="E. Officer", replaces=known.version, now=world.clock(),
        )  # fmt: skip
    return listed(world, BREACH)[0].ref


def notice_of(world: World) -> str:
    """A notice of the police whose clock is running, made once."""
    if not listed(world, NOTICE):
        given = Notice("dapn", START - DAY, "Inspector 4411")
        scope = scope_of(world, "manager")
        notices.start(world.database.sessions, scope, OF, given, world.clock())
    return listed(world, NOTICE)[0].ref
