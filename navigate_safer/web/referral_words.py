"""Words of intake: outcomes, facts, and how two entries compare."""

from typing import Final

PARTS: Final = {
    "given_name": "Given name",
    "family_name": "Family name",
    "names": "Names",
    "birth_date": "Date of birth",
    "identifier": "Identifier",
}
LEVELS: Final = {
    "same": "the same",
    "short_form": "short form or part of it",
    "part": "one of two surnames the same",
    "near": "nearly the same, as by a slip",
    "initial": "the same initial",
    "swapped": "given and family name swapped",
    "day_and_month_swapped": "day and month swapped",
    "one_digit_or_two_swapped": "one digit differs, or two are swapped",
    "same_year": "the same year only",
    "different": "different",
    "missing": "not known of both",
}
OUTCOMES: Final = {
    "open": "Waiting",
    "appropriate": "Appropriate: taken on",
    "step_up": "Stepped up: taken on, and passed up",
    "step_down": "Stepped down to early help",
    "diverted": "Diverted to another service",
    "more_information": "Waiting for information",
}
HINTS: Final = {
    "appropriate": "The person is taken on here.",
    "step_up": "Taken on here, and the arrangement for higher risk is told.",
    "step_down": "A lower arrangement takes it; nobody is taken on here.",
    "diverted": "Another service takes it, or nobody.",
    "more_information": "The clock goes on.",
}
CALLERS: Final = {
    "agency": "An agency",
    "somebody_harmed": "Somebody who was harmed",
    "the_person_himself": "The person himself or herself",
    "family_or_friend": "Family or a friend",
    "anonymous": "Somebody who does not say",
}
DIVERSIONS: Final = {
    "another_service_serves_better": "Another service serves better",
    "should_not_have_come_here": "It should not have come here (counted as inappropriate)",
    "another_area": "Another area",
    "under_age": "Too young to be taken on here",
}
ANSWERS: Final = {
    "yes": "Yes",
    "no": "No",
    "not_known": "Not known",
    "not_collected": "Not collected",
}
FACTS: Final = {
    "alcohol": "Alcohol was involved",
    "drugs": "Drugs were involved",
    "repeat": "It has happened before",
    "same_sex": "Between people of the same sex",
    "children": "Children live there or were present",
}
