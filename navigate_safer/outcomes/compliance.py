"""Days without alcohol or tamper, and attendance."""

import msgspec

from navigate_safer.outcomes.estimate import Estimate, Reasons
from navigate_safer.outcomes.refusal import BadOutcomeInput, Count


class Sessions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sessions of a programme, by how they ended."""

    offered: Count
    attended: Count
    acceptable_absence: Count
    unacceptable_absence: Count


class Days(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Days on which a monitor was worn, and those with confirmed alcohol, tamper, or both."""

    days_worn: Count
    alcohol_only_days: Count
    tamper_only_days: Count
    both_days: Count
    sessions: Sessions


class Compliance(Estimate, frozen=True, kw_only=True):
    """Rates are shares between 0 and 1."""

    compliant_days: int
    compliance_rate: float | None
    attendance_rate: float | None
    offered_balances: bool


def compliance(days: Days) -> Compliance:
    """Compliant days and attendance.

    A compliant day has neither confirmed alcohol nor tamper: days worn less the three others.
    Attendance = attended / (offered - acceptable absences). ``offered_balances`` says whether
    offered = attended + both kinds of absence; the rate is given also where it does not, unless
    more were attended than could be. Source: Ministry of Justice, alcohol monitoring statistics;
    Home Office standards for perpetrator programmes (2023).

    Raises :class:`BadOutcomeInput` for more days with an alert than were worn.
    """
    alerts = days.alcohol_only_days + days.tamper_only_days + days.both_days
    if alerts > days.days_worn:
        raise BadOutcomeInput(
            f"days_worn: {days.days_worn} is less than the {alerts} days with alcohol, tamper or "
            f"both; each day counts in one of the three"
        )
    reasons: Reasons = {}
    if not days.days_worn:
        reasons["compliance_rate"] = "no day was worn"
    return Compliance(
        compliant_days=days.days_worn - alerts,
        compliance_rate=(days.days_worn - alerts) / days.days_worn if days.days_worn else None,
        attendance_rate=_attendance(days.sessions, reasons),
        offered_balances=days.sessions.offered == _ended(days.sessions),
        reasons=reasons,
    )


def _ended(sessions: Sessions) -> int:
    return sessions.attended + sessions.acceptable_absence + sessions.unacceptable_absence


def _attendance(sessions: Sessions, reasons: Reasons) -> float | None:
    expected = sessions.offered - sessions.acceptable_absence
    if expected <= 0:
        reasons["attendance_rate"] = "no session was offered that had to be attended"
        return None
    if sessions.attended > expected:
        reasons["attendance_rate"] = (
            f"{sessions.attended} attended of {expected} to attend: the numbers do not balance"
        )
        return None
    return sessions.attended / expected
