"""A rota, a policy and a silence of the small office, made as its staff would make them."""

from datetime import date, time, timedelta

from web.world import World

from alerts.finding import FindingKind, Severity
from alerts.policy import Channel, Step, Target
from alerts.rota import Layer
from alerts.silences import Reason, SilenceKind
from navigate_safer.db.answering import RotaVersionRow
from navigate_safer.db.people import AreaRow, StaffRow
from navigate_safer.db.telling import PolicyRow, RotaRow, SilenceRow
from navigate_safer.people.access import Scope
from navigate_safer.services import accounts, policies, rotas, silencing
from navigate_safer.services.policies import Draft
from navigate_safer.services.silencing import Wanted


def scope_of(world: World, account: str) -> Scope:
    """What an account may reach."""
    staff = world.database.one(StaffRow, StaffRow.ref == account)
    with world.database.sessions() as session:
        return accounts.scope_of(session, staff)


def staff_id(world: World, account: str) -> int:
    return world.database.one(StaffRow, StaffRow.ref == account).id


def west(world: World) -> int:
    return world.database.one(AreaRow, AreaRow.ref == "west").id


def rota_of(world: World, *people: str, **layer: object) -> str:
    """The reference of a rota by turns of a week, made once."""
    if not world.database.all(RotaRow):
        who = tuple(staff_id(world, each) for each in people or ("duty", "duty-2"))
        values = {"starts_on": date(2026, 11, 2), "handover": time(9), **layer}
        draft = rotas.Draft(
            ref="west-duty", name="West duty", area_id=west(world),
            layers=(Layer(people=who, **values),), reason="first rota",
        )  # fmt: skip
        rotas.save(world.database.sessions, scope_of(world, "supervisor"), draft, world.clock(),
                   new=True)  # fmt: skip
        assert world.database.one(RotaVersionRow).version == 1
    return world.database.one(RotaRow).ref


def policy_of(world: World, *steps: Step, **changed: object) -> str:
    """The number of a policy of the west, made once."""
    if not world.database.all(PolicyRow):
        officers = Step(
            target=Target.ROLE, role="duty_officer", channel=Channel.SMS, answer_within_s=120
        )
        values = {"severities": frozenset({Severity.CRITICAL}), "kinds": None,
                  "area_id": west(world), "about_service": False, **changed}  # fmt: skip
        draft = Draft(name="Nights", steps=steps or (officers,), reason="first one", **values)
        scope = scope_of(world, "supervisor")
        policies.save(world.database.sessions, scope, None, draft, world.clock())
    return str(world.database.all(PolicyRow)[0].number)


def silence_of(world: World, account: str = "admin", **changed: object) -> str:
    """The number of a silence that somebody else made, made once."""
    known = world.database.all(SilenceRow)
    if known:
        return str(known[0].id)
    now = world.clock()
    values = {
        "kind": SilenceKind.SILENCE, "subject": "wearer", "ref": "W-EXC", "kinds": None,
        "from_at": now, "until_at": now + timedelta(hours=2), "reason": Reason.BEING_DEALT_WITH,
        "words": "a unit is with him", **changed,
    }  # fmt: skip
    author = "manager" if account == "admin" else account
    wanted = Wanted(**values)
    number = silencing.make(world.database.sessions, scope_of(world, author), wanted, now)
    return str(number)


BATTERY = frozenset({FindingKind.BATTERY_LOW})
