"""One good input of every measure, in the words of the format."""

import json

from navigate_safer.outcomes.measures import run

GOOD = {
    "reoffending": {
        "as_at": "2026-01-31",
        "people": [
            {
                "id": "A",
                "index": "2023-08-31",
                "events": [
                    {
                        "offence": "2024-08-31",
                        "proof": "2025-02-28",
                        "proof_type": "conviction",
                        "kind": "offence",
                    }
                ],
            },
            {"id": "B", "index": "2024-06-01", "events": []},
        ],
    },
    "compare": {
        "perpetrators": 156,
        "window_days": 365,
        "pre": {"arrests": 265, "custody_days": 4_000},
        "post": {"arrests": 172, "custody_days": 12_920},
    },
    "overdispersed": {
        "pre": [3, 0, 5, 1, 9, 2],
        "post": [1, 0, 2, 0, 8, 4],
        "pre_days_at_risk": [365, 365, 365, 365, 365, 365],
        "post_days_at_risk": [365, 300, 200, 365, 120, 365],
    },
    "survival": {
        "six_mp": {
            "time": [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35],
            "event": [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0],
        },
        "placebo": {
            "time": [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23],
            "event": [1] * 21,
        },
        "at": [6, 10, 23],
        "horizon": 35,
    },
    "regression-to-mean": {
        "mu": 0.8,
        "k": 0.5,
        "pre_counts_of_selected": [3, 4, 5, 3],
        "observed_post_total": 9,
    },
    "comparison-group": {"t_pre": 265, "t_post": 172, "c_pre": 300, "c_post": 270},
    "harm": {
        "weights_days": {"abh": 20, "rape": 1825},
        "pre": {"abh": 30, "rape": 1},
        "post": {"abh": 20},
        "perpetrators": 10,
    },
    "compliance": {
        "days_worn": 100,
        "alcohol_only_days": 3,
        "tamper_only_days": 2,
        "both_days": 1,
        "sessions": {
            "offered": 30,
            "attended": 22,
            "acceptable_absence": 3,
            "unacceptable_absence": 5,
        },
    },
    "breach-rule": [
        {"date": "2024-02-29", "finding": "unacceptable"},
        {"date": "2024-05-01", "finding": "acceptable"},
        {"date": "2025-02-28", "finding": "unacceptable"},
    ],
    "hearing-deadline": {"given": "2025-06-10T09:30", "disregarded_dates": []},
    "risk-band": {"ticks": 11, "professional_judgement": "standard", "incidents_12m": 2},
    "marac-repeat": {"last_referral": "2024-03-01", "incident": "2025-03-01"},
    "serial": {
        "as_at": "2025-06-30",
        "incidents": [
            {"p": "P1", "v": "V1", "d": "2022-06-30"},
            {"p": "P1", "v": "V2", "d": "2025-06-30"},
            {"p": "P2", "v": "V1", "d": "2025-01-01"},
        ],
        "ages": {"P1": 30, "P2": 40},
    },
    "cba": {
        "cohort": 100,
        "years": 3,
        "discount_rate": 0.035,
        "first_year_t": 0,
        "deadweight": 0.5,
        "optimism_bias_benefit": 0.2,
        "optimism_bias_cost": 0.1,
        "ramp": [0.5, 1, 1],
        "cost_by_year": [100_000, 50_000, 50_000],
        "outcomes": [
            {
                "id": "arrests",
                "kind": "fiscal",
                "baseline_per_person_year": 2,
                "effect": 0.25,
                "unit_value": 6_000,
                "cashable": 0.25,
                "drop_off": 0.5,
            },
            {
                "id": "incidents",
                "kind": "social",
                "baseline_per_person_year": 4,
                "effect": 0.1,
                "unit_value": 1_000,
                "cashable": 0,
                "drop_off": 0,
            },
        ],
    },
}


def measured(measure, given):
    """What the command prints, read back."""
    found = run(measure, json.dumps(given).encode())
    return json.loads(json.dumps(found, allow_nan=False))
