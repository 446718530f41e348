"""Who may do what: the one table that every route and every query passes.

Deny by default: a role has the permissions listed here and no others, and sees the areas it is
given and no others. The whole policy is readable on one page so that an auditor can read it.
"""

from enum import Enum

import msgspec


class Role(Enum):
    """The roles of the service."""

    DUTY_OFFICER = "duty_officer"
    OFFENDER_MANAGER = "offender_manager"
    PROGRAMME_FACILITATOR = "programme_facilitator"
    IDVA = "idva"
    ACCESS_TEAM = "access_team"
    SUPERVISOR = "supervisor"
    AUDITOR = "auditor"
    SYSTEM_ADMINISTRATOR = "system_administrator"
    BOARD_MEMBER = "board_member"

    @property
    def label(self) -> str:
        """The role as a person reads it."""
        return "IDVA" if self is Role.IDVA else self.value.replace("_", " ").capitalize()


class Permission(Enum):
    """One thing that can be done or seen."""

    SEE_BOARD = "see the duty board and alerts"
    ACT_ON_ALERTS = "acknowledge and resolve alerts"
    SEE_CASELOAD = "see wearers, their orders and compliance"
    SEE_PLACES = "see positions, trails and zone shapes"
    SEE_ALCOHOL = "see alcohol readings"
    EDIT_ZONES = "draw, change and import zones, and allow exceptions"
    COMMAND_DEVICES = "ask a device for its position, and make it vibrate or show a text"
    CONTACT_WEARERS = "enter and verify a wearer's telephone number"
    SEE_VICTIMS = "see who is protected and where"
    SEE_OUTCOME_FIGURES = "see figures of outcomes, without names, small numbers left out"
    SEE_OUTCOMES = "see outcomes, and the people and records behind each figure"
    EDIT_OUTCOME_BASIS = "change what outcomes rest on: costs, ledger, tables of harm"
    CONTACT_VICTIMS = "be in contact with a protected person, and record it"
    ANSWER_PROTECTION = "answer alerts about a protected person's device"
    RUN_ALERTING = "say who is told of alerts: policies and rotas; see what alerts ask of officers"
    SEE_AUDIT = "read the log of who saw and did what"
    SEE_OPERATIONS = "see gateways, devices, quarantine and workers, without case data"
    MEND_SERVICE = "answer alerts about the service itself"
    REPAIR_TELEMETRY = "try again, correct or set aside what was refused"
    SEE_CASEWORK = "see plans, assessments, sessions and meetings"
    TRIAGE = "take in referrals and decide on them"
    ASSESS = "assess risk and need"
    MANAGE_CASES = "write plans, orders, offers and enforcement"
    SELECT_COHORT = "decide who is in the cohort, and who works with whom"
    RUN_PROGRAMMES = "run programmes and fill in registers"
    RUN_MEETINGS = "prepare meetings and write their minutes and actions"
    USE_PARTNER_DATA = "look up what partners hold, for a stated purpose"
    LOAD_PARTNER_DATA = "take in extracts of partners"
    SEE_CAPACITY = "see caseloads, waits and funding"
    SET_CASEWORK = "change forms, teams, programmes and other settings of casework"
    OWN_ACCOUNT = "own account"


_P = Permission
_OUTCOMES = frozenset({_P.SEE_OUTCOME_FIGURES, _P.SEE_OUTCOMES})
_CASE = frozenset({_P.SEE_BOARD, _P.SEE_CASELOAD, _P.SEE_CASEWORK, _P.OWN_ACCOUNT})
# Of those who work with a person; who is told what by whom is the kind of record's own rule.
_CASEWORK = frozenset(
    {_P.ASSESS, _P.MANAGE_CASES, _P.RUN_PROGRAMMES, _P.RUN_MEETINGS, _P.USE_PARTNER_DATA}
)

GRANTS: dict[Role, frozenset[Permission]] = {
    Role.DUTY_OFFICER: _CASE
    | {_P.ACT_ON_ALERTS, _P.SEE_PLACES, _P.SEE_ALCOHOL, _P.COMMAND_DEVICES, _P.MEND_SERVICE}
    | {_P.ANSWER_PROTECTION},
    Role.OFFENDER_MANAGER: _CASE
    | {_P.ACT_ON_ALERTS, _P.SEE_PLACES, _P.SEE_ALCOHOL, _P.COMMAND_DEVICES, _P.EDIT_ZONES}
    | {_P.SELECT_COHORT, _P.SEE_CAPACITY}
    | {_P.CONTACT_WEARERS}
    | _CASEWORK
    | _OUTCOMES,
    Role.SUPERVISOR: _CASE
    | {_P.ACT_ON_ALERTS, _P.SEE_PLACES, _P.SEE_ALCOHOL, _P.SEE_OPERATIONS, _P.SEE_AUDIT}
    | {_P.REPAIR_TELEMETRY, _P.COMMAND_DEVICES, _P.EDIT_ZONES, _P.MEND_SERVICE}
    | {_P.RUN_ALERTING, _P.TRIAGE, _P.SELECT_COHORT, _P.SEE_CAPACITY, _P.SET_CASEWORK}
    | {_P.LOAD_PARTNER_DATA}
    | {_P.EDIT_OUTCOME_BASIS, _P.ANSWER_PROTECTION}
    | {_P.CONTACT_WEARERS}
    | _CASEWORK
    | _OUTCOMES,
    Role.PROGRAMME_FACILITATOR: frozenset(
        {_P.SEE_CASELOAD, _P.SEE_CASEWORK, _P.RUN_PROGRAMMES, _P.OWN_ACCOUNT}
    ),
    Role.IDVA: _CASE
    | {_P.SEE_VICTIMS, _P.CONTACT_VICTIMS, _P.ASSESS, _P.RUN_MEETINGS}
    | {_P.ANSWER_PROTECTION},
    Role.ACCESS_TEAM: frozenset(
        {_P.SEE_CASELOAD, _P.SEE_CASEWORK, _P.TRIAGE, _P.ASSESS, _P.RUN_MEETINGS}
        | {_P.USE_PARTNER_DATA, _P.LOAD_PARTNER_DATA, _P.SEE_OUTCOME_FIGURES, _P.OWN_ACCOUNT}
    ),
    Role.AUDITOR: frozenset({_P.SEE_AUDIT, _P.SEE_OUTCOME_FIGURES, _P.OWN_ACCOUNT}),
    Role.SYSTEM_ADMINISTRATOR: frozenset(
        {_P.SEE_OPERATIONS, _P.REPAIR_TELEMETRY, _P.MEND_SERVICE, _P.OWN_ACCOUNT}
    ),
    Role.BOARD_MEMBER: frozenset({_P.SEE_OUTCOME_FIGURES, _P.OWN_ACCOUNT}),
}


class Forbidden(Exception):
    """The actor may not do this; the message names the permission and nothing of the record."""


class Scope(msgspec.Struct, frozen=True):
    """What one signed-in person may reach; every query about cases takes one.

    ``areas`` are area ids. A scope is made from the rows in force at this request, so a change
    of role works at once.
    """

    staff_id: int
    role: Role
    areas: frozenset[int]

    def may(self, permission: Permission) -> bool:
        """Whether the role carries the permission."""
        return permission in GRANTS[self.role]

    def require(self, permission: Permission) -> None:
        """Raise :class:`Forbidden` unless the role carries the permission."""
        if not self.may(permission):
            raise Forbidden(f"{self.role.label} may not {permission.value}")
