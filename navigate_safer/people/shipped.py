"""Catalogues that come with the service: forms, weights, lists; each names its version and source.

They are files of the package (``people/data``) and read once. What an area changes is a record of
its own, and never the file.
"""

from functools import cache
from importlib.resources import files
from typing import TypeVar

import msgspec

T = TypeVar("T")


def shipped(name: str, kind: type[T]) -> T:
    """The catalogue ``name`` (without its ending) as a structure."""
    return msgspec.json.decode(_read(name), type=kind)


@cache
def _read(name: str) -> bytes:
    return (files("navigate_safer.people") / "data" / f"{name}.json").read_bytes()
