"""The pack of a tier, gathered as of a moment: the same moment gives the same pack."""

from collections.abc import Callable
from datetime import datetime

from navigate_safer.db import costs, workload
from navigate_safer.db.base import Sessions
from navigate_safer.db.reading import reading
from navigate_safer.people.access import Permission, Scope
from navigate_safer.people.outcome_packs import Facts, Pack, Tier, pack_of
from navigate_safer.services import outcomes
from navigate_safer.services.outcomes import LONDON, LONGEST_READING_S, Wish


def see_pack(
    sessions: Sessions,
    scope: Scope,
    tier: Tier,
    wish: Wish,
    now: datetime,
    names: Callable[[str], str],
) -> tuple[Pack, datetime]:
    """The pack and the moment as of which its records are; the same moment gives the same again.

    The team's is for those who may see everything of it, as known at any moment; the others are of
    the moments of figures without names. Raises Forbidden, NotFound.
    """
    team = tier is Tier.TEAM
    scope.require(Permission.SEE_OUTCOMES if team else Permission.SEE_OUTCOME_FIGURES)
    with reading(sessions, within_s=LONGEST_READING_S) as session:
        wish, known = outcomes.settled(session, wish, now, figures_only=not team)
    public = outcomes.see_report(sessions, scope, wish, now, names, without_names=True)
    report = outcomes.see_report(sessions, scope, wish, now, names) if team else public
    lines = outcomes.framework_of(sessions, public, known)
    with reading(sessions, within_s=LONGEST_READING_S) as session:
        facts = Facts(
            book=costs.book_at(session, known),
            framework=lines,
            loads=workload.loads(session, scope),
            waiting=workload.waiting(session, scope, known),
            today=known.astimezone(LONDON).date(),
        )
    return pack_of(tier, report, facts), known
