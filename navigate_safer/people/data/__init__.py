"""Tables of rules, forms and programmes that ship with the service, each with its source."""

from importlib.resources import files
from typing import TypeVar

import msgspec

TableT = TypeVar("TableT")


def read_data(name: str, kind: type[TableT]) -> TableT:
    """One table of this folder; raises msgspec.ValidationError when it is not of its kind."""
    return msgspec.json.decode((files(__name__) / name).read_bytes(), type=kind)
