"""Who may be the same person: the named situations of an access team, and what always holds."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navigate_safer.people import linkage, person_names
from navigate_safer.people.linkage import Identity, People
from navigate_safer.people.person_names import BadIdentifier

BORN = date(1987, 4, 2)
TABLE = linkage.weights()
# A town of 600 in which everybody's name is taken by several.
GIVEN = ("Adam", "Brian", "Carl", "David", "Edward", "Frank", "George", "Harold", "Ivan", "Keith")
FAMILY = ("Ash", "Birch", "Cole", "Dunn", "Ellis", "Frost", "Grant", "Hale", "Ivory", "Jones")
TOWN = [
    Identity(
        f"T-{n}",
        (f"{GIVEN[n % 10]} {FAMILY[n // 10 % 10]}",),
        date(1950 + n % 53, 1 + n % 12, 1 + n % 28),
    )
    for n in range(600)
]
HIM = Identity("W-1", ("Leofric James Umbershaw",), BORN, {"pnc": "12/0123456A"})
PEOPLE = People([*TOWN, HIM], TABLE)


def found(name: str, born_on: date | None = BORN, **identifiers: str) -> dict[str, float]:
    asked = Identity("R-1", (name,), born_on, identifiers)
    return {each.key: each.probability for each in PEOPLE.candidates(asked)}


def parts(name: str, born_on: date | None = BORN, **identifiers: str) -> dict[str, str]:
    asked = Identity("R-1", (name,), born_on, identifiers)
    first = PEOPLE.candidates(asked)[0]
    assert first.key == "W-1"
    return {each.part: each.level for each in first.parts}


@pytest.mark.parametrize(
    ("asked", "part", "level"),
    [
        pytest.param({"name": "Leofric Umbershaw"}, "family_name", "same", id="the same"),
        pytest.param({"name": "LEOFRIC  O'UMBERSHAW"}, "family_name", "near", id="an O' before it"),
        pytest.param({"name": "Leofric Umbreshaw"}, "family_name", "near", id="letters swapped"),
        pytest.param({"name": "Léofric Umbershaw"}, "given_name", "same", id="an accent"),
        pytest.param({"name": "Leofrik Umbershaw"}, "given_name", "near", id="a letter differs"),
        pytest.param({"name": "L Umbershaw"}, "given_name", "initial", id="an initial"),
        pytest.param({"name": "Umbershaw Leofric"}, "names", "swapped", id="names swapped"),
        pytest.param({"name": "Leofric Umbershaw-Hall"}, "family_name", "part", id="double name"),
        pytest.param(
            {"name": "Leofric Umbershaw", "born_on": date(1987, 2, 4)},
            "birth_date",
            "day_and_month_swapped",
            id="day and month swapped",
        ),
        pytest.param(
            {"name": "Leofric Umbershaw", "born_on": date(1978, 4, 2)},
            "birth_date",
            "one_digit_or_two_swapped",
            id="digits of the year swapped",
        ),
        pytest.param(
            {"name": "Fred Somebody", "born_on": None, "pnc": "12/0123456A"},
            "identifier",
            "same",
            id="another name and the same PNC number",
        ),
    ],
)
def test_the_same_person_is_found_and_told_why(asked: dict, part: str, level: str) -> None:
    assert parts(**asked)[part] == level
    likely = found(**asked)["W-1"] >= TABLE.likely_from
    # Another name with the same number is for an officer to look at, and not surely the same.
    assert likely or part == "identifier"


def test_somebody_with_a_common_name_and_another_birth_date_is_nobody_we_know() -> None:
    assert found("Adam Ash", date(1999, 12, 31)) == {}


def test_a_rare_name_alone_is_shown_and_a_common_one_is_not_likely() -> None:
    assert found("Leofric Umbershaw", None)["W-1"] > 0.5
    assert all(chance < 0.5 for chance in found("Adam Ash", None).values())


def test_another_number_of_the_same_kind_speaks_against() -> None:
    with_other = found("Leofric Umbershaw", pnc="09/0000001B")["W-1"]
    assert with_other < found("Leofric Umbershaw")["W-1"]


def test_a_short_form_and_an_alias_count() -> None:
    known = Identity("W-2", ("William Oake", "Red Oake"), BORN)
    people = People([*TOWN, known], TABLE)
    for name in ("Bill Oake", "Red Oake"):
        (first, *_) = people.candidates(Identity("R", (name,), BORN))
        assert (first.key, first.likely) == ("W-2", True)


def test_nobody_is_found_in_an_empty_service() -> None:
    assert People([], TABLE).candidates(HIM) == []


names = st.tuples(st.sampled_from(GIVEN), st.sampled_from(FAMILY)).map(" ".join)
births = st.none() | st.dates(date(1950, 1, 1), date(2005, 12, 31))
numbers = st.dictionaries(st.sampled_from(["crn", "pnc"]), st.sampled_from(["1", "2", "22"]))


@st.composite
def identities(draw, key: str) -> Identity:
    return Identity(key, (draw(names | st.text(max_size=12)),), draw(births), draw(numbers))


@settings(max_examples=60)
@given(identities("A"), identities("B"))
def test_who_asks_makes_no_difference(one: Identity, two: Identity) -> None:
    ours, theirs = People([one, two], TABLE), People([one, two], TABLE)
    forth = [each.bits for each in ours.candidates(one) if each.key == "B"]
    back = [each.bits for each in theirs.candidates(two) if each.key == "A"]
    assert forth == pytest.approx(back)


@settings(max_examples=60)
@given(identities("A"), identities("B"), st.integers(1, 40))
def test_more_people_make_a_pair_less_likely_and_a_chance_stays_a_chance(
    one: Identity, two: Identity, more: int
) -> None:
    few = People([two], TABLE)
    many = People([two, *TOWN[:more]], TABLE)
    for bits in (-50.0, 0.0, 20.0, 400.0):
        assert 0 <= many.probability(bits) <= few.probability(bits) <= 1
    for each in few.candidates(one):
        assert each.bits == pytest.approx(sum(part.bits for part in each.parts))


@settings(max_examples=60)
@given(identities("A"))
def test_being_the_same_in_everything_weighs_most(one: Identity) -> None:
    people = People([Identity("B", one.names, one.born_on, one.identifiers), *TOWN[:20]], TABLE)
    candidates = people.candidates(one)
    if one.born_on is not None and person_names.person_name(one.names[0]).family:
        assert candidates[0].key == "B" or candidates[0].bits == candidates[1].bits


@pytest.mark.parametrize(
    ("kind", "typed", "kept"),
    [
        ("pnc", "2012/123456a", "12/0123456A"),
        ("pnc", " 12/0123456A ", "12/0123456A"),
        ("crn", "x123456", "X123456"),
        ("nomis", "a1234bc", "A1234BC"),
    ],
)
def test_an_identifier_is_kept_in_one_form(kind: str, typed: str, kept: str) -> None:
    assert person_names.KINDS[kind](typed) == kept


@pytest.mark.parametrize(("kind", "typed"), [("pnc", "12-1"), ("crn", "123"), ("nomis", "x")])
def test_what_is_no_identifier_is_refused_with_what_one_looks_like(kind: str, typed: str) -> None:
    with pytest.raises(BadIdentifier, match="such as"):
        person_names.KINDS[kind](typed)
