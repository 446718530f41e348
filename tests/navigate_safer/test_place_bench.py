"""The benchmark of place rules: what it counts, on cases small enough to count by hand."""

import io
import json

import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

from navigate_safer.cli.bench import bench
from navigate_safer.demo import (
    place_ahead,
    place_bench,
    place_cost,
    place_report,
    place_scores,
    place_sweep,
)
from navigate_safer.demo.place_ahead import Warnings
from navigate_safer.demo.place_lives import live, spans
from navigate_safer.demo.place_peers import PEERS
from navigate_safer.demo.place_scores import Episode, Score
from navigate_safer.demo.place_worlds import WORLDS, drawn, observe

# Metres from the edge, negative inside, and the reported radius, fix by fix.
OFF_M = np.array([40.0, -5.0, 30.0, -20.0, -30.0, -30.0, 5.0, 60.0, 8.0])
RADIUS_M = np.array([10.0, 10.0, 80.0, 10.0, 10.0, 10.0, 10.0, 10.0, 60.0])


@pytest.mark.parametrize(
    ("rule", "inside"),
    [
        pytest.param("point in polygon", "010111000", id="the point decides"),
        pytest.param("drop above 50 m", "011111000", id="a wide fix is dropped"),
        pytest.param("3 in a row", "000001110", id="three in a row"),
        pytest.param("drop, 3 in a row", "000011111", id="both"),
        pytest.param("leave when disc clear", "011111100", id="leaves when the disc is clear"),
        pytest.param("disc touches", "011111101", id="inside while the disc touches"),
    ],
)
def test_how_each_peer_decides(rule, inside):
    flags = PEERS[rule](OFF_M, RADIUS_M)
    assert "".join(str(int(each)) for each in flags) == inside


def test_true_stretches_are_joined_over_short_breaks():
    breach = np.zeros(1000, bool)
    breach[100:130] = breach[150:200] = breach[400:410] = True
    # Two-second ticks: away for 40 s is one stay, for 400 s is not.
    assert spans(breach) == [(200.0, 400.0), (800.0, 820.0)]


def test_what_is_found_late_and_false():
    score = Score(device_s=7 * 86_400.0)
    truth = [(1000.0, 2000.0), (5000.0, 5030.0), (9000.0, 9900.0)]
    episodes = [
        Episode(990.0, 2050.0, 1040.0),
        Episode(5010.0, 5020.0, 5060.0),
        Episode(20_000.0, 20_120.0, 20_000.0),
    ]
    score.add_episodes(episodes, truth)
    row = score.row()
    assert row["breaches_found_percent"] == 50.0
    assert row["passes_found_percent"] == 100.0
    # Two breaches: one told after 40 s, one never, which counts as a day.
    assert row["delay_p50_s"] == pytest.approx((40.0 + place_scores.NEVER_S) / 2)
    assert row["start_error_p50_s"] == 10.0
    assert row["false_episodes_device_week"] == 1.0
    assert row["false_minutes_device_week"] == 2.0


def test_brier_and_calibration():
    score = Score()
    score.add_fixes(np.full(2000, 0.25), np.repeat([0.0, 1.0], [1400, 600]))
    score.add_fixes(np.full(10, 0.95), np.zeros(10))
    assert score.row()["brier"] == pytest.approx(
        (1400 * 0.0625 + 600 * 0.5625 + 10 * 0.9025) / 2010
    )
    # Ten fixes are too few to say anything of their decile; and one track is but one witness, so
    # that the five points may be chance.
    (found,) = score.calibration()
    assert found == {"decile": 3, "fixes": 2000, "stated": 25.0, "observed": 30.0, "error": 5.0}
    assert score.row()["calibration_worst_points"] == 0.0


def test_many_tracks_that_are_off_alike_are_off_by_more_than_chance():
    score = Score()
    for _ in range(100):
        score.add_fixes(np.full(20, 0.25), np.repeat([0.0, 1.0], [14, 6]))
    assert score.row()["calibration_worst_points"] == pytest.approx(4.0)


def test_a_zone_of_one_life_is_one_witness_however_many_worlds_it_is_seen_in():
    def off_in_ten_worlds(witness):
        every = Score()
        for world in range(10):
            one = Score()
            one.add_fixes(np.full(100, 0.25), np.ones(100), witness(world))
            every.add(one)
        return every.calibration()[0]["error"]

    strangers = off_in_ten_worlds(lambda world: (world, 0))
    assert off_in_ten_worlds(lambda _: (0, 0)) == pytest.approx(75.0)
    assert strangers == pytest.approx(75.0 / 10**0.5)


def test_what_a_step_costs_is_measured_and_shown():
    found = place_cost.steps(edges=(6,))
    assert {each.count for each in found} == {6}
    assert all(each.median_us > 0 for each in found)
    others = place_cost.beside_others(counts=(3,))
    console = Console(width=120, record=True, file=io.StringIO())
    place_report.show_costs(found, others, console)
    assert "walking round it" in console.export_text()


def test_a_life_and_what_is_seen_of_it_depend_on_the_seed_alone():
    first, again = (live(np.random.default_rng(3), 0.5) for _ in range(2))
    assert (first.path == again.path).all()
    assert first.truths == again.truths
    seen = [observe(first, WORLDS[0], np.random.default_rng(4)) for _ in range(2)]
    assert (seen[0].lonlat == seen[1].lonlat).all()
    assert (np.diff(seen[0].second) > 0).all()
    assert len({world.name for world in WORLDS}) == len(WORLDS)


def test_a_warning_leads_an_entry_or_is_false():
    """Entries at 1,000 s and 5,000 s; what begins inside is late, not false."""
    counted = Warnings(device_s=7 * 86_400.0)
    truth = [(1000.0, 1500.0), (5000.0, 5100.0)]
    counted.take(np.array([700.0, 900.0, 1200.0, 3000.0]), truth)
    row = counted.row()
    assert (row["entries_warned_percent"], row["lead_mean_s"]) == (50.0, 150.0)
    assert row["false_warnings_device_week"] == 1.0


def test_when_warnings_begin():
    second = np.arange(8) * 60.0
    likely = np.array([0.0, 0.2, 0.05, 0.2, 0.001, 0.2, 0.3, 0.0])
    assert place_ahead.began(likely, 0.1, second).tolist() == [60.0, 300.0]
    off_m = np.array([400.0, 90.0, 80.0, 200.0, 99.0, 10.0, -5.0, 300.0])
    assert place_ahead.ring_began(off_m, 100.0, second).tolist() == [60.0, 240.0]


def test_for_each_row_it_is_said_whether_ours_is_ahead_and_what_the_best_peer_pays(scores):
    rows = place_report.dominance(scores)
    assert len(rows) == len(place_bench.GROUPS) * len(place_report.ROWS)
    behind = {(each["group"], each["row"]) for each in place_report.behind(scores)}
    assert {(each["group"], each["row"]) for each in rows if not each["ahead"]} == behind
    assert all(each["costs"] for each in rows if not each["ahead"])


def test_beside_the_peers_stands_who_knew_the_truth_at_each_fix_and_is_never_wrong(scores):
    for group in place_bench.GROUPS:
        knew = Score()
        for (_, of, rule), score in scores.items():
            if of == group and rule == place_bench.BOUND:
                knew.add(score)
        assert knew.row()["brier"] == 0.0
        assert knew.false_episodes == 0
        # Between two fixes he knows nothing: he is late like everybody who waits for one.
        assert knew.row()["delay_p50_s"] > 0.0
        stated = {row["row"]: row["bound"] for row in place_report.dominance(scores)
                  if row["group"] == group}  # fmt: skip
        assert stated["delay_p50_s"] == round(knew.row()["delay_p50_s"])
    assert all(row["peer"] != place_bench.BOUND for row in place_report.behind(scores))


def score_of(found, passes, delay_s, false):
    return Score(100, found, 100, passes, [delay_s], [10.0], false, device_s=7 * 86_400.0)


def test_a_peer_is_met_with_the_setting_that_is_behind_it_in_the_least():
    ours = {
        "bold": score_of(98, 80, 20.0, 10),
        "usual": score_of(95, 60, 30.0, 4),
        "careful": score_of(80, 20, 90.0, 1),
    }
    peers = {
        "eager": score_of(99, 50, 5.0, 50),
        "even": score_of(95, 60, 30.0, 10),
        "sober": score_of(90, 30, 60.0, 5),
        "mute": score_of(1, 0, 86_400.0, 0),
    }
    met = place_sweep.best_for_each(ours, peers, place_report.ROWS)
    assert {each["peer"]: (each["setting"], each["behind"]) for each in met} == {
        # Nobody who is less often wrong is so quick; the bolder one is behind on as many rows.
        "eager": ("usual", ["breaches_found_percent", "delay_p50_s", "delay_p90_s"]),
        # Two are as good in everything: the one that is wrong less often.
        "even": ("usual", []),
        "sober": ("usual", []),
        "mute": ("careful", ["false_episodes_device_week"]),
    }
    even = met[1]
    assert even["ours"]["false_episodes_device_week"] == 4.0
    assert even["theirs"]["false_episodes_device_week"] == 10.0


def test_what_does_not_show_in_the_table_puts_nobody_behind():
    hair = score_of(95, 60, 30.4, 4)
    met = place_sweep.best_for_each({"ours": hair}, {"p": score_of(95, 60, 30.0, 4)},
                                    place_report.ROWS)  # fmt: skip
    assert met[0]["behind"] == []


def test_worlds_at_random_depend_on_the_seed_and_differ():
    assert drawn(1, 0) == drawn(1, 0)
    assert len({drawn(1, number).drift_still_s for number in range(5)}) == 5
    life = live(np.random.default_rng(3), 0.5)
    track = observe(life, drawn(1, 2), np.random.default_rng(4))
    assert (track.accuracy_m > 0).all()


@pytest.fixture(scope="module")
def scores():
    worlds = tuple(world for world in WORLDS if world.name in ("survey", "honest"))
    return place_bench.measure(2, 1.0, 7, worlds=worlds)


@pytest.mark.parametrize("group", place_bench.GROUPS)
def test_ours_states_where_wearers_are_better_than_any_peer(scores, group):
    """The Brier score over both worlds, on tracks that the rule was not made for."""
    rows = place_report.document(scores)["rows"][group][place_report.ALL]
    assert rows[place_bench.OURS]["brier"] < min(rows[peer]["brier"] for peer in PEERS)


def test_the_report_names_every_row_on_which_a_peer_is_ahead(scores):
    document = place_report.document(scores)
    rows = document["rows"]["keep out"][place_report.ALL]
    assert set(rows) == {place_bench.OURS, *PEERS, place_bench.BOUND}
    for each in document["behind"]:
        name, more = each["row"], place_report.ROWS[each["row"]][1]
        assert (each["theirs"] > each["ours"]) is more, name
    console = Console(width=200, record=True, file=io.StringIO())
    place_report.show(scores, console)
    text = console.export_text()
    assert all(title in text for title, _, _ in place_report.ROWS.values())
    assert "survey" in text


def test_no_label_of_the_tables_is_cut_in_a_file():
    ran = CliRunner().invoke(
        bench, ["place", "--devices", "1", "--days", "0.5", "--seed", "2", "--no-sweep"]
    )
    assert ran.exit_code == 0, ran.output
    assert "…" not in ran.stdout
    assert "false episodes / device-week" in ran.stdout


def test_the_command_prints_one_document():
    ran = CliRunner().invoke(
        bench, ["place", "--devices", "1", "--days", "0.5", "--seed", "2", "--json"]
    )
    assert ran.exit_code == 0, ran.output
    document = json.loads(ran.stdout)
    assert document["devices"] == 1
    assert document["seconds"] > 0
    assert set(document["rows"]) == set(place_bench.GROUPS)
    assert {each["ring_m"] for each in document["approach"]} == set(place_ahead.RINGS_M)
    for group in place_bench.GROUPS:
        assert [each["peer"] for each in document["settings"][group]] == list(PEERS)
        for each in document["settings"][group]:
            for name in set(place_sweep.COMPARED) - set(each["behind"]):
                _, more, digits = place_report.ROWS[name]
                ours, theirs = (round(each[whose][name], digits) for whose in ("ours", "theirs"))
                assert ours >= theirs if more else ours <= theirs, (each["peer"], name)
