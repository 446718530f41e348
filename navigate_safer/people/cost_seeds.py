"""What the published documents state, as the first version of the book; and what they leave out.

The unit costs are those of the case study of Altogether Better West Cheshire, the appraisal's
defaults those of its guidance or, where none was published, our own and named so. A figure that a
document leaves blank is None here and is shown as "not stated".
"""

import msgspec

from navigate_safer.people.cost_book import Assumptions, Book, UnitCost

CASE_STUDY = "Altogether Better West Cheshire, case study"
PAGE = "Safer Communities, Altogether Better West Cheshire"
STRATEGY = "Cheshire East, domestic abuse strategy"
REPORT = "Local Government Association, community budgets report"
SOUTHEND = "Southend, multi-agency design"

DEFAULTS = Assumptions(
    cohort=None,
    years=5,
    # The social time preference rate of the Green Book, real, for the first 30 years.
    discount_rate=0.035,
    first_year_undiscounted=True,
    deadweight=0.30,
    optimism_bias_benefit=0.15,
    optimism_bias_cost=0.10,
    ramp=(1.0,) * 5,
    sensitivity=0.25,
    price_year="not stated",
    source=(
        "Discount rate: HM Treasury, Green Book, 3.5 % real for 30 years. Deadweight 30 %, "
        "optimism bias 15 % off benefits and 10 % on costs, full effect from the first year and "
        "the range of the sensitivity are ours, to be set by the area: no published value was found"
    ),
)
# Unit costs by key. Only the social worth of an incident is national; nothing says its price year.
UNIT_COSTS = {
    "incident": UnitCost(
        name="Domestic abuse incident",
        pounds=13_160,
        per="incident",
        scope="national average",
        period="one incident",
        price_year="not stated",
        source=(
            f"{CASE_STUDY}, unit costs. What it is made of is not stated; it is taken to hold the "
            f"cost of police, justice and custody"
        ),
        holds=("arrest", "custody"),
        excludes=("victim",),
    ),
    "arrest": UnitCost(
        name="Arrest and prosecution",
        pounds=6_000,
        per="arrest",
        scope="local",
        period="one arrest",
        price_year="not stated",
        source=f"{CASE_STUDY}, unit costs",
    ),
    "custody": UnitCost(
        name="Custody",
        pounds=9_180,
        per="spell in custody",
        scope="national",
        period="not stated",
        price_year="not stated",
        source=f"{CASE_STUDY}, unit costs; the period is not stated there",
    ),
    "care": UnitCost(
        name="Child in care",
        pounds=44_676,
        per="child and year",
        scope="not stated",
        period="a year",
        price_year="not stated",
        source=f"{CASE_STUDY}, unit costs",
    ),
    "plan": UnitCost(
        name="Child protection plan",
        pounds=2_400,
        per="plan",
        scope="not stated",
        period="6 months",
        price_year="not stated",
        source=f"{CASE_STUDY}, unit costs",
    ),
    "assessment": UnitCost(
        name="Common assessment under early support",
        pounds=1_500,
        per="assessment",
        scope="not stated",
        period="6 months",
        price_year="not stated",
        source=f"{CASE_STUDY}, unit costs",
    ),
    "victim": UnitCost(
        name="Victim of domestic abuse, over the whole period of abuse",
        pounds=34_015,
        per="victim",
        scope="national average, England and Wales",
        period="the whole period of abuse",
        price_year="2016/17",
        source="Home Office, the economic and social costs of domestic abuse (2019)",
        holds=("arrest", "custody"),
        excludes=("incident",),
    ),
}
SHIPPED = Book(assumptions=DEFAULTS, unit_costs=UNIT_COSTS)


class Published(msgspec.Struct, frozen=True):
    """A figure of money in the documents; ``low`` alone where no range is given, None if blank."""

    what: str
    low: float | None
    high: float | None
    source: str
    note: str = ""


PUBLISHED = (
    Published(
        "Cost of domestic abuse a year, West Cheshire", 16_500_000, 20_000_000, PAGE,
        "identified, and what it probably is nearer to; 98 % reactive, 2 % preventive",
    ),
    Published("Fiscal benefits of the project", 17_000_000, None, PAGE, "period not stated"),
    Published("Of these cashable", 4_600_000, None, PAGE, "27.1 % of the fiscal benefits"),
    Published(
        "Savings built into budgets of 2016/17", 570_000, None, CASE_STUDY,
        "cashable, from fewer staff; the owner is not stated",
    ),
    Published(
        "Cost and benefit over five years", None, None, CASE_STUDY,
        "the table is lost; its notes say not discounted, cashable and not cashable together",
    ),
    Published("Cost of the new service a year", 2_000_000, None, REPORT, "said to be about"),
    Published(
        "Net cost reduced over five years", 7_600_000, None, REPORT,
        "with 10,000,000 of cost that is 17,600,000 before cost, 600,000 above the other page",
    ),
    Published("Savings of the perpetrator package", None, None, STRATEGY, "printed as xxxx"),
    Published(
        "Saved a year if 10 to 20 % fewer repeat offenders", 600_000, None, SOUTHEND,
        "at least; 3.8 % of 15,900,000 a year",
    ),
)  # fmt: skip
