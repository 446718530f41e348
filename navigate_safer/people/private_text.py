"""What may not stand in a text about a referral or an assessment: where somebody lives.

Beside what no text about a wearer may hold (:mod:`private_words`), an address by its street: these
texts tell of incidents at homes, which a clause about a place need not. Coarse on purpose; it finds
the usual way to write one and no names.
"""

import re

from navigate_safer.people import private_words

_KINDS_OF_STREET = (
    "avenue|close|court|crescent|drive|gardens|grove|hill|lane|mews|place|road|row|square|street|"
    "terrace|walk|way"
)
_STREET = re.compile(
    rf"\b\d{{1,4}}[a-z]?,?\s+(?:[\w'-]+\s+){{1,3}}(?:{_KINDS_OF_STREET})\b", re.IGNORECASE
)


def fault(text: str) -> str | None:
    """What must come out, as an error under the field says it; None when nothing is found."""
    found = private_words.fault(text)
    if found is None and _STREET.search(text):
        return "Take out the street address: it could be a victim's"
    return found
