"""What officers read, and what is understood of their answers."""

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.finding import Severity
from alerts.messages import (
    MOST_TOGETHER,
    MessageError,
    alert_reference,
    breach_text,
    bundle_text,
    fits_one_part,
    gsm7_septets,
    is_link_token,
    link_token,
    parse_reply,
    reply_code,
    with_word,
)
from alerts.outgoing import OutgoingText

LINK = "https://navigate.example.org/a/" + "Zm9vYmFyYmF6cXV4MTIzNA"


def text(**changes):
    parts = {"reference": "7KQ4M2", "word": "URGENT", "code": "482913", "link": LINK} | changes
    return breach_text(**parts)


def test_a_breach_text_reads_like_this():
    assert text() == (
        "Navigate Safer URGENT alert 7KQ4M2. Reply 482913 to acknowledge, or open "
        "https://navigate.example.org/a/Zm9vYmFyYmF6cXV4MTIzNA"
    )


def test_the_longest_case_of_every_severity_is_one_part():
    word = max((s.word for s in Severity if s.texts_an_officer), key=len)
    room = 160 - gsm7_septets(text(word=word, link="http://a")) + len("http://a")
    assert room == 87
    longest = text(word=word, link="https://".ljust(room, "x"))
    assert gsm7_septets(longest) == 160
    with pytest.raises(MessageError, match=r"1 septets too long.*shorten the link"):
        text(word=word, link="https://".ljust(room + 1, "x"))


def test_a_tilde_in_a_link_counts_twice():
    with pytest.raises(MessageError, match="1 septets too long"):
        text(link="https://~".ljust(87, "x"))


@pytest.mark.parametrize(
    ("part", "value"),
    [
        pytest.param("reference", "Jane Doe", id="a name as the reference"),
        pytest.param("reference", "7KQ4MO", id="a reference with a letter that looks like zero"),
        pytest.param("word", "URGENT: Jane Doe at 4 Mill Lane", id="free text as the severity"),
        pytest.param("word", "", id="no severity"),
        pytest.param("code", "48291", id="a code of five digits"),
        pytest.param("code", "\u0664\u0668\u0662\u0669\u0661\u0663", id="a code in Arabic digits"),
        pytest.param("link", "https://x.org/ Jane Doe", id="a name after the link"),
        pytest.param("link", "javascript:alert(1)", id="not a web address"),
        pytest.param("link", "https://x.org/\u2018a\u2019", id="curly quotes in the link"),
        pytest.param("link", "https://x.org/a\n", id="a line end after the link"),
    ],
)
def test_what_may_not_be_texted_is_refused_without_repeating_it(part, value):
    with pytest.raises(MessageError) as refused:
        text(**{part: value})
    assert part.split()[0] in str(refused.value)
    assert not value or value not in str(refused.value)


@pytest.mark.parametrize(
    ("said", "septets"),
    [
        pytest.param("", 0, id="nothing"),
        pytest.param("a\nb\r@_", 6, id="line ends and signs of the basic alphabet"),
        pytest.param("£é", 2, id="pound and e acute are basic"),
        pytest.param("€[]{}~^|\\", 18, id="each of these costs two"),
        pytest.param("ŵ", None, id="a Welsh letter"),
        pytest.param("\u201c", None, id="a curly quote"),
        pytest.param("\u2013", None, id="a dash"),
        pytest.param("`", None, id="a backtick"),
        pytest.param("ç", None, id="small c with a cedilla, of which only the capital is there"),
        pytest.param("😀", None, id="a picture"),
    ],
)
def test_septets_are_counted_as_the_network_does(said, septets):
    assert gsm7_septets(said) == septets


def test_the_basic_alphabet_has_its_127_characters():
    assert sum(gsm7_septets(chr(n)) == 1 for n in range(0x3000)) == 127


def test_one_part_ends_at_160():
    assert fits_one_part("x" * 160)
    assert not fits_one_part("x" * 161)
    assert not fits_one_part("ŵ")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param("482913", "482913", id="the code alone"),
        pytest.param(" 482913\n", "482913", id="space and line end around it"),
        pytest.param("ACK 482913", "482913", id="a word before it"),
        pytest.param("ack482913.", "482913", id="a word glued to it"),
        pytest.param("482 913", "482913", id="typed in two halves"),
        pytest.param("4 8 2 9 1 3", "482913", id="typed digit by digit"),
        pytest.param("482\u2013913", "482913", id="the keyboard made a dash"),
        pytest.param("482\u00a0913", "482913", id="a hard space"),
        pytest.param("\u0664\u0668\u0662\u0669\u0661\u0663", "482913", id="Arabic digits"),
        pytest.param(
            "\u200f\u0664\u0668\u0662\u0669\u0661\u0663\u200f",
            "482913",
            id="Arabic digits with direction marks",
        ),
        pytest.param("\u096a\u096e\u0968\u096f\u0967\u0969", "482913", id="Hindi digits"),
        pytest.param("\uff14\uff18\uff12\uff19\uff11\uff13", "482913", id="full-width digits"),
        pytest.param("004213", "004213", id="leading zeros stay"),
        pytest.param("482913 there in 10 mins", "482913", id="a time of arrival after it"),
        pytest.param("482913 10 mins", "482913", id="a number right after it"),
        pytest.param("482913 482913", "482913", id="sent twice in one text"),
        pytest.param(text(), "482913", id="the whole alert quoted back"),
        pytest.param(
            "482913\n> Reply 482913 or open https://x.org/a/771204",
            "482913",
            id="a link with digits in the quotation",
        ),
        pytest.param("482913 or 771204?", None, id="two different codes"),
        pytest.param("482 913 and 771204", None, id="two codes, one spaced"),
        pytest.param("07700900123", None, id="a telephone number"),
        pytest.param("4829131", None, id="seven digits"),
        pytest.param("48291", None, id="five digits"),
        pytest.param("who is this?", None, id="no code"),
        pytest.param("", None, id="empty"),
        pytest.param("7KQ4M2 acknowledged", None, id="the reference and not the code"),
        pytest.param("²³¹⁴⁵⁶", None, id="superscripts are no digits"),
    ],
)
def test_replies(body, code):
    assert parse_reply(body) == code


@given(st.text())
def test_any_reply_is_read_without_a_fault(body):
    code = parse_reply(body)
    assert code is None or re.fullmatch(r"[0-9]{6}", code)


@given(
    st.integers(0, 999_999).map("{:06d}".format),
    st.lists(st.sampled_from(["", " ", "-", "  "]), min_size=5, max_size=5),
    st.text(alphabet="abcxyzABC ,!?", max_size=20),
)
def test_a_code_is_found_however_it_is_spaced(code, gaps, words):
    spaced = "".join(d + g for d, g in zip(code, [*gaps, ""], strict=True))
    assert parse_reply(f"{words} {spaced} {words}") == code


@given(st.integers())
def test_references_can_be_read_aloud_and_are_never_a_code(seed):
    reference = alert_reference(random.Random(seed))
    assert re.fullmatch(r"[234679CDFHJKMNPQRTVWX]{6}", reference)
    assert not reference.isdecimal()
    assert parse_reply(reference) is None


@given(st.integers())
def test_a_made_text_fits_and_its_own_code_is_read_back(seed):
    source = random.Random(seed)
    reference, code = alert_reference(source), reply_code(source)
    said = text(reference=reference, code=code)
    assert fits_one_part(said)
    assert parse_reply(said) == code


def test_references_and_codes_are_spread():
    source = random.Random(1)
    assert len({alert_reference(source) for _ in range(2000)}) == 2000
    assert len({reply_code(source) for _ in range(2000)}) > 1980


# Several alerts in one text, and links that acknowledge

PAIRS = [("7KQ4M2", "482913"), ("9XW3CD", "004711"), ("HJM6T7", "771204")]


def test_a_text_of_several_alerts_reads_like_this():
    said = bundle_text(word="MEDIUM", alerts=PAIRS[:2], link="https://x.org/board")
    assert said == (
        "Navigate Safer MEDIUM: 2 alerts need you. Reply each code by itself: "
        "7KQ4M2 482913, 9XW3CD 004711 https://x.org/board"
    )


@pytest.mark.parametrize("many", range(2, MOST_TOGETHER + 1))
def test_several_alerts_are_one_part_and_the_link_goes_before_a_code_does(many):
    longest = "https://".ljust(83, "x")
    alerts = [(f"CCCCC{digit}", f"12345{digit}") for digit in "234679"][:many]
    said = bundle_text(word="MEDIUM", alerts=alerts, link=longest)
    assert fits_one_part(said)
    assert longest not in said
    assert all(f"{reference} {code}" in said for reference, code in alerts)


@pytest.mark.parametrize("alerts", [[], PAIRS[:1], PAIRS * 2])
def test_one_text_tells_of_two_to_five_alerts(alerts):
    with pytest.raises(MessageError, match="2 to 5 alerts"):
        bundle_text(word="MEDIUM", alerts=alerts, link="https://x.org")


def test_a_lost_text_of_several_is_looked_for_by_its_first_code_and_not_by_their_number():
    said = bundle_text(word="MEDIUM", alerts=PAIRS, link="https://x.org/board")
    text = OutgoingText("a1", "+447700900101", said, "7KQ4M2", 120)
    assert text.mark == "482913"


def test_several_codes_quoted_back_are_no_answer_and_one_is():
    said = bundle_text(word="MEDIUM", alerts=PAIRS, link="https://x.org/board")
    assert parse_reply(said) is None
    assert parse_reply("004711") == "004711"


def test_a_text_that_has_become_worse_says_so():
    assert with_word(text(word="MEDIUM"), "URGENT") == text(word="URGENT")


@given(st.integers())
def test_a_link_that_acknowledges_fits_beside_the_code_in_one_part(seed):
    token = link_token(random.Random(seed))
    assert is_link_token(token)
    assert len(set(token)) > 5
    # The longest address of pages with which it fits; longer ones keep the link to sign in.
    assert fits_one_part(text(link="https://".ljust(62, "x") + "/k/" + token))


@pytest.mark.parametrize("forged", ["", "a" * 21, "a" * 23, "a" * 21 + "-", "../../" + "a" * 16])
def test_what_is_no_token_is_seen(forged):
    assert not is_link_token(forged)
