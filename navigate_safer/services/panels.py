"""Meetings: plan one, put people on its agenda, write what was said, follow the actions."""

from datetime import date, datetime, time, timedelta

import msgspec

from navigate_safer.db.base import Sessions
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.days import LONDON, day_of, end_of
from navigate_safer.people.panels import (
    ACTION,
    ITEM,
    PANEL,
    RULES,
    Action,
    Heard,
    Item,
    Panel,
    PanelFigures,
    PanelKind,
    figures,
    repeat_of,
)
from navigate_safer.people.records import Due, Record
from navigate_safer.services import records
from navigate_safer.services.records import About

PLANNED, HELD = "planned", "held"
OPEN, DONE = "open", "done"
# The figures of the page are of a year.
COUNTED = timedelta(days=365)


class AlreadyListed(Exception):
    """The person is on this agenda."""


class PanelPage(msgspec.Struct, frozen=True):
    """One meeting with its agenda and its actions."""

    panel: Record[Panel]
    items: list[Record[Item]]
    actions: list[Record[Action]]
    versions: list[Record[Panel]]


class PanelsPage(msgspec.Struct, frozen=True):
    """The meetings of the areas, what is overdue, and the figures of each kind over a year."""

    coming: list[Record[Panel]]
    held: list[Record[Panel]]
    undone: list[Record[Action]]
    figures: dict[PanelKind, PanelFigures]


def see_all(sessions: Sessions, scope: Scope, now: datetime) -> PanelsPage:
    """The meetings; raises Forbidden."""
    with sessions.begin() as session:
        panels = records.listed(session, scope, PANEL)
        items = records.listed(session, scope, ITEM, states=[Heard.HEARD.value])
        actions = records.listed(session, scope, ACTION)
        counted = {kind: _figures(kind, panels, items, actions, now) for kind in PanelKind}
        records.consulted(session, scope, "meetings", now, detail={"meetings": len(panels)})
        undone = sorted(
            (each for each in actions if each.state == OPEN), key=lambda each: each.body.due_on
        )
        coming = sorted((each for each in panels if each.state == PLANNED), key=lambda a: a.at)
        return PanelsPage(coming, [each for each in panels if each.state == HELD], undone, counted)


def see(sessions: Sessions, scope: Scope, ref: str, now: datetime) -> PanelPage:
    """One meeting; raises Forbidden and NotFound."""
    with sessions.begin() as session:
        versions = records.versions(session, scope, PANEL, ref)
        items = records.listed(session, scope, ITEM, subject=ref)
        actions = records.listed(session, scope, ACTION, subject=ref)
        people: list[object] = [each.wearer_id for each in items]
        records.consulted(session, scope, "meeting", now, detail={"record": ref, "people": people})
        return PanelPage(versions[0], items[::-1], actions[::-1], versions)


def of_item(sessions: Sessions, scope: Scope, ref: str) -> str:
    """The meeting of an item of an agenda; raises Forbidden and NotFound."""
    with sessions() as session:
        return records.newest(session, scope, ITEM, ref).body.panel


def of_action(sessions: Sessions, scope: Scope, ref: str) -> str:
    """The meeting of an action; raises Forbidden and NotFound."""
    with sessions() as session:
        return records.newest(session, scope, ACTION, ref).body.panel


def of_person(sessions: Sessions, scope: Scope, ref: str) -> list[Record[Item]]:
    """Where a person was heard or is listed; the page that shows it writes the log."""
    if not scope.may(Permission.RUN_MEETINGS):
        return []
    with sessions() as session:
        of, _ = records.about(session, scope, ref)
        return records.listed(session, scope, ITEM, wearer_id=of.wearer_id)


def plan(
    sessions: Sessions, scope: Scope, area_id: int, panel: Panel, now: datetime
) -> Record[Panel]:
    """Set a meeting for a day; raises Forbidden and NotFound."""
    with sessions.begin() as session:
        due = Due(_at(panel), f"{panel.kind.label} is held: write its minutes")
        return records.add(
            session, scope, PANEL, About(area_id), panel,
            now=now, at=_at(panel), state=PLANNED, due=due,
        )  # fmt: skip


def list_person(
    sessions: Sessions,
    scope: Scope,
    panel_ref: str,
    person_ref: str,
    referred_on: date,
    referred_by: str,
    why: str,
    now: datetime,
) -> Record[Item]:
    """Put a person on the agenda; raises NotFound and :class:`AlreadyListed`.

    Whether it is a repeat follows from the referrals before, heard or not.
    """
    with sessions.begin() as session:
        panel = records.newest(session, scope, PANEL, panel_ref)
        of, _ = records.about(session, scope, person_ref)
        earlier = records.listed(session, scope, ITEM, wearer_id=of.wearer_id)
        if any(each.subject == panel_ref for each in earlier):
            raise AlreadyListed
        body = panel.body
        item = _settled(
            Item(panel_ref, body.kind, body.held_on, referred_on, referred_by, why), earlier
        )
        of = About(of.area_id, of.wearer_id, panel_ref)
        return records.add(
            session, scope, ITEM, of, item, now=now, at=panel.at, state=Heard.LISTED.value
        )


def _settled(item: Item, others: list[Record[Item]]) -> Item:
    """The item with the referral before it, of those of the person as they are known now.

    What was referred on the same day is the same referral, put off to another meeting.
    """
    before = [
        (each.body.panel_kind, each.body.referred_on)
        for each in others
        if each.body.referred_on < item.referred_on
    ]
    earlier_on = repeat_of(item.panel_kind, item.referred_on, before, RULES)
    return msgspec.structs.replace(item, earlier_on=earlier_on)


def write_minutes(
    sessions: Sessions,
    scope: Scope,
    ref: str,
    panel: Panel,
    items: dict[str, tuple[int, Heard, str]],
    *,
    replaces: int,
    now: datetime,
) -> Record[Panel]:
    """Keep who was there and what was said, of the meeting and of each person: all or nothing.

    Who is a repeat is settled again, since an earlier referral may have been written down later.
    ``items``: reference of an item to the version that was read, how far it is, and its minutes.
    Raises NotFound and Stale.
    """
    with sessions.begin() as session:
        kept = records.change(
            session, scope, PANEL, ref, panel, replaces=replaces, now=now, at=_at(panel), state=HELD
        )
        for item_ref, (version, heard, text) in items.items():
            old = records.newest(session, scope, ITEM, item_ref)
            others = records.listed(session, scope, ITEM, wearer_id=old.wearer_id)
            body = msgspec.structs.replace(old.body, minutes=text, held_on=panel.held_on)
            body = _settled(body, others)
            unchanged = body == old.body and old.state == heard.value
            if old.subject == ref and not unchanged:
                records.change(
                    session, scope, ITEM, item_ref, body,
                    replaces=version, now=now, at=kept.at, state=heard.value,
                )  # fmt: skip
        return kept


def ask(
    sessions: Sessions, scope: Scope, panel_ref: str, person_ref: str, action: Action, now: datetime
) -> Record[Action]:
    """An action about a person of the agenda, due at the end of its day; raises NotFound."""
    with sessions.begin() as session:
        records.newest(session, scope, PANEL, panel_ref)
        of, _ = records.about(session, scope, person_ref)
        due = Due(end_of(action.due_on), f"Action of a meeting: {action.agency}")
        of = About(of.area_id, of.wearer_id, panel_ref)
        return records.add(session, scope, ACTION, of, action, now=now, state=OPEN, due=due)


def done(
    sessions: Sessions, scope: Scope, ref: str, result: str, *, replaces: int, now: datetime
) -> Record[Action]:
    """An action is done; raises NotFound and Stale."""
    with sessions.begin() as session:
        old = records.newest(session, scope, ACTION, ref)
        body = msgspec.structs.replace(old.body, done_on=day_of(now), result=result)
        return records.change(
            session, scope, ACTION, ref, body, replaces=replaces, now=now, state=DONE, reason=result
        )


def _at(panel: Panel) -> datetime:
    hour, minute = panel.starts.split(":")
    return datetime.combine(panel.held_on, time(int(hour), int(minute)), LONDON)


def _figures(
    kind: PanelKind,
    panels: list[Record[Panel]],
    items: list[Record[Item]],
    actions: list[Record[Action]],
    now: datetime,
) -> PanelFigures:
    counted = [
        each
        for each in panels
        if each.body.kind is kind and each.state == HELD and each.at > now - COUNTED
    ]
    refs = {each.ref for each in counted}
    heard = [(each.wearer_id or 0, each.body) for each in items if each.subject in refs]
    asked = [each.body for each in actions if each.subject in refs]
    return figures([each.body for each in counted], heard, asked, day_of(now))
