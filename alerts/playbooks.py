"""What an officer does about an alert, step by step, so that the record of it makes itself.

Each kind has its own steps in their order, versioned as a whole. Contact with a victim goes
through the IDVA: no step has an officer telephone her. That somebody is near is never
said to the wearer, who may not know it: where nearness is the breach, no step is a call. Sources:
NIJ 1004.00 (contact the wearer, locate, notify, dispatch) and the Ministry's violation records
(contact, outcome), as summed up in the reference; the wording is this project's.
"""

from enum import Enum

import msgspec

from alerts.finding import FindingKind

PLAYBOOK_VERSION = "4"


class Doer(Enum):
    """Who ticks a step."""

    OFFICER = "officer"
    IDVA = "idva"


class PlayStep(msgspec.Struct, frozen=True):
    """One step; ``key`` is stored with its tick, and never changes its meaning.

    ``live``: it makes sense only while what was found goes on; of what is over it need not be done.
    """

    key: str
    words: str
    doer: Doer = Doer.OFFICER
    must: bool = True
    live: bool = False

    def is_due(self, *, over: bool) -> bool:
        """Whether it must be done of an episode that is over, or still goes on."""
        return self.must and not (self.live and over)


_LOOK = PlayStep("look", "Look at the explanation: how sure, and what speaks against it")
_LOCATE = PlayStep("locate", "Ask the tag where it is now")
_CALL = PlayStep("call_wearer", "Call the wearer and write down what was said")
_LEAVE = PlayStep("tell_to_leave", "Tell the wearer to leave at once, and by which way", live=True)
_VICTIM = PlayStep("check_victim", "Ask the IDVA to check on the protected person", must=True)
_IDVA = PlayStep("idva_checked", "Protected person reached, or the try recorded", Doer.IDVA)
_UNIT = PlayStep("send_unit", "Send a unit, or write why not", must=True)
_MANAGER = PlayStep("tell_manager", "Tell the offender manager", must=False)
_CHECK_TAG = PlayStep("check_tag", "Compare with other devices near it: a fault before blame")
_VISIT = PlayStep("visit", "Arrange a visit to look at the tag")
_VISIT_IF = PlayStep("visit_if", "If it goes on, arrange a visit to look at the tag", must=False)
_WELFARE = PlayStep("welfare", "Think of the wearer's own safety: illness, self-harm", must=False)
_CHARGE = PlayStep("charge", "Ask the wearer to charge the tag, and by when")
_GATEWAY = PlayStep("check_gateway", "Look whether its gateway or network is down")
# Of which zone it is about the wearer hears nothing: it may guard an address that is secret.
_UNCOVER = PlayStep(
    "uncover",
    "Call the wearer: uncover the tag, go to a window, or outdoors where allowed; name no zone",
)
_SAFE = PlayStep(
    "think_of_protected",
    "Where the zone protects somebody and the wearer is not reached, ask the IDVA to check on her",
    must=False,
)
_LAST_PLACE = PlayStep("last_place", "Look where it was last, and what is near")
# Whatever is said to the wearer of the time and the place of it tells where she was.
_AGREE = PlayStep(
    "agree_words",
    "Before any call to the wearer agree the words with the IDVA; never say that somebody is near",
    must=False,
)

_IN_EXCLUSION = (_LOOK, _VICTIM, _IDVA, _CALL, _LEAVE, _LOCATE, _UNIT, _MANAGER)
_OUTSIDE = (_LOOK, _CALL, _LOCATE, _UNIT, _MANAGER)
_ALCOHOL = (_LOOK, _CHECK_TAG, _CALL, _WELFARE, _MANAGER)
# One of its parts may be nearness to her.
_CASE = (_LOOK, _VICTIM, _IDVA, _AGREE, _CALL, _LOCATE, _UNIT, _WELFARE, _MANAGER)

PLAYBOOKS: dict[FindingKind, tuple[PlayStep, ...]] = {
    FindingKind.EXCLUSION_BREACH: _IN_EXCLUSION,
    FindingKind.CURFEW_BREACH: _OUTSIDE,
    FindingKind.RESTRICTION_BREACH: _OUTSIDE,
    FindingKind.DISTANCE_BREACH: (_LOOK, _VICTIM, _IDVA, _LOCATE, _UNIT, _AGREE, _MANAGER),
    # What a tag itself concluded of a zone or a curfew is the same matter.
    FindingKind.ZONE_EVENT: _IN_EXCLUSION,
    FindingKind.CURFEW_EVENT: _OUTSIDE,
    FindingKind.ALCOHOL_THRESHOLD: _ALCOHOL,
    FindingKind.ALCOHOL_CONFIRMED: _ALCOHOL,
    FindingKind.CONTACT_LOST: (_LOOK, _CHECK_TAG, _CALL, _VISIT, _WELFARE, _MANAGER),
    FindingKind.SENSOR_FAULT: (_CHECK_TAG, _VISIT, _MANAGER),
    FindingKind.COMPOUND: _CASE,
    FindingKind.STRAP_TAMPER: (_CHECK_TAG, _LAST_PLACE, _VICTIM, _IDVA, _CALL, _VISIT, _UNIT),
    FindingKind.BATTERY_LOW: (_CHARGE,),
    FindingKind.BATTERY_CRITICAL: (_CHARGE, _CALL, _MANAGER),
    # The tag is heard, so that it can be asked.
    FindingKind.POSITION_UNKNOWN: (
        _LOCATE,
        _LAST_PLACE,
        _CHECK_TAG,
        _UNCOVER,
        _SAFE,
        _VISIT_IF,
        _MANAGER,
    ),
    FindingKind.SILENCE: (_GATEWAY, _LAST_PLACE, _CALL, _VISIT, _MANAGER),
}

# A kind that has no playbook yet is not left without one.
GENERAL: tuple[PlayStep, ...] = (_LOOK, _CALL, _MANAGER)


def playbook(kind: FindingKind) -> tuple[PlayStep, ...]:
    """The steps for a kind, in order."""
    return PLAYBOOKS.get(kind, GENERAL)


def left_to_do(
    kind: FindingKind, ticked: frozenset[str], *, over: bool = False
) -> tuple[PlayStep, ...]:
    """The steps that must be done and are not; ``over``: what was found goes on no longer."""
    return tuple(
        each for each in playbook(kind) if each.is_due(over=over) and each.key not in ticked
    )
