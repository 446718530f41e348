"""Take in who carries a device for her protection, and who must keep away from her."""

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from alerts.terms import ConditionKind, DeviceKind
from navigate_safer.db.people import ConditionRow, DeviceRow, VictimRow
from navigate_safer.db.protected import KeepAwayRow, VictimFittingRow
from navigate_safer.people.casefile import CaseFile, ConditionEntry
from navigate_safer.services.case_entries import CaseFileFault, span

Find = Callable[[type[Any], str, str], int]


def take_protected(session: Session, case_file: CaseFile, find: Find) -> None:
    """Devices of victims, then the conditions about them; raises CaseFileFault."""
    for victim in case_file.victims:
        where = f"victim {victim.ref}"
        victim_id = find(VictimRow, victim.ref, where)
        for fitting in victim.devices:
            what = f"{where}, {fitting.device}"
            fitted_at, removed_at = span(fitting.fitted_at, fitting.removed_at, what)
            device = session.get_one(DeviceRow, find(DeviceRow, fitting.device, where))
            if device.kind != DeviceKind.PROTECTED_PERSON.value:
                raise CaseFileFault(f"{what}: give the device the kind protected_person")
            session.add(
                VictimFittingRow(
                    device_id=device.id,
                    victim_id=victim_id,
                    fitted_at=fitted_at,
                    removed_at=removed_at,
                )
            )
    for wearer in case_file.wearers:
        for order in wearer.orders:
            for entry in order.conditions:
                _keep_away(session, entry, find, f"wearer {wearer.ref}, condition {entry.ref}")
    session.flush()


def _keep_away(session: Session, entry: ConditionEntry, find: Find, where: str) -> None:
    if entry.kind is not ConditionKind.DISTANCE:
        if entry.keep_away is not None or entry.within_m is not None:
            raise CaseFileFault(f"{where}: keep_away and within_m are for a condition of distance")
        return
    if entry.keep_away is None or entry.within_m is None:
        raise CaseFileFault(f"{where}: name in keep_away the victim, and in within_m the metres")
    session.add(
        KeepAwayRow(
            condition_id=find(ConditionRow, entry.ref, where),
            victim_id=find(VictimRow, entry.keep_away, where),
            within_m=entry.within_m,
        )
    )


def refuse_victims_device(session: Session, device_id: int, where: str) -> None:
    """A device that protects somebody is never on a wearer: his page would show where she is."""
    if session.get_one(DeviceRow, device_id).kind == DeviceKind.PROTECTED_PERSON.value:
        raise CaseFileFault(f"{where}: a device of kind protected_person cannot be on a wearer")
