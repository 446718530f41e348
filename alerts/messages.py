"""What a text to an officer says, and what is read out of the officer's answer.

A text lies on a lock screen and in a carrier's logs. So it says a reference, a severity word, a
code and a link, and nothing that tells who, where or what. It is kept to one GSM-7 part: parts
of a longer text travel and fail separately, and one character outside GSM-7 halves the room.
"""

import random
import re
import string
import unicodedata
from collections.abc import Sequence

# GSM 03.38 default alphabet, and the characters reached through its escape (two septets each).
_GSM7_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM7_EXTENDED = frozenset("\f^{}\\[~]|€")

ONE_PART_SEPTETS = 160
"""Septets in a single part: 140 octets of 8 bits hold 160 of 7 (3GPP TS 23.040)."""

REFERENCE_LENGTH = 6
CODE_DIGITS = 6
"""Six digits, as AWS Incident Manager's page codes: short to type, one in a million to guess."""

# No vowels, so that no word appears; none of 0 O, 1 I L, 2 Z, 5 S, 6 G, 8 B beside its double,
# because references are read aloud over the telephone and copied by hand.
_REFERENCE_LETTERS = "CDFHJKMNPQRTVWX"
_REFERENCE_ALPHABET = "234679" + _REFERENCE_LETTERS

_REFERENCE_FORM = re.compile(rf"[{_REFERENCE_ALPHABET}]{{{REFERENCE_LENGTH}}}")
_WORD_FORM = re.compile(r"[A-Z]{2,10}")
_CODE_FORM = re.compile(rf"[0-9]{{{CODE_DIGITS}}}")
_LINK_FORM = re.compile(r"https?://[!-~]+")

_OWN_WORD = re.compile(r"^Navigate Safer [A-Z]{2,10} alert")
_URL = re.compile(r"https?://\S+", re.IGNORECASE)
_UNBROKEN_CODE = re.compile(rf"(?<!\d)\d{{{CODE_DIGITS}}}(?!\d)")
# Digits parted by a few spaces, hyphens or points, as "482 913", and not glued to a letter, so
# that the digits of a quoted reference ("7KQ4M2 ...") never become part of a code.
_SPACED_DIGITS = re.compile(r"(?<!\w)\d(?:[ .\-]{0,3}\d)*(?!\w)")


class MessageError(ValueError):
    """A text cannot be made of these parts; the message says which part and what is wrong."""


def gsm7_septets(text: str) -> int | None:
    """Length in septets as a telephone network counts it; None where GSM-7 cannot say it."""
    septets = 0
    for character in text:
        if character in _GSM7_BASIC:
            septets += 1
        elif character in _GSM7_EXTENDED:
            septets += 2
        else:
            return None
    return septets


def fits_one_part(text: str) -> bool:
    """Whether the text travels as one part: GSM-7 and no more than 160 septets."""
    septets = gsm7_septets(text)
    return septets is not None and septets <= ONE_PART_SEPTETS


def breach_text(*, reference: str, word: str, code: str, link: str) -> str:
    """The text that tells an officer of a breach: one GSM-7 part that identifies nobody.

    ``word`` is a severity in capitals (:attr:`alerts.finding.Severity.word`), ``code`` six
    digits, ``link`` an http(s) address without spaces. Raises :class:`MessageError` when a part
    has another form, or when the whole does not fit; at most 87 septets are left for the link
    beside a six-letter word.
    """
    _require(_REFERENCE_FORM, reference, "reference", f"be made by {alert_reference.__name__}")
    _require(_WORD_FORM, word, "severity word", "be 2 to 10 capital letters A to Z")
    _require(_CODE_FORM, code, "code", f"be {CODE_DIGITS} digits 0 to 9")
    _require(_LINK_FORM, link, "link", "begin with http:// or https:// and hold only ASCII")
    # The link comes last and bare: a full stop after it would become part of it on some phones.
    text = f"Navigate Safer {word} alert {reference}. Reply {code} to acknowledge, or open {link}"
    if not fits_one_part(text):
        over = (gsm7_septets(text) or 0) - ONE_PART_SEPTETS
        raise MessageError(
            f"the text is {over} septets too long for one part of {ONE_PART_SEPTETS}: "
            f"shorten the link, which takes {gsm7_septets(link)}"
        )
    return text


def with_word(body: str, word: str) -> str:
    """A breach text with another severity word, where it still is one part; else as it was.

    Raises :class:`MessageError` for what is no such word.
    """
    _require(_WORD_FORM, word, "severity word", "be 2 to 10 capital letters A to Z")
    changed = _OWN_WORD.sub(f"Navigate Safer {word} alert", body, count=1)
    return changed if fits_one_part(changed) else body


MOST_TOGETHER = 5
"""Alerts in one text: beside six the codes would leave no room in one part."""


def bundle_text(*, word: str, alerts: Sequence[tuple[str, str]], link: str) -> str:
    """The text that tells of several alerts: each reference with its own code, in their order.

    ``word`` is the most urgent severity among them, ``alerts`` at most :data:`MOST_TOGETHER` pairs
    of reference and code. The link is left out where it does not fit; a code never is. Raises
    :class:`MessageError` as :func:`breach_text` does.
    """
    _require(_WORD_FORM, word, "severity word", "be 2 to 10 capital letters A to Z")
    _require(_LINK_FORM, link, "link", "begin with http:// or https:// and hold only ASCII")
    for reference, code in alerts:
        _require(_REFERENCE_FORM, reference, "reference", f"be made by {alert_reference.__name__}")
        _require(_CODE_FORM, code, "code", f"be {CODE_DIGITS} digits 0 to 9")
    if not 2 <= len(alerts) <= MOST_TOGETHER:
        raise MessageError(f"one text tells of 2 to {MOST_TOGETHER} alerts, not {len(alerts)}")
    each = ", ".join(f"{reference} {code}" for reference, code in alerts)
    need = f"{len(alerts)} alerts need you"
    text = f"Navigate Safer {word}: {need}. Reply each code by itself: {each}"
    linked = f"{text} {link}"
    return linked if fits_one_part(linked) else text


LINK_TOKEN_LENGTH = 22
"""Of 62 letters and digits: 130 bits, above the 128 that nobody guesses. Letters and digits alone,
because some telephones end a link before a sign."""
_LINK_TOKEN_ALPHABET = string.ascii_letters + string.digits
_LINK_TOKEN_FORM = re.compile(rf"[A-Za-z0-9]{{{LINK_TOKEN_LENGTH}}}")


def link_token(source: random.Random) -> str:
    """A new token for a link that acknowledges once; ``random.SystemRandom()`` in service."""
    return "".join(source.choice(_LINK_TOKEN_ALPHABET) for _ in range(LINK_TOKEN_LENGTH))


def is_link_token(text: str) -> bool:
    """Whether a text has the form of such a token."""
    return _LINK_TOKEN_FORM.fullmatch(text) is not None


def breach_call(*, reference: str, word: str) -> str:
    """What a voice says on the telephone: the reference letter by letter, and nothing of the case.

    Raises :class:`MessageError` as :func:`breach_text` does.
    """
    _require(_REFERENCE_FORM, reference, "reference", f"be made by {alert_reference.__name__}")
    _require(_WORD_FORM, word, "severity word", "be 2 to 10 capital letters A to Z")
    spelled = ", ".join(reference)
    return f"Navigate Safer. {word.capitalize()} alert. Reference {spelled}."


KEY_PROMPT = "Press 1 to acknowledge."
ACKNOWLEDGED_BY_KEY = "Acknowledged. Open Navigate Safer for the rest."
NOT_ACKNOWLEDGED_BY_KEY = "Not acknowledged. Open Navigate Safer."
# By these words a text back is found again at the provider: it has no reference of an alert.
NOT_ACKNOWLEDGED = "not acknowledged"
NOT_ACKNOWLEDGED_BY_CODE = (
    f"Navigate Safer: {NOT_ACKNOWLEDGED}. That code no longer counts. Reply with the code of your "
    "newest text, or sign in and acknowledge there."
)
ACKNOWLEDGE_KEY = "1"


def breach_email(*, reference: str, word: str, link: str) -> str:
    """What an e-mail says: the reference and the link, and nothing of the case.

    No code: a mailbox cannot answer with one, and the link asks for it to be confirmed. Raises
    :class:`MessageError` as :func:`breach_text` does.
    """
    _require(_REFERENCE_FORM, reference, "reference", f"be made by {alert_reference.__name__}")
    _require(_WORD_FORM, word, "severity word", "be 2 to 10 capital letters A to Z")
    _require(_LINK_FORM, link, "link", "begin with http:// or https:// and hold only ASCII")
    return f"Navigate Safer {word} alert {reference}.\n\nOpen it to acknowledge:\n{link}\n"


def _require(form: re.Pattern[str], value: str, part: str, must: str) -> None:
    # The value is not repeated: a name put here by mistake must not reach a log through an error.
    if not form.fullmatch(value):
        raise MessageError(f"the {part} of a breach text must {must}; this one does not")


def alert_reference(source: random.Random) -> str:
    """A new reference, such as ``7KQ4M2``: six characters that can be read aloud.

    At least one is a letter, so a reference is never taken for a reply code. ``source`` is
    ``random.SystemRandom()`` in service. About 80 million references exist: the caller keeps
    them unique and draws again on a clash.
    """
    characters = [source.choice(_REFERENCE_ALPHABET) for _ in range(REFERENCE_LENGTH - 1)]
    characters.insert(source.randrange(REFERENCE_LENGTH), source.choice(_REFERENCE_LETTERS))
    return "".join(characters)


def reply_code(source: random.Random) -> str:
    """A new reply code: six digits, leading zeros kept; ``random.SystemRandom()`` in service."""
    return f"{source.randrange(10**CODE_DIGITS):0{CODE_DIGITS}d}"


def parse_reply(body: str) -> str | None:
    """The code in an officer's reply, or None where there is none or more than one.

    Tolerates words around it, spaces and hyphens inside it, any script's digits, and the alert
    quoted back with its link. Two different codes are no answer: guessing between them could
    acknowledge an alert that nobody has looked at.
    """
    text = _URL.sub(" ", _with_ascii_digits(body))
    found = set(_UNBROKEN_CODE.findall(text))
    for spaced in _SPACED_DIGITS.findall(text):
        digits = re.sub(r"\D", "", spaced)
        if len(digits) == CODE_DIGITS:
            found.add(digits)
    return found.pop() if len(found) == 1 else None


def _with_ascii_digits(body: str) -> str:
    characters = []
    for character in body:
        if character.isdecimal():
            characters.append(str(unicodedata.decimal(character)))
        elif character.isspace():
            characters.append(" ")
        elif unicodedata.category(character) == "Pd":
            characters.append("-")
        elif unicodedata.category(character) != "Cf":
            # Cf are invisible: the direction marks that keyboards add around other scripts' digits.
            characters.append(character)
    return "".join(characters)
