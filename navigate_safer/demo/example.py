"""The reader's own tag: one wearer of the cohort is left to whoever tries the README's examples.

No simulated gateway speaks for ``TAG-EXAMPLE``. Its wearer has one condition, an exclusion zone
in force at all hours, so that a single published fix raises one alert and silence raises none.
"""

from datetime import datetime, timedelta

import msgspec

from alerts.finding import Severity
from alerts.terms import ConditionKind
from navigate_safer.demo.orders import town_zone
from navigate_safer.people.casefile import (
    CaseFile,
    ConditionEntry,
    Device,
    Fitting,
    Gateway,
    OrderEntry,
)

GATEWAY = "gw-example"
DEVICE = "TAG-EXAMPLE"
ZONE = "zone-example"
# Inside the zone, at Chester Cross; and well outside it, at the zoo.
INSIDE = (53.1905, -2.8918)
OUTSIDE = (53.2270, -2.8840)


def with_example(case_file: CaseFile, start: datetime) -> CaseFile:
    """The case file with its last wearer's tag exchanged for the example's."""
    *others, last = case_file.wearers
    zone = msgspec.structs.replace(
        town_zone("Chester city centre", []),
        ref=ZONE,
        name="Chester city centre (example)",
        schedule=None,
    )
    condition = ConditionEntry(
        ref="condition-example",
        clause="Licence 15",
        kind=ConditionKind.EXCLUSION_ZONE,
        severity=Severity.CRITICAL,
        from_at=start - timedelta(days=1),
        zone=ZONE,
    )
    order = OrderEntry(
        ref="order-example",
        kind="licence",
        starts_on=(start - timedelta(days=30)).date(),
        ends_on=None,
        conditions=[condition],
    )
    last = msgspec.structs.replace(
        last, orders=[order], fittings=[Fitting(DEVICE, start - timedelta(days=1))]
    )
    return msgspec.structs.replace(
        case_file,
        gateways=[*case_file.gateways, Gateway(GATEWAY, "For your own telemetry")],
        devices=[*case_file.devices, Device(DEVICE, "any")],
        zones=[*case_file.zones, zone],
        wearers=[*others, last],
    )
