"""Read the forms about orders: an order, a clause, a variation."""

from collections.abc import Mapping

from alerts.finding import Severity
from navigate_safer.people.clause_catalogue import Monitored, Template, templates
from navigate_safer.people.order_rules import kinds
from navigate_safer.people.orders import Clause, OrderFile
from navigate_safer.services.orders import Variation
from navigate_safer.web.form_fields import Fields, day_fields
from navigate_safer.web.wall_time import written

# What stands before the name of a placeholder in a form.
FILL = "fill_"
LONGEST_NUMBER = 40


def read_order(fields: Fields) -> OrderFile | None:
    """A new order; None when something is missing."""
    kind = fields.among("kind", kinds(), "which kind of order it is")
    made_by = fields.text("made_by", "the court or the officer who made it")
    case_number = fields.text("case_number", "its number", required=False)
    made_on = fields.day("made_on", "the day on which it was made")
    starts_on = fields.day("starts_on", "the day on which it begins")
    ends_on = fields.day("ends_on", "the day on which it ends", required=False)
    fields.refuse_private("made_by", "case_number")
    if made_on is None or starts_on is None or not kind:
        return None
    return OrderFile("", kind, made_by, case_number, made_on, starts_on, ends_on)


def read_variation(fields: Fields, *, default_by: str = "") -> Variation | None:
    """Who varies it, from when and why; None when something is missing."""
    by = fields.text("varied_by", "the court or the officer who varied it") or default_by
    from_at = fields.instant("varied_from", "from when it holds")
    why = fields.text("why", "why it is varied", longest=1_000)
    fields.refuse_private("varied_by", "why")
    if from_at is None:
        return None
    return Variation(by, from_at, why, fields.version())


def read_clause(fields: Fields, template: Template) -> tuple[Clause, Variation] | None:
    """A new clause from the catalogue, and who added it; None when something is missing."""
    number = fields.text("number", "the number of the clause in the order", longest=LONGEST_NUMBER)
    given = _filled(fields, template)
    from_at = fields.instant("from_at", "from when it holds")
    until_at = fields.instant("until_at", "until when it holds", required=False)
    by = fields.text("varied_by", "the court or the officer who set it")
    why = fields.text("why", "why it is set", longest=1_000)
    fields.refuse_private("number", "varied_by", "why")
    monitored = template.monitors if fields.ticked("monitored") else None
    severity = _severity(fields) if monitored is not None else template.severity
    zone = _zone(fields, monitored)
    if from_at is None or fields.errors:
        return None
    clause = Clause(
        key=0,
        number=number,
        code=template.code,
        text=template.filled(given),
        from_at=from_at,
        until_at=until_at,
        monitored=monitored,
        severity=severity.value,
        zone_ref=zone,
    )
    return clause, Variation(by, from_at, why, fields.version())


def read_change(fields: Fields, old: Clause) -> tuple[Clause, Variation] | None:
    """A clause that says something else; None when something is missing."""
    number = fields.text("number", "the number of the clause in the order", longest=LONGEST_NUMBER)
    text = fields.long_text("text", "what the clause says", required=bool(old.text))
    until_at = fields.instant("until_at", "until when it holds", required=False)
    judged = old.monitored is not None and old.monitored.judged_as is not None
    severity = _severity(fields).value if judged else old.severity
    zone = _zone(fields, old.monitored)
    variation = read_variation(fields)
    fields.refuse_private("number")
    # A court may name the street that it forbids.
    fields.refuse_private("text", streets=False)
    if variation is None or fields.errors:
        return None
    clause = Clause(
        key=old.key,
        number=number,
        code=old.code,
        text=text,
        from_at=old.from_at,
        until_at=until_at,
        monitored=old.monitored,
        severity=severity,
        zone_ref=zone,
        condition_ref=old.condition_ref,
    )
    return clause, variation


def template_named(code: str) -> Template | None:
    """One condition of the catalogue."""
    return templates().get(code)


def of_clause(clause: Clause) -> dict[str, str]:
    """A clause as the form shows it."""
    until = {} if clause.until_at is None else {"until_at": written(clause.until_at)}
    return {
        "number": clause.number,
        "text": clause.text,
        "severity": clause.severity,
        "zone": clause.zone_ref or "",
        **until,
    }


def of_order(file: OrderFile) -> dict[str, str]:
    """An order's end as the form shows it."""
    return day_fields("ends_on", file.ends_on)


def _filled(fields: Fields, template: Template) -> Mapping[str, str]:
    given = {}
    for each in template.inputs:
        name = f"{FILL}{each.name}"
        what = each.label[0].lower() + each.label[1:]
        given[each.name] = fields.long_text(name, what)
        fields.refuse_private(name, streets=False)
    return given


def _severity(fields: Fields) -> Severity:
    return fields.choice("severity", Severity, "how urgent a breach is") or Severity.MEDIUM


def _zone(fields: Fields, monitored: Monitored | None) -> str | None:
    if monitored is None or monitored.zone_kind is None:
        return None
    typed = fields.form.get("zone", "").strip()
    if not typed:
        fields.errors["zone"] = "Select the zone that the clause is about, or draw it first"
    return typed or None
