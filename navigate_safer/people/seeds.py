"""What the documents behind this service ask of it, and which page serves each statement.

Rows are numbered by document and order. A row names at least one page, or says why there is none.
"""

import msgspec

from navigate_safer.people.data import read_data

# Stands for a person's reference in the address of a page about one.
PERSON = "PERSON"


class Row(msgspec.Struct, frozen=True):
    """A statement in short; ``pages`` are paths, ``not_served`` says why there is none."""

    row: str
    says: str
    pages: list[str]
    how: str
    not_served: str


class Seeds(msgspec.Struct, frozen=True):
    """The table; ``documents`` by the number before the point."""

    documents: dict[str, str]
    rows: list[Row]

    def of(self, document: str) -> list[Row]:
        """The rows of one document."""
        return [each for each in self.rows if each.row.split(".")[0] == document]


SEEDS = read_data("seeds.json", Seeds)
