"""The menu of interventions: what there is, for whom, and what a request for one goes through."""

from collections.abc import Iterable, Mapping
from datetime import date
from enum import Enum
from functools import lru_cache
from importlib.resources import files

import msgspec

from navigate_safer.people.access import Permission
from navigate_safer.people.records import RecordKind


class Band(Enum):
    """Bands of risk, the highest first."""

    HIGH = "high"
    MEDIUM = "medium"
    STANDARD = "standard"


class Need(Enum):
    """What an intervention is about."""

    ABUSE = "abuse"
    RELATIONSHIP_SKILLS = "relationship_skills"
    ALCOHOL = "alcohol"
    DRUGS = "drugs"
    HEALTH = "health"
    HOUSING = "housing"
    EMPLOYMENT = "employment"
    PARENTING = "parenting"
    PEER_SUPPORT = "peer_support"
    ADVOCACY = "advocacy"
    THERAPY = "therapy"
    SECURITY = "security"


class Strand(Enum):
    """Which of the three an agency's action belongs to."""

    PREVENTION = "prevention"
    PROTECTION = "protection"
    PROSECUTION = "prosecution"


class Timing(Enum):
    """Whether money is spent after harm or before it."""

    REACTIVE = "reactive"
    PREVENTIVE = "preventive"


class Motivation(Enum):
    """Whether somebody wants to change."""

    MOTIVATED = "motivated"
    NOT_MOTIVATED = "not_motivated"


class AlcoholRule(Enum):
    """For whom, as to alcohol."""

    ANY = "any"
    NEEDED = "needed"
    NOT_DEPENDENT = "not_dependent"


class AlcoholNeed(Enum):
    """What is known of somebody's drinking."""

    NONE = "none"
    HARMFUL = "harmful"
    DEPENDENT = "dependent"


class Intervention(msgspec.Struct, frozen=True):
    """One entry of the menu. Empty ``motivation`` and ``localities`` mean any.

    Places of victims and of perpetrators are two numbers: one is never spent on the other.
    ``after`` are codes to be completed first, ``beside`` those to be under way or completed.
    """

    code: str
    name: str
    about: str
    need: Need
    strand: Strand
    timing: Timing
    route: str
    bands: tuple[Band, ...]
    motivation: tuple[Motivation, ...] = ()
    alcohol: AlcoholRule = AlcoholRule.ANY
    localities: tuple[str, ...] = ()
    places_perpetrators: int = 0
    places_victims: int = 0
    after: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    first_session_days: int = 28


class ShippedMenu(msgspec.Struct, frozen=True):
    """The data file ``data/menu.json``, with which an area may begin."""

    version: str
    source: str
    interventions: tuple[Intervention, ...]


@lru_cache(maxsize=1)
def shipped() -> ShippedMenu:
    """The menu as shipped."""
    content = files("navigate_safer.people").joinpath("data", "menu.json").read_bytes()
    return msgspec.json.decode(content, type=ShippedMenu)


class Facts(msgspec.Struct, frozen=True):
    """What eligibility looks at. None is not known."""

    band: str
    locality: str
    motivation: Motivation | None = None
    alcohol: AlcoholNeed | None = None


def refusals(entry: Intervention, facts: Facts) -> list[str]:
    """Why somebody is not eligible, each in words; empty when he is."""
    said = [_places(entry), _band(entry, facts), _motivation(entry, facts)]
    said += [_alcohol(entry, facts), _locality(entry, facts)]
    return [each for each in said if each]


def _places(entry: Intervention) -> str:
    if entry.places_perpetrators > 0:
        return ""
    if entry.places_victims > 0:
        return "Its places are for victims, and a perpetrator never takes one of them."
    return "It has no places at present."


def _band(entry: Intervention, facts: Facts) -> str:
    if facts.band in [each.value for each in entry.bands]:
        return ""
    bands = " and ".join(each.value for each in entry.bands) or "no"
    return f"It is for {bands} risk, and this person is {facts.band} risk."


def _motivation(entry: Intervention, facts: Facts) -> str:
    if not entry.motivation or facts.motivation in entry.motivation:
        return ""
    wanted = "people who want to change"
    if Motivation.MOTIVATED not in entry.motivation:
        wanted = "people who do not want to change yet"
    if facts.motivation is None:
        return f"It is for {wanted}: say first whether this person does."
    return f"It is for {wanted}, and this person is put down otherwise."


def _alcohol(entry: Intervention, facts: Facts) -> str:
    if entry.alcohol is AlcoholRule.ANY:
        return ""
    if facts.alcohol is None:
        return "It depends on alcohol: say first what is known of this person's drinking."
    if entry.alcohol is AlcoholRule.NEEDED and facts.alcohol is AlcoholNeed.NONE:
        return "It is for people who drink harmfully, and this person is put down as not."
    if entry.alcohol is AlcoholRule.NOT_DEPENDENT and facts.alcohol is AlcoholNeed.DEPENDENT:
        return "It is not for people who are dependent on alcohol: treatment comes first."
    return ""


def _locality(entry: Intervention, facts: Facts) -> str:
    if not entry.localities or _same(facts.locality) in map(_same, entry.localities):
        return ""
    return f"It is offered in {', '.join(entry.localities)}, and this person is of another place."


def _same(words: str) -> str:
    return " ".join(words.split()).casefold()


class RequestState(Enum):
    """Where a request is."""

    REQUESTED = "requested"
    WAITING = "waiting"
    ACCEPTED = "accepted"
    STARTED = "started"
    COMPLETED = "completed"
    ENDED = "ended"
    DECLINED = "declined"

    @property
    def live(self) -> bool:
        """Whether there may be no second request for the same."""
        return self not in (RequestState.COMPLETED, RequestState.ENDED, RequestState.DECLINED)

    @property
    def has_place(self) -> bool:
        """Whether it takes up one of the places."""
        return self in (RequestState.ACCEPTED, RequestState.STARTED)


_S = RequestState
MOVES: Mapping[RequestState, tuple[RequestState, ...]] = {
    _S.REQUESTED: (_S.ACCEPTED, _S.WAITING, _S.DECLINED, _S.ENDED),
    _S.WAITING: (_S.ACCEPTED, _S.DECLINED, _S.ENDED),
    _S.ACCEPTED: (_S.STARTED, _S.ENDED),
    _S.STARTED: (_S.COMPLETED, _S.ENDED),
}


class EndReason(Enum):
    """Why a request came to nothing, or an intervention ended before its end."""

    STOPPED_COMING = "stopped_coming"
    REFUSED = "refused_the_offer"
    UNSUITABLE = "found_unsuitable"
    EXCLUDED = "excluded_for_behaviour"
    CUSTODY = "in_custody"
    MOVED_AWAY = "moved_away"
    ORDER_ENDED = "order_ended"
    NOT_NEEDED = "no_longer_needed"
    VICTIM_SAFETY = "safety_of_somebody"
    DIED = "died"


class Request(msgspec.Struct, frozen=True):
    """A request for one intervention for one person, with what was known when it was decided.

    ``asked_on`` is the decision from which the days to the first session count. ``warnings`` were
    shown and gone on from because of ``went_on_because``.
    """

    code: str
    name: str
    asked_on: date
    band: str
    locality: str
    motivation: Motivation | None = None
    alcohol: AlcoholNeed | None = None
    note: str = ""
    warnings: tuple[str, ...] = ()
    went_on_because: str = ""
    accepted_on: date | None = None
    first_session_on: date | None = None
    ended_on: date | None = None
    end_reason: EndReason | None = None


def warnings(
    entry: Intervention, had: Mapping[str, RequestState], names: Mapping[str, str]
) -> list[str]:
    """What is out of order: ``had`` is the furthest state by code, ``names`` the menu's."""
    said = []
    for code in entry.after:
        if had.get(code) is not RequestState.COMPLETED:
            said.append(f"{names.get(code, code)} comes first, and {_is(had.get(code))}.")
    for code in entry.beside:
        if had.get(code) not in (RequestState.STARTED, RequestState.COMPLETED):
            said.append(f"It goes with {names.get(code, code)}, which {_is(had.get(code))}.")
    return said


def _is(state: RequestState | None) -> str:
    if state is None:
        return "has not been asked for"
    return f"is {state.value}" if state is not RequestState.ENDED else "was ended early"


def queue(waiting: Iterable[tuple[str, date, str]]) -> list[str]:
    """References in the order in which places are given: by band, then by who has waited longest.

    Each of ``waiting`` is a band, the day asked and a reference. The order is this project's.
    """
    ranks = {each.value: rank for rank, each in enumerate(Band)}
    ordered = sorted(waiting, key=lambda each: (ranks.get(each[0], len(ranks)), each[1], each[2]))
    return [ref for _, _, ref in ordered]


_SEE = Permission.SEE_CASEWORK
INTERVENTION = RecordKind(
    "intervention", "Intervention", "IV", Intervention, _SEE, Permission.SET_CASEWORK
)
REQUEST = RecordKind(
    "intervention_request", "Intervention", "IR", Request, _SEE, Permission.RUN_PROGRAMMES
)
KINDS = (INTERVENTION, REQUEST)
