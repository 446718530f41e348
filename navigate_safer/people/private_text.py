"""What may not stand in a text about a person: where somebody lives.

Beside what no text about a wearer may hold (:mod:`private_words`), an address by its street. Only
where a place is meant, such as in a clause or as the room of a group, a street may stand. Coarse on
purpose; it finds the usual way to write an address and no names.
"""

import re

from navigate_safer.people import private_words

_KINDS_OF_STREET = (
    "avenue|close|court|crescent|drive|gardens|grove|hill|lane|mews|place|road|row|square|street|"
    "terrace|walk|way"
)
_NUMBER = r"\b\d{1,4}[a-zA-Z]?,?\s+"
_NO_STREET = "january|february|july|september|october|november|december"
# Between a number and such a word these make a sentence and no address: "3 calls in a row", "2 days
# before court", "the 5 sessions took place", "12 November at Crown Court".
_OF_SENTENCES = (
    "a|all|an|and|any|are|as|at|been|before|by|did|each|either|every|for|from|had|has|have|he|her|"
    "him|his|i|in|into|is|it|its|later|near|no|not|off|on|one|or|out|own|per|same|she|some|such|"
    "take|takes|taking|than|that|the|their|them|then|these|they|this|those|to|took|towards|until|"
    "was|we|were|when|which|who|will|with|would|minutes?|hours?|days?|weeks?|months?|years?|times?|"
    f"am|pm|crown|county|family|magistrates'?|{_NO_STREET}"
)
_WORD = rf"(?!(?:{_OF_SENTENCES})\s)[\w'-]+\s+"
_STREET = re.compile(
    rf"{_NUMBER}(?:the\s+|(?:{_WORD}){{1,3}})(?:{_KINDS_OF_STREET})\b", re.IGNORECASE
)
# With capitals it is a name, whatever stands between: "3 Isle of Man Road", "10 Over the Hill Way".
_NAMED_KINDS = _KINDS_OF_STREET.replace("court|", "").title()
_NAMED_STREET = re.compile(
    rf"{_NUMBER}(?!(?:{_NO_STREET.title()})\s)[A-Z][\w'-]*\s+(?:[\w'-]+\s+){{0,2}}"
    rf"(?:{_NAMED_KINDS})\b"
)


def fault(text: str) -> str | None:
    """What must come out, as an error under the field says it; None when nothing is found."""
    found = private_words.fault(text)
    if found is None and (_STREET.search(text) or _NAMED_STREET.search(text)):
        return "Take out the street address: it could be a victim's"
    return found
