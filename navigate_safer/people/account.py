"""The six acts that a law-enforcement system must log (Data Protection Act 2018 s.62)."""

from enum import Enum


class Act(Enum):
    """What was done with personal data."""

    COLLECTION = "collection"
    ALTERATION = "alteration"
    CONSULTATION = "consultation"
    DISCLOSURE = "disclosure"
    COMBINATION = "combination"
    ERASURE = "erasure"
