"""No threshold without its source: each field of the limits is explained where it is declared."""

import re

import msgspec
import pytest

from alerts.alcohol.rule_set import RuleSet
from alerts.alcohol.wear_rules import WearRules
from alerts.terms import Limits
from devices.quality import QualityLimits

# A source by its name, or that the number is this project's own.
SOURCES = re.compile(r"SCRAM|PIRE|Ministry|vendor|project")


def explanations(limits):
    """The docstring's bullets, one per entry, by each field that it names."""
    text = re.sub(r"\s+", " ", limits.__doc__)
    found = {}
    for bullet in re.split(r" - (?=``)", text)[1:]:
        for name in re.findall(r"``(\w+)``:", bullet):
            found[name] = bullet
    return found


@pytest.mark.parametrize("name", Limits.__struct_fields__)
def test_a_threshold_of_a_condition_has_its_provenance(name):
    explained = explanations(Limits)
    assert name in explained, f"Limits.{name} is not explained in its docstring"
    assert SOURCES.search(explained[name]), f"Limits.{name} does not say where its value is from"


@pytest.mark.parametrize("name", Limits.__struct_fields__)
def test_a_threshold_states_the_value_that_it_has(name):
    default = msgspec.structs.fields(Limits)[Limits.__struct_fields__.index(name)].default
    said = explanations(Limits)[name]
    if isinstance(default, str):
        spoken = [f'"{default}"']
    else:
        spoken = [f"{default:g} g/dl", f"{default:g} s", f"{default:g} %"]
        spoken += [f"{default / 60:g} min", f"{default / 3600:g} h", f"{default:g} false alarms"]
    assert [each for each in spoken if each in said], f"{name} is {default}; it says: {said}"


@pytest.mark.parametrize(
    "name",
    [name for name in QualityLimits.__struct_fields__ if name.endswith(("_s", "_m", "days"))],
)
def test_a_limit_of_belief_has_its_provenance(name):
    assert name in explanations(QualityLimits)


ALCOHOL = [
    pytest.param(kind, name, id=f"{kind.__name__}.{name}")
    for kind in (RuleSet, WearRules)
    for name in kind.__struct_fields__
    if name not in ("name", "version")
]


@pytest.mark.parametrize(("rules", "name"), ALCOHOL)
def test_a_threshold_of_the_alcohol_rules_has_its_provenance(rules, name):
    explained = re.sub(r"\s+", " ", rules.__doc__).split(" - ")
    named = [bullet for bullet in explained if f"``{name}``" in bullet]
    assert named, f"{rules.__name__}.{name} is not explained in its docstring"
    sources = r"SCRAM|Hawthorne|Barnett|TACLion|defence firm|public|the project's own"
    assert re.search(sources, " ".join(named))


def test_limits_refuse_a_name_that_they_do_not_know():
    with pytest.raises(msgspec.ValidationError, match="unknown field `silence`"):
        msgspec.convert({"silence": 60}, Limits)
