"""What a rule finds at the rate of false episodes of another: thresholds swept.

A rule that tells less is wrong less often, so no single row says which of two is better. Ours is
run at several costs of a miss; at each peer's rate of false episodes, or below it, what ours finds
is set beside what that peer finds.
"""

from navigate_safer.demo.place_scores import Score

# Costs of a miss in false alarms, from telling only what is all but certain to telling any doubt.
SWEEP = (0.05, 0.2, 0.8, 8.0)


def at_equal_false(ours: list[Score], peers: dict[str, Score]) -> list[dict[str, object]]:
    """For each peer: the best of ours whose false episodes are no more; None: none has so few.

    ``ahead``: ours finds at least as many breaches and as many passes.
    """
    found: list[dict[str, object]] = []
    for peer, score in peers.items():
        theirs = score.row()
        limit = theirs["false_episodes_device_week"]
        rows = [each.row() for each in ours]
        fair = [row for row in rows if row["false_episodes_device_week"] <= limit]
        best = max(
            fair,
            key=lambda row: (row["breaches_found_percent"], row["passes_found_percent"]),
            default=None,
        )
        found.append(
            {
                "peer": peer,
                "theirs": {name: theirs[name] for name in SHOWN},
                "ours": None if best is None else {name: best[name] for name in SHOWN},
                "ahead": best is not None and all(best[name] >= theirs[name] for name in SHOWN[:2]),
            }
        )
    return found


SHOWN = (
    "breaches_found_percent",
    "passes_found_percent",
    "delay_p50_s",
    "false_episodes_device_week",
)
