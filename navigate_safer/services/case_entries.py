"""Check the entries of a case file: what is wrong is said with the entry it is in."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
import phonenumbers

from navigate_safer.db.people import ZoneRow
from navigate_safer.db.terms import properties_of
from navigate_safer.people.casefile import CaseFile, StaffMember, Victim, ZoneEntry
from navigate_safer.people.safety import RefusedAddress, address_to_keep
from zones.fault import ZoneFault
from zones.feature import MORE_PROPERTIES, read_feature

CASE_FILE_VERSION = 1


class CaseFileFault(Exception):
    """The case file cannot be taken in; the message names the entry and what to do."""


def read_case_file(content: bytes) -> CaseFile:
    """Decode a case file; raises :class:`CaseFileFault` with the place of the first fault."""
    try:
        case_file = msgspec.json.decode(content, type=CaseFile)
    except msgspec.DecodeError as fault:
        raise CaseFileFault(str(fault)) from None
    if case_file.v != CASE_FILE_VERSION:
        raise CaseFileFault(f"v: this version reads case files of version {CASE_FILE_VERSION}")
    return case_file


def zone_row(entry: ZoneEntry) -> ZoneRow:
    """A zone's row; refused with the place of the fault when the shape is not valid."""
    schedule = None if entry.schedule is None else msgspec.to_builtins(entry.schedule)
    row = ZoneRow(
        ref=entry.ref,
        name=entry.name,
        kind=entry.kind,
        geometry=entry.geometry,
        buffer_m=entry.buffer_m,
        schedule=schedule,
        timezone=entry.timezone,
        properties=entry.properties or None,
    )
    try:
        unknown = sorted(set(entry.properties) - set(MORE_PROPERTIES))
        if unknown:
            raise ZoneFault("properties", f"{unknown[0]!r} is not known")
        read_feature(entry.ref, entry.geometry, properties_of(row))
    except ZoneFault as fault:
        raise CaseFileFault(f"zone {entry.ref}: {fault}") from None
    return row


def span(
    begins_at: datetime, ends_at: datetime | None, where: str
) -> tuple[datetime, datetime | None]:
    """The two times, if they have an offset and the second is after the first."""
    if begins_at.tzinfo is None or (ends_at is not None and ends_at.tzinfo is None):
        raise CaseFileFault(f"{where}: a time has no offset; write it as 2026-11-21T22:40:00Z")
    if ends_at is not None and ends_at <= begins_at:
        raise CaseFileFault(f"{where}: it ends before it begins")
    return begins_at, ends_at


def once(refs: Sequence[str], where: str) -> Sequence[str]:
    """The references, if none is named twice."""
    for number, ref in enumerate(refs):
        if ref in refs[:number]:
            raise CaseFileFault(f"{where}: {ref} is named twice")
    return refs


def address(entry: Victim) -> str | None:
    """The address of somebody protected, if it may be stored; that of a refuge may not."""
    try:
        return address_to_keep(entry.address or "", in_refuge=entry.in_refuge)
    except RefusedAddress as fault:
        raise CaseFileFault(f"victim {entry.ref}: {fault}") from None


def e164(entry: StaffMember) -> str | None:
    """The telephone number in the one form that replies are compared in."""
    if entry.phone is None:
        return None
    try:
        number = phonenumbers.parse(entry.phone, "GB")
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number):
        raise CaseFileFault(f"staff {entry.ref}: the phone is not a telephone number")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
