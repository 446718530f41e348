"""Cost and benefit over years: fiscal, social, cashable; every assumption is in the input."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec

from navigate_safer.outcomes.estimate import Estimate, Reasons
from navigate_safer.outcomes.refusal import LARGEST, Amount, BadOutcomeInput, Share

# No appraisal is longer: the Green Book's own tables end at 125 years.
Years = Annotated[int, msgspec.Meta(ge=1, le=125)]


class Outcome(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that the programme makes rarer, and what each avoided one is worth.

    ``effect`` is the share avoided (0.2 for 20 per cent fewer; negative for more), ``cashable`` the
    share of a fiscal benefit that a budget owner can take out, ``drop_off`` the share of the effect
    that is lost each year.
    """

    id: str
    kind: Literal["fiscal", "social"]
    baseline_per_person_year: Amount
    effect: Annotated[float, msgspec.Meta(ge=-LARGEST, le=1)]
    unit_value: Amount
    cashable: Share
    drop_off: Share


class Appraisal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A programme: rates and biases as shares, ``ramp`` and ``cost_by_year`` one entry a year."""

    cohort: Amount
    years: Years
    discount_rate: Annotated[float, msgspec.Meta(ge=0, le=1)]
    first_year_t: Annotated[float, msgspec.Meta(ge=0, le=100)]
    deadweight: Share
    optimism_bias_benefit: Share
    optimism_bias_cost: Amount
    ramp: tuple[Amount, ...]
    cost_by_year: tuple[Amount, ...]
    outcomes: tuple[Outcome, ...]


class Row(msgspec.Struct, frozen=True):
    """One outcome's benefit, year by year and discounted."""

    id: str
    avoided_by_year: tuple[float, ...]
    benefit_by_year: tuple[float, ...]
    benefit_undiscounted: float
    pv_benefit: float


class Sums(msgspec.Struct, frozen=True):
    """Sums over the years, biases in them."""

    cost: float
    fiscal: float
    social: float
    cashable: float


class CostBenefit(Estimate, frozen=True, kw_only=True):
    """Money in the unit of the input; ``pv`` is discounted."""

    discount_factors: tuple[float, ...]
    cost_by_year_adjusted: tuple[float, ...]
    rows: tuple[Row, ...]
    fiscal_by_year: tuple[float, ...]
    social_by_year: tuple[float, ...]
    undiscounted: Sums
    pv_cost: float
    pv_fiscal: float
    pv_social: float
    pv_total: float
    pv_cashable: float
    npv_fiscal: float
    npv_public_value: float
    fiscal_return: float | None
    benefit_cost_ratio: float | None
    cashable_return: float | None
    cashable_share_of_fiscal: float | None
    payback_years_fiscal: float | None
    payback_years_public_value: float | None
    switching_values: Mapping[str, float | None]


def cba(given: Appraisal) -> CostBenefit:
    """Fiscal, social and cashable benefit against cost, undiscounted and discounted.

    - avoided = cohort x baseline x ramp x effect x (1 - deadweight) x (1 - drop_off)^year; years
      count from 0.
    - benefit = avoided x unit value x (1 - optimism bias of benefits); cost x (1 + that of costs).
    - factor = (1 + rate)^-(first_year_t + year).
    - Fiscal NPV counts fiscal benefits, public value all. Ratios are of present values; the
      cashable share is present value over present value, and only fiscal benefits can be cashable.
    - Payback: the discounted sum of benefit less cost, starting at 0 and running straight inside
      each year, comes back to 0 after so many years; 0 if the first year is not negative, null if
      never.
    - ``switching_values``: the effect of each outcome at which the public value is exactly nil, all
      else equal; below 0 where the others carry the cost alone, above 1 where it cannot be enough.

    Source: HM Treasury and New Economy, guidance on cost-benefit analysis for local partnerships
    (2014), a supplement to the Green Book.

    Raises :class:`BadOutcomeInput` for lists that are not one entry a year and an id given twice,
    since the same benefit would count twice.
    """
    _check(given)
    factors = tuple(
        (1 + given.discount_rate) ** -(given.first_year_t + year) for year in range(given.years)
    )
    costs = tuple(cost * (1 + given.optimism_bias_cost) for cost in given.cost_by_year)
    rows = tuple(_row(given, outcome, factors) for outcome in given.outcomes)
    by_kind = {
        kind: tuple(
            math.fsum(row.benefit_by_year[year] for row in _of_kind(given, rows, kind))
            for year in range(given.years)
        )
        for kind in ("fiscal", "social")
    }
    return _summed(given, factors, costs, rows, by_kind)


def _check(given: Appraisal) -> None:
    for name, length in (("ramp", len(given.ramp)), ("cost_by_year", len(given.cost_by_year))):
        if length != given.years:
            raise BadOutcomeInput(
                f"{name}: has {length} entries, but years is {given.years}; give one a year"
            )
    seen: set[str] = set()
    for number, outcome in enumerate(given.outcomes):
        if outcome.id in seen:
            raise BadOutcomeInput(
                f"outcomes[{number}].id: {outcome.id!r} is given twice; the same benefit must not "
                f"count twice"
            )
        seen.add(outcome.id)


def _row(given: Appraisal, outcome: Outcome, factors: Sequence[float]) -> Row:
    avoided = _avoided(given, outcome, outcome.effect)
    worth = outcome.unit_value * (1 - given.optimism_bias_benefit)
    benefits = tuple(each * worth for each in avoided)
    return Row(outcome.id, avoided, benefits, math.fsum(benefits), _present(benefits, factors))


def _avoided(given: Appraisal, outcome: Outcome, effect: float) -> tuple[float, ...]:
    most = given.cohort * outcome.baseline_per_person_year * effect * (1 - given.deadweight)
    return tuple(
        most * ramp * (1 - outcome.drop_off) ** year for year, ramp in enumerate(given.ramp)
    )


def _present(by_year: Iterable[float], factors: Sequence[float]) -> float:
    return math.fsum(each * factor for each, factor in zip(by_year, factors, strict=True))


def _of_kind(given: Appraisal, rows: Sequence[Row], kind: str) -> list[Row]:
    pairs = zip(given.outcomes, rows, strict=True)
    return [row for outcome, row in pairs if outcome.kind == kind]


def _summed(
    given: Appraisal,
    factors: tuple[float, ...],
    costs: tuple[float, ...],
    rows: tuple[Row, ...],
    by_kind: Mapping[str, tuple[float, ...]],
) -> CostBenefit:
    fiscal, social = by_kind["fiscal"], by_kind["social"]
    cashable = [each.cashable * (each.kind == "fiscal") for each in given.outcomes]
    present = Sums(
        cost=_present(costs, factors),
        fiscal=_present(fiscal, factors),
        social=_present(social, factors),
        cashable=math.fsum(row.pv_benefit * c for row, c in zip(rows, cashable, strict=True)),
    )
    undiscounted = Sums(
        cost=math.fsum(costs),
        fiscal=math.fsum(fiscal),
        social=math.fsum(social),
        cashable=math.fsum(
            row.benefit_undiscounted * c for row, c in zip(rows, cashable, strict=True)
        ),
    )
    public = tuple(map(sum, zip(fiscal, social, strict=True)))
    reasons: Reasons = {}
    return CostBenefit(
        discount_factors=factors,
        cost_by_year_adjusted=costs,
        rows=rows,
        fiscal_by_year=fiscal,
        social_by_year=social,
        undiscounted=undiscounted,
        **_present_values(present, reasons),
        payback_years_fiscal=_payback("fiscal", fiscal, costs, factors, reasons),
        payback_years_public_value=_payback("public_value", public, costs, factors, reasons),
        switching_values=_switching(given, rows, factors, present.cost, reasons),
        reasons=reasons,
    )


def _present_values(present: Sums, reasons: Reasons) -> dict[str, Any]:
    total = present.fiscal + present.social
    return {
        "pv_cost": present.cost,
        "pv_fiscal": present.fiscal,
        "pv_social": present.social,
        "pv_total": total,
        "pv_cashable": present.cashable,
        "npv_fiscal": present.fiscal - present.cost,
        "npv_public_value": total - present.cost,
        "fiscal_return": _over("fiscal_return", present.fiscal, present.cost, reasons),
        "benefit_cost_ratio": _over("benefit_cost_ratio", total, present.cost, reasons),
        "cashable_return": _over("cashable_return", present.cashable, present.cost, reasons),
        "cashable_share_of_fiscal": _over(
            "cashable_share_of_fiscal", present.cashable, present.fiscal, reasons, "fiscal benefit"
        ),
    }


def _over(
    name: str, above: float, below: float, reasons: Reasons, what: str = "cost"
) -> float | None:
    if below > 0:
        return above / below
    reasons[name] = f"no {what} to divide by"
    return None


def _payback(
    of: str,
    benefits: Iterable[float],
    costs: Iterable[float],
    factors: Sequence[float],
    reasons: Reasons,
) -> float | None:
    total = 0.0
    for year, (benefit, cost, factor) in enumerate(zip(benefits, costs, factors, strict=True)):
        net = (benefit - cost) * factor
        before, total = total, total + net
        if total >= 0:
            return 0.0 if before >= 0 else year - before / net
    reasons[f"payback_years_{of}"] = "the benefit does not reach the cost in these years"
    return None


def _switching(
    given: Appraisal,
    rows: Sequence[Row],
    factors: Sequence[float],
    pv_cost: float,
    reasons: Reasons,
) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    total = math.fsum(row.pv_benefit for row in rows)
    for outcome, row in zip(given.outcomes, rows, strict=True):
        worth = outcome.unit_value * (1 - given.optimism_bias_benefit)
        whole = _present((each * worth for each in _avoided(given, outcome, 1.0)), factors)
        found[outcome.id] = (pv_cost - (total - row.pv_benefit)) / whole if whole > 0 else None
        if whole <= 0:
            reasons[f"switching_values.{outcome.id}"] = (
                "nothing can be avoided, whatever the effect"
            )
    return found
