"""What may not stand in a text about a perpetrator: an address, a postcode, a telephone number.

Such a text is read by many; an address in it may be a victim's, or a refuge's. The check is coarse
on purpose and finds the usual ways to write them; it does not find names.
"""

import re

_POSTCODE = re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]?\s*\d[A-Z]{2}\b", re.IGNORECASE)
_PHONE = re.compile(r"(?<![\w/])(?:\+44|0)(?:[\s()-]*\d){9,10}(?!\w)")
_KINDS_OF_STREET = (
    "avenue|close|court|crescent|drive|gardens|grove|hill|lane|mews|place|road|row|square|street|"
    "terrace|walk|way"
)
_STREET = re.compile(
    rf"\b\d{{1,4}}[a-z]?,?\s+(?:[\w'-]+\s+){{1,3}}(?:{_KINDS_OF_STREET})\b", re.IGNORECASE
)
_WORDS = (
    (_POSTCODE, "a postcode"),
    (_PHONE, "a telephone number"),
    (_STREET, "a street address"),
)


def told(text: str) -> str | None:
    """What the text gives away, as in "a postcode"; None when nothing was found."""
    for pattern, what in _WORDS:
        if pattern.search(text):
            return what
    return None
