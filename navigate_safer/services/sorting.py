"""Pieces of hot days that are over, sorted one by one; see :mod:`navigate_safer.db.pieces`.

A run that was killed leaves at most a copy that nobody reads and a trigger that notes what nobody
asks for; the next run drops the one and takes up the other.
"""

from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from navigate_safer.db import days, partitions, pieces
from navigate_safer.db.base import Sessions
from navigate_safer.db.pieces import Piece
from navigate_safer.db.reading_rows import FixRow
from navigate_safer.services.storage import (
    BETWEEN_TRIES_S,
    TRIES,
    Wait,
    attempt,
    on_postgresql,
)
from navigate_safer.services.storage_trouble import StorageFault, Trouble


def sort_pieces(
    sessions: Sessions,
    now: datetime,
    wait: Wait,
    least_bytes: int = pieces.LEAST_BYTES,
    most_meanwhile: int = pieces.MOST_MEANWHILE,
    trouble: Trouble | None = None,
) -> int:
    """Sort every piece that is due; how many were. One that is in use is left for the next run.

    With ``trouble`` one whose copy is not the same is noted and passed over; without it raises.
    """
    if not on_postgresql(sessions):
        return 0
    attempt(sessions, _drop_left_over)
    with sessions.begin() as session:
        due = pieces.to_sort(session, now, least_bytes)
        past = days.states(session, FixRow, {piece.day for piece in due})
    hot = [piece for piece in due if piece.day not in past]
    done = 0
    for piece in hot:
        with nullcontext() if trouble is None else trouble.of_day(FixRow, piece.day):
            done += sort_piece(sessions, piece, wait, most_meanwhile)
    return done


def _drop_left_over(session: Session) -> None:
    partitions.be_brief(session)
    pieces.drop_left_over(session)


def sort_piece(
    sessions: Sessions, piece: Piece, wait: Wait, most_meanwhile: int = pieces.MOST_MEANWHILE
) -> bool:
    """Watch a piece, sort it beside itself, put the sorted one in its place; False if in use.

    Raises StorageFault where the copy is not what the piece holds.
    """
    if not attempt(sessions, partial(pieces.watch, piece=piece)):
        return False
    write_copy(sessions, piece)
    step = partial(pieces.exchange, piece=piece, most_meanwhile=most_meanwhile)
    if _put_in_place(sessions, step, wait):
        return True
    attempt(sessions, partial(pieces.drop_copy, piece=piece))
    return False


def _put_in_place(sessions: Sessions, step: Callable[[Session], object], wait: Wait) -> bool:
    for number in range(TRIES):
        try:
            if attempt(sessions, step):
                return True
        except pieces.TooMuchCame:
            return False
        if number + 1 < TRIES:
            wait(BETWEEN_TRIES_S)
    return False


def write_copy(sessions: Sessions, piece: Piece) -> None:
    """Make the sorted copy of a watched piece, and compare. Raises StorageFault."""
    with sessions() as session:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        held, copied = pieces.sort(session, piece)
        if held != copied:
            raise StorageFault(f"{piece.name}: the sorted copy is not the same")
        session.commit()
