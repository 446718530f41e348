"""A table of any shape for the page, the printed pack and the spreadsheet: one source for all.

A cell is words, or a number with the words that it is shown by. Under each table stands what can
and what cannot be concluded from it.
"""

import msgspec

MINUS = "\N{MINUS SIGN}"
POUND = "\N{POUND SIGN}"
NOT_STATED = "not stated"
NOT_APPLICABLE = "n/a"


class Number(msgspec.Struct, frozen=True):
    """A number and how it is written; a spreadsheet takes the number."""

    text: str
    value: float


Cell = str | Number


class Table(msgspec.Struct, frozen=True):
    """``picture`` is an SVG that shows what the table says; ``first`` heads the rows."""

    key: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    said: tuple[str, ...]
    method: str = ""
    picture: str = ""


def words(cell: Cell) -> str:
    """The cell as it is read."""
    return cell.text if isinstance(cell, Number) else cell


def pounds(value: float | None, pence: bool = False, *, otherwise: str = NOT_STATED) -> Cell:
    """Money, to the pound unless ``pence``."""
    if value is None:
        return otherwise
    written = f"{abs(value):,.{2 if pence else 0}f}"
    sign = MINUS if value < 0 and written.strip("0.,") else ""
    return Number(f"{sign}{POUND}{written}", value)


def ratio(value: float | None) -> Cell:
    """Pounds back for each pound."""
    return NOT_APPLICABLE if value is None else Number(f"{value:.2f}".replace("-", MINUS), value)


def share(value: float | None) -> Cell:
    """A share as a percentage, without digits that say nothing."""
    if value is None:
        return NOT_STATED
    return Number(f"{100 * value:.4g} %".replace("-", MINUS), value)


def years(value: float | None) -> Cell:
    """A time in years."""
    return "not in these years" if value is None else Number(f"{value:.1f} years", value)


def count(value: float | None) -> Cell:
    """A count or an amount of something else than money."""
    if value is None:
        return NOT_STATED
    return Number(f"{value:,.0f}" if value == int(value) else f"{value:.4g}", value)
