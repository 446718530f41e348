"""The benchmark's own arithmetic."""

import os

import numpy as np
import pytest

from navigate_safer.demo import intake_report
from navigate_safer.demo.disk_flush import flush_ms, percentiles_ms
from navigate_safer.demo.intake_run import Run
from navigate_safer.demo.intake_workers import BIN_S, LATENCY_BINS, latencies_ms
from navigate_safer.demo.process_cost import memory_mb
from navigate_safer.demo.server_process import version_of


def a_run(name: str, rate: float, **figures) -> Run:
    return Run(name, 30_000, 1_000, 1_000, rate, 50.0, **figures)


def test_each_figure_has_its_own_median():
    runs = [
        a_run("service", rate, p99_ms=p99_ms, cpu_steps={"judge": judge_us})
        for rate, p99_ms, judge_us in ((10.0, 90.0, 3.0), (30.0, 70.0, 1.0), (20.0, 80.0, 8.0))
    ]
    found = intake_report.median(runs)
    assert (found.rate, found.p99_ms, found.cpu_steps) == (20.0, 80.0, {"judge": 3.0})
    assert found.p50_ms is None


def test_a_share_is_of_the_bare_path_of_the_same_measurement_and_of_the_main_fleet():
    measured = [
        [a_run("bare path", 40.0), a_run("service", 20.0), a_run("service", 5.0)],
        [a_run("bare path", 30.0), a_run("service", 18.0), a_run("service", 5.0)],
    ]
    assert intake_report.shares(measured) == pytest.approx([0.5, 0.6])


def test_a_process_holds_memory_and_one_that_is_gone_holds_none():
    assert memory_mb(os.getpid()) > 1
    assert memory_mb(0) == 0


def test_the_library_s_version_is_named():
    assert version_of("sqlite").startswith("SQLite 3.")


def test_the_disk_is_flushed_so_often_and_nothing_is_left_on_it(tmp_path):
    spent_ms = flush_ms(tmp_path, flushes=3, pause_s=0.0)
    assert len(spent_ms) == 3
    assert min(spent_ms) > 0
    assert list(tmp_path.iterdir()) == []
    assert percentiles_ms([1.0, 2.0, 9.0]) == pytest.approx((2.0, 8.86, 9.0))


def test_latencies_are_counted_to_half_a_millisecond():
    counts = np.zeros(LATENCY_BINS, dtype=np.int64)
    assert latencies_ms(counts) is None
    for ms, times in ((40, 97), (75, 2), (120, 1)):
        counts[round(ms / 1000 / BIN_S)] += times
    assert latencies_ms(counts) == pytest.approx((40, 75, 120), abs=0.5)
