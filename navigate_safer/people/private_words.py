"""What free text about a wearer may not hold: where somebody is, and how to reach them.

A plain test of the words: it finds postcodes, telephone numbers and refuges. Names it cannot know;
the forms ask for them to be left out.
"""

import re

_POSTCODE = re.compile(r"\b[A-Z]{1,2}[0-9][0-9A-Z]?\s*[0-9][A-Z]{2}\b", re.IGNORECASE)
_TELEPHONE = re.compile(r"(?<![\w.])(?:\+44|0)(?:[\s().-]*[0-9]){9,10}(?![\w])")
_REFUGE = re.compile(r"\b(?:refuge|safe\s*house|women'?s\s+aid)\b", re.IGNORECASE)


def fault(text: str) -> str | None:
    """What must come out, as an error under the field says it; None when nothing is found."""
    if _REFUGE.search(text):
        return "Take out the refuge: where one is, or that somebody is in one, is never kept here"
    if _POSTCODE.search(text):
        return "Take out the postcode: a place is drawn as a zone"
    if _TELEPHONE.search(text):
        return "Take out the telephone number"
    return None
