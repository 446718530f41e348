"""What an officer does about an alert, step by step, so that the record of it makes itself.

Each kind has its own steps in their order, versioned as a whole. Contact with a victim goes
through the IDVA: no step has an officer telephone her. Sources: NIJ 1004.00 (contact the wearer,
locate, notify, dispatch) and the Ministry's violation records (contact, outcome), as summed up in
the reference; the wording is this project's.
"""

from enum import Enum

import msgspec

from alerts.finding import FindingKind

PLAYBOOK_VERSION = "1"


class Doer(Enum):
    """Who ticks a step."""

    OFFICER = "officer"
    IDVA = "idva"


class PlayStep(msgspec.Struct, frozen=True):
    """One step; ``key`` is stored with its tick, and never changes its meaning."""

    key: str
    words: str
    doer: Doer = Doer.OFFICER
    must: bool = True


_LOOK = PlayStep("look", "Look at the explanation: how sure, and what speaks against it")
_LOCATE = PlayStep("locate", "Ask the tag where it is now")
_CALL = PlayStep("call_wearer", "Call the wearer and write down what was said")
_LEAVE = PlayStep("tell_to_leave", "Tell the wearer to leave at once, and by which way")
_VICTIM = PlayStep("check_victim", "Ask the IDVA to check on the protected person", must=True)
_IDVA = PlayStep("idva_checked", "Protected person reached, or the try recorded", Doer.IDVA)
_UNIT = PlayStep("send_unit", "Send a unit, or write why not", must=True)
_MANAGER = PlayStep("tell_manager", "Tell the offender manager", must=False)
_CHECK_TAG = PlayStep("check_tag", "Compare with other devices near it: a fault before blame")
_VISIT = PlayStep("visit", "Arrange a visit to look at the tag")
_WELFARE = PlayStep("welfare", "Think of the wearer's own safety: illness, self-harm", must=False)
_CHARGE = PlayStep("charge", "Ask the wearer to charge the tag, and by when")
_GATEWAY = PlayStep("check_gateway", "Look whether its gateway or network is down")
_LAST_PLACE = PlayStep("last_place", "Look where it was last, and what is near")

PLAYBOOKS: dict[FindingKind, tuple[PlayStep, ...]] = {
    FindingKind.EXCLUSION_BREACH: (_LOOK, _VICTIM, _IDVA, _CALL, _LEAVE, _LOCATE, _UNIT, _MANAGER),
    FindingKind.CURFEW_BREACH: (_LOOK, _CALL, _LOCATE, _UNIT, _MANAGER),
    FindingKind.RESTRICTION_BREACH: (_LOOK, _CALL, _LOCATE, _UNIT, _MANAGER),
    FindingKind.ALCOHOL_THRESHOLD: (_LOOK, _CHECK_TAG, _CALL, _WELFARE, _MANAGER),
    FindingKind.COMPOUND: (_LOOK, _VICTIM, _IDVA, _CALL, _LOCATE, _UNIT, _WELFARE, _MANAGER),
    FindingKind.STRAP_TAMPER: (_CHECK_TAG, _LAST_PLACE, _VICTIM, _IDVA, _CALL, _VISIT, _UNIT),
    FindingKind.BATTERY_LOW: (_CHARGE,),
    FindingKind.BATTERY_CRITICAL: (_CHARGE, _CALL, _MANAGER),
    FindingKind.SILENCE: (_GATEWAY, _LAST_PLACE, _CALL, _VISIT, _MANAGER),
}

# A kind that has no playbook yet is not left without one.
GENERAL: tuple[PlayStep, ...] = (_LOOK, _CALL, _MANAGER)


def playbook(kind: FindingKind) -> tuple[PlayStep, ...]:
    """The steps for a kind, in order."""
    return PLAYBOOKS.get(kind, GENERAL)


def left_to_do(kind: FindingKind, ticked: frozenset[str]) -> tuple[PlayStep, ...]:
    """The steps that must be done and are not."""
    return tuple(each for each in playbook(kind) if each.must and each.key not in ticked)
