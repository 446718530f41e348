"""The figures of the benchmark of place rules as a document and as tables."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from navigate_safer.demo.place_ahead import RINGS_M, Warnings
from navigate_safer.demo.place_bench import BOUND, GROUPS, OURS, Approaches, Scores
from navigate_safer.demo.place_cost import BAR_US, Cost
from navigate_safer.demo.place_peers import PEERS
from navigate_safer.demo.place_scores import CHANCE_ERRORS, Score
from navigate_safer.demo.place_sweep import COMPARED, best_for_each

RULES = (OURS, *PEERS)
SHOWN_RULES = (*RULES, BOUND)
ALL = "all worlds"
# What each row is called, whether more is better, and the digits that are worth showing.
ROWS: dict[str, tuple[str, bool, int]] = {
    "breaches_found_percent": ("breaches found %", True, 1),
    "passes_found_percent": ("passes under 60 s found %", True, 1),
    "delay_p50_s": ("delay p50 s, missed: a day", False, 0),
    "delay_p90_s": ("delay p90 s, missed: a day", False, 0),
    "start_error_p50_s": ("error of start p50 s", False, 0),
    "false_episodes_device_week": ("false episodes / device-week", False, 2),
    "false_minutes_device_week": ("false minutes / device-week", False, 1),
    "brier": ("Brier score", False, 4),
    "calibration_worst_points": ("worst decile, points off beyond chance", False, 1),
}


def document(scores: Scores) -> dict[str, object]:
    """Everything, as JSON values: rows by group, world and rule, and where a peer is better."""
    with_all = _with_all(scores)
    worlds = list(dict.fromkeys(world for world, _, _ in with_all))
    return {
        "rows": {
            group: {
                world: {rule: with_all[world, group, rule].row() for rule in SHOWN_RULES}
                for world in worlds
            }
            for group in GROUPS
        },
        "calibration": {
            group: {world: with_all[world, group, OURS].calibration() for world in worlds}
            for group in GROUPS
        },
        "episodes": {
            group: {world: with_all[world, group, OURS].episode_calibration() for world in worlds}
            for group in GROUPS
        },
        "behind": behind(scores),
        "dominance": dominance(scores),
        "settings": settings(scores),
    }


def settings(scores: Scores) -> dict[str, list[dict[str, object]]]:
    """For each peer, of all the costs of a miss that were run, the best beside it."""
    with_all = _with_all(scores)
    return {
        group: best_for_each(
            {
                rule: score
                for (world, of, rule), score in with_all.items()
                if world == ALL and of == group and rule not in (BOUND, *PEERS)
            },
            {peer: with_all[ALL, group, peer] for peer in PEERS},
            ROWS,
        )
        for group in GROUPS
    }


def approach_document(approaches: Approaches) -> list[dict[str, object]]:
    """Each ring, and the earliest of ours that warns falsely no more often."""
    ours = {level: each.row() for (rule, level), each in approaches.items() if rule == "ours"}
    found: list[dict[str, object]] = []
    for ring_m in RINGS_M:
        ring = approaches.get(("ring", ring_m), Warnings()).row()
        limit = ring["false_warnings_device_week"]
        fair = {p: row for p, row in ours.items() if row["false_warnings_device_week"] <= limit}
        best = max(fair, key=lambda level: fair[level]["lead_mean_s"], default=None)
        row = None if best is None else {"percent": 100 * best, **fair[best]}
        found.append({"ring_m": ring_m, "ring": ring, "ours": row})
    return found


def behind(scores: Scores) -> list[dict[str, object]]:
    """Every row on which some peer is better than ours, over all worlds taken together."""
    with_all = _with_all(scores)
    found: list[dict[str, object]] = []
    for group in GROUPS:
        rows = {rule: with_all[ALL, group, rule].row() for rule in RULES}
        for name, (_, more, digits) in ROWS.items():
            ours = round(rows[OURS][name], digits)
            for peer in PEERS:
                theirs = round(rows[peer][name], digits)
                if (theirs > ours) if more else (theirs < ours):
                    found.append(
                        {"group": group, "row": name, "peer": peer, "ours": ours, "theirs": theirs}
                    )
    return found


def dominance(scores: Scores) -> list[dict[str, object]]:
    """For each row: ours, the best of the peers, and whether ours is at least as good.

    ``costs`` is what that peer pays for being the best: the row on which it is furthest behind
    ours, as a multiple of ours. ``bound`` is who knows the truth at each fix.
    """
    with_all = _with_all(scores)
    found: list[dict[str, object]] = []
    for group in GROUPS:
        rows = {rule: with_all[ALL, group, rule].row() for rule in SHOWN_RULES}
        for name, (_, more, digits) in ROWS.items():
            values = {rule: round(rows[rule][name], digits) for rule in RULES}
            pick = max if more else min
            peer = pick(PEERS, key=lambda rule: values[rule])
            ours, theirs = values[OURS], values[peer]
            ahead = ours >= theirs if more else ours <= theirs
            found.append(
                {
                    "group": group,
                    "row": name,
                    "ours": ours,
                    "best_peer": peer,
                    "theirs": theirs,
                    "ahead": ahead,
                    "bound": round(rows[BOUND][name], digits),
                    "costs": "" if ahead else _price(rows[OURS], rows[peer]),
                }
            )
    return found


def _price(ours: dict[str, float], theirs: dict[str, float]) -> str:
    """The row on which the other is furthest behind ours, in words."""
    worst, words = 1.0, "nothing"
    for name, (title, more, digits) in ROWS.items():
        mine, other = (theirs[name], ours[name]) if more else (ours[name], theirs[name])
        times = other / mine if mine > 0 else 1.0
        if times > worst:
            worst, words = (
                times,
                f"{title}: {theirs[name]:.{digits}f}, ours {ours[name]:.{digits}f}",
            )
    return words


def show(scores: Scores, console: Console, approaches: Approaches | None = None) -> None:
    """The tables: every rule over all worlds and in its worst, ours world by world, and so on."""
    with_all = _with_all(scores)
    worlds = list(dict.fromkeys(world for world, _, _ in scores))
    for group in GROUPS:
        console.print(_rules_table(with_all, group, worlds))
        console.print(_worlds_table(with_all, group, worlds))
        console.print(_calibration_table(with_all, group, worlds))
        console.print(_episodes_table(with_all, group))
    for group in GROUPS:
        console.print(_dominance_table(dominance(scores), group))
    for group in GROUPS:
        console.print(_settings_table(settings(scores)[group], group))
    if approaches:
        console.print(_approach_table(approach_document(approaches)))


def show_costs(steps: Sequence[Cost], others: Sequence[Cost], console: Console) -> None:
    """What a step of the rule costs near a zone, and beside other people's zones."""
    for title, count, costs in (
        (f"A step of the rule; the bar is a median of {BAR_US:g} us", "edges", steps),
        ("The judgement of one wearer near his zone", "zones of others", others),
    ):
        table = Table(title=title)
        for name in ("", count, "median us", "mean us"):
            table.add_column(name, justify="right" if name else "left")
        for each in costs:
            figures = (f"{each.median_us:.0f}", f"{each.mean_us:.0f}")
            table.add_row(each.what, f"{each.count:,}", *figures)
        console.print(table)


def _dominance_table(rows: list[dict[str, Any]], group: str) -> Table:
    table = Table(title=f"Zones to {group}: is ours at least as good as every peer on the row?")
    for name in ("", "ours", "best peer", "", "", "what that peer pays for it", BOUND):
        table.add_column(name)
    for each in rows:
        if each["group"] == group:
            cells = (f"{each['ours']:g}", each["best_peer"], f"{each['theirs']:g}")
            answer = "yes" if each["ahead"] else "no"
            bound = f"{each['bound']:g}"
            table.add_row(ROWS[each["row"]][0], *cells, answer, each["costs"], bound)
    return table


def _settings_table(rows: list[dict[str, Any]], group: str) -> Table:
    title = f"Zones to {group}: each peer / ours at the cost of a miss that is behind it least"
    table = Table(title=title)
    for name in ("", *(ROWS[name][0] for name in COMPARED), "ours is", "behind on"):
        table.add_column(name)
    for row in rows:
        ours, theirs = row["ours"], row["theirs"]
        cells = [
            f"{theirs[name]:.{digits}f} / {ours[name]:.{digits}f}"
            for name in COMPARED
            for digits in (ROWS[name][2],)
        ]
        worse = ", ".join(ROWS[name][0] for name in row["behind"]) or "nothing"
        table.add_row(row["peer"], *cells, row["setting"], worse)
    return table


def _approach_table(rows: list[dict[str, Any]]) -> Table:
    table = Table(title="Early warning: ring / ours with no more false warnings than the ring")
    for name in ("ring", "lead, mean s", "entries warned %", "false / device-week", "ours at"):
        table.add_column(name)
    names = ("lead_mean_s", "entries_warned_percent", "false_warnings_device_week")
    for row in rows:
        ours = row["ours"]
        cells = [
            f"{row['ring'][name]:.0f} / " + ("-" if ours is None else f"{ours[name]:.0f}")
            for name in names
        ]
        at = "-" if ours is None else f"{ours['percent']:g} %"
        table.add_row(f"{row['ring_m']:g} m", *cells, at)
    return table


def _with_all(scores: Scores) -> Scores:
    """With the sums over the worlds as one world more, the first."""
    found: Scores = {(ALL, group, rule): Score() for group in GROUPS for rule in SHOWN_RULES}
    for (_, group, rule), score in scores.items():
        found.setdefault((ALL, group, rule), Score()).add(score)
    return found | scores


def _rules_table(scores: Scores, group: str, worlds: list[str]) -> Table:
    table = Table(title=f"Zones to {group}: over all worlds (and in the worst of them)")
    table.add_column("")
    for rule in SHOWN_RULES:
        table.add_column(rule, justify="right")
    for name, (title, more, digits) in ROWS.items():
        cells = []
        for rule in SHOWN_RULES:
            by_world = [scores[world, group, rule].row()[name] for world in worlds]
            worst = min(by_world) if more else max(by_world)
            mean = scores[ALL, group, rule].row()[name]
            cells.append(f"{mean:.{digits}f} ({worst:.{digits}f})")
        table.add_row(title, *cells)
    return table


def _worlds_table(scores: Scores, group: str, worlds: list[str]) -> Table:
    table = Table(title=f"Zones to {group}: ours, world by world")
    table.add_column("")
    for title, _, _ in ROWS.values():
        table.add_column(title, justify="right")
    for world in worlds:
        row = scores[world, group, OURS].row()
        table.add_row(world, *(f"{row[name]:.{ROWS[name][2]}f}" for name in ROWS))
    return table


def _calibration_table(scores: Scores, group: str, worlds: list[str]) -> Table:
    title = f"Zones to {group}: of 100 fixes at which we state so much, in breach were"
    table = Table(title=f"{title} (+-: {CHANCE_ERRORS:g} standard errors)")
    table.add_column("")
    for decile in range(1, 11):
        table.add_column(f"{decile * 10 - 10}-{decile * 10} %", justify="right")
    for world in (ALL, *worlds):
        cells = {
            int(each["decile"]): _decile(each) for each in scores[world, group, OURS].calibration()
        }
        table.add_row(world, *(cells.get(decile, "") for decile in range(1, 11)))
    return table


def _episodes_table(scores: Scores, group: str) -> Table:
    table = Table(title=f"Zones to {group}: of 100 episodes told with so much, were true")
    for name in ("stated %", "true %", "standard error", "episodes"):
        table.add_column(name, justify="right")
    for each in scores[ALL, group, OURS].episode_calibration():
        figures = (f"{each[name]:.0f}" for name in ("stated", "true", "error", "episodes"))
        table.add_row(*figures)
    return table


def _decile(row: dict[str, float]) -> str:
    chance = f"+-{CHANCE_ERRORS * row['error']:.0f}"
    return f"{row['stated']:.0f}: {row['observed']:.0f} {chance}"
