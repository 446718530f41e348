"""``outcomes`` on files: the document of the format, or one line and exit code 2."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cli.commands import check_refused, run
from click.testing import CliRunner
from outcome_inputs import GOOD

from navigate_safer.cli import main
from navigate_safer.outcomes.measures import MEASURES

# The names of the format, for each measure.
KEYS = {
    "reoffending": "cohort_n reoffenders reoffences binary_rate binary_wilson_ci95 "
    "binary_clopper_pearson_ci95 reoffences_per_reoffender reoffences_per_100_offenders per_person",
    "compare": "pre_days_at_risk post_days_at_risk pre_rate_per_person_year "
    "post_rate_per_person_year naive_percent_change rate_ratio percent_change exact_ci95 "
    "wald_log_ci95 exact_p_two_sided",
    "overdispersed": "poisson_rate_ratio poisson_pearson_dispersion poisson_model_ci95 "
    "gee_rate_ratio gee_robust_ci95 nb2_rate_ratio nb2_ci95 nb2_alpha fixed_effects_rate_ratio "
    "fixed_effects_ci95 sum_pre sum_post zero_post_people",
    "survival": "six_mp placebo logrank_chi2 logrank_p cox_hr cox_hr_ci95",
    "regression-to-mean": "pre_total naive_percent_change expected_post_no_effect "
    "percent_change_expected_from_rtm_alone observed_over_expected observed_over_expected_ci95",
    "comparison-group": "treated_ratio comparison_ratio ratio_of_ratios ci95 p_two_sided",
    "harm": "pre_harm_days post_harm_days pre_count post_count harm_percent_change "
    "count_percent_change pre_harm_per_perpetrator largest_single_offence_share_of_pre_harm",
    "compliance": "compliant_days compliance_rate attendance_rate offered_balances",
    "hearing-deadline": "latest_hearing",
    "risk-band": "band",
    "serial": "serial not_serial",
    "cba": "discount_factors cost_by_year_adjusted rows fiscal_by_year social_by_year undiscounted "
    "pv_cost pv_fiscal pv_social pv_total pv_cashable npv_fiscal npv_public_value fiscal_return "
    "benefit_cost_ratio cashable_return cashable_share_of_fiscal payback_years_fiscal "
    "payback_years_public_value switching_values",
}


def written(folder: Path, document: object) -> Path:
    path = folder / "x.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


@pytest.mark.parametrize("measure", MEASURES)
def test_each_measure_prints_one_document(measure: str, tmp_path: Path) -> None:
    result = run("outcomes", measure, "--input", written(tmp_path, GOOD[measure]))
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    found = json.loads(result.stdout)
    if measure in KEYS:
        assert found.keys() - {"reason"} == set(KEYS[measure].split())
    else:
        assert (
            found
            == {
                "breach-rule": ["warning", "none", "refer_to_enforcement_officer"],
                "marac-repeat": True,
            }[measure]
        )


def test_groups_of_survival_have_the_names_of_the_format(tmp_path: Path) -> None:
    result = run("outcomes", "survival", "--input", written(tmp_path, GOOD["survival"]))
    group = json.loads(result.stdout)["six_mp"]
    assert set(group) - {"reason"} == {"at", "median", "rmst_35", "events"}
    assert set(group["at"]) == {"6", "10", "23"}
    assert set(group["at"]["10"]) == {"survival", "greenwood_se", "loglog_ci95"}


def test_a_dash_reads_standard_input() -> None:
    given = json.dumps(GOOD["marac-repeat"])
    result = CliRunner().invoke(main, ["outcomes", "marac-repeat", "--input", "-"], input=given)
    assert (result.exit_code, result.stdout.strip()) == (0, "true")


@pytest.mark.parametrize("measure", MEASURES)
def test_each_measure_explains_itself_with_its_source(measure: str) -> None:
    result = run("outcomes", measure, "--explain")
    assert result.exit_code == 0
    assert "Source:" in result.stdout


def test_the_measures_are_listed() -> None:
    listed = run("outcomes", "--help").stdout
    assert all(measure in listed for measure in MEASURES)


X = "x.json: "
BAD = [
    pytest.param([], None, ["no measure is named", "reoffending"], id="nothing"),
    pytest.param(["luck", "--input", "FILE"], {}, ["'luck' is not known", "cba"], id="no measure"),
    pytest.param(["harm"], None, ["no input", "--input FILE"], id="no input"),
    pytest.param(["harm", "--input", "nowhere.json"], None, ["nowhere.json", "cannot be read"],
                 id="file that is not there"),
    pytest.param(["harm", "--input", "FOLDER"], None, ["cannot be read", "directory"],
                 id="folder"),
    pytest.param(["harm", "--input", "FILE"], "", [X, "line 1", "not JSON"], id="empty file"),
    pytest.param(["harm", "--input", "FILE"], "{", [X, "not JSON"], id="half a file"),
    pytest.param(["compare", "--input", "FILE"], '{"x0": NaN}', [X, "NaN"], id="NaN"),
    pytest.param(["compare", "--input", "FILE"], '{"x0": 1, "x0": 2}', [X, "'x0' is given twice"],
                 id="name given twice"),
    pytest.param(["compare", "--input", "FILE"], {"x0": 1, "t0": 1, "x1": 1},
                 [X, "t1 is missing"], id="a value is missing"),
    pytest.param(["compare", "--input", "FILE"], {**GOOD["compare"], "x0": 1},
                 [X, "is not a name of this input"],
                 id="both forms at once"),
    pytest.param(["reoffending", "--input", "FILE"],
                 '{"as_at": "\\ud800", "people": []}',
                 [X, "half a character"], id="half a character"),
    pytest.param(["compare", "--input", "FILE"], {"x0": 1.5, "t0": 1, "x1": 1, "t1": 1},
                 [X, "x0", "whole number"], id="half an arrest"),
    pytest.param(["compare", "--input", "FILE"],
                 {**GOOD["compare"], "pre": {"arrests": 3, "custody_days": -1}},
                 [X, "pre.custody_days", "0.0 or more"], id="negative days"),
    pytest.param(["compare", "--input", "FILE"],
                 {**GOOD["compare"], "post": {"arrests": 3, "custody_days": 60_000}},
                 [X, "post.custody_days", "more than perpetrators x window_days = 56940"],
                 id="more custody than days"),
    pytest.param(["compare", "--input", "FILE"], {"x0": 9, "t0": 1e-308, "x1": 1, "t1": 1},
                 [X, "too far apart"], id="days that are none"),
    pytest.param(["overdispersed", "--input", "FILE"], {**GOOD["overdispersed"], "pre": [1]},
                 [X, "not of one length", "pre 1, post 6"], id="lists of different lengths"),
    pytest.param(["overdispersed", "--input", "FILE"],
                 {**GOOD["overdispersed"], "post_days_at_risk": [0, 1, 1, 1, 1, 1]},
                 [X, "post[0]: 1 events in no day at risk"], id="arrested with no day at risk"),
    pytest.param(["overdispersed", "--input", "FILE"],
                 {**GOOD["overdispersed"], "pre": [10**9, 0, 0, 0, 0, 0]},
                 [X, "pre[0]", "at most 1000000"], id="a milliard arrests of one person"),
    pytest.param(["survival", "--input", "FILE"], {"a": {"time": [1], "event": [1]}},
                 [X, "there are 1"], id="one group"),
    pytest.param(["survival", "--input", "FILE"],
                 {"a": {"time": [1, 2], "event": [1]}, "b": {"time": [1], "event": [1]}},
                 [X, "a: 2 times but 1 events"], id="a time without its event"),
    pytest.param(["survival", "--input", "FILE"],
                 {"a": {"time": [-1], "event": [1]}, "b": {"time": [1], "event": [1]}},
                 [X, "a.time[0]", "0.0 or more"], id="negative time"),
    pytest.param(["survival", "--input", "FILE"],
                 {"cox_hr": {"time": [1], "event": [1]}, "b": {"time": [1], "event": [1]}},
                 [X, "cox_hr: is the name of a result"], id="a group with the name of a result"),
    pytest.param(["survival", "--input", "FILE"], {**GOOD["survival"], "horizon": 0},
                 [X, "horizon", "1 or more"], id="no horizon"),
    pytest.param(["harm", "--input", "FILE"], {**GOOD["harm"], "post": {"stalking": 1}},
                 [X, "post.stalking: has no weight"], id="offence without a weight"),
    pytest.param(["compliance", "--input", "FILE"], {**GOOD["compliance"], "days_worn": 5},
                 [X, "days_worn: 5 is less than the 6"], id="more alerts than days"),
    pytest.param(["risk-band", "--input", "FILE"], {"ticks": 25}, [X, "ticks", "at most 24"],
                 id="more ticks than questions"),
    pytest.param(["risk-band", "--input", "FILE"], {"ticks": 1, "professional_judgement": "huge"},
                 [X, "professional_judgement: 'huge'"], id="a band that is none"),
    pytest.param(["hearing-deadline", "--input", "FILE"], {"given": "2025-06-10T09:30+01:00"},
                 [X, "has an offset", "wall-clock"], id="an offset"),
    pytest.param(["hearing-deadline", "--input", "FILE"], {"given": "2025-06-10"},
                 [X, "not a local time"], id="a day without a time"),
    pytest.param(["marac-repeat", "--input", "FILE"],
                 {"last_referral": "2025-02-29", "incident": "2025-03-01"},
                 [X, "last_referral", "not a date"], id="29 February of a common year"),
    pytest.param(["marac-repeat", "--input", "FILE"],
                 {"last_referral": "0001-01-01", "incident": "2025-03-01"},
                 [X, "last_referral", "not a date of this age"], id="the year 1"),
    pytest.param(["breach-rule", "--input", "FILE"], [{"date": "2025-01-01", "finding": "late"}],
                 [X, "[0].finding: 'late'"], id="a finding that is none"),
    pytest.param(["serial", "--input", "FILE"],
                 {"as_at": "2025-06-30", "incidents": [{"p": "P", "v": "V", "d": "2023-06-30"}],
                  "ages": {"P": 1}},
                 [X, "incidents[0].d", "before P was born"], id="dates before birth"),
    pytest.param(["serial", "--input", "FILE"], {**GOOD["serial"], "ages": {"P1": -3}},
                 [X, "ages", "0 or more"], id="a negative age"),
    pytest.param(["cba", "--input", "FILE"], {**GOOD["cba"], "ramp": [1]},
                 [X, "ramp: has 1 entries, but years is 3"], id="a year without its ramp"),
    pytest.param(["cba", "--input", "FILE"],
                 {**GOOD["cba"], "outcomes": [GOOD["cba"]["outcomes"][0]] * 2},
                 [X, "outcomes[1].id: 'arrests' is given twice"], id="a benefit counted twice"),
    pytest.param(["cba", "--input", "FILE"], {**GOOD["cba"], "deadweight": 1.2},
                 [X, "deadweight", "at most 1"], id="a share above one"),
    pytest.param(["comparison-group", "--input", "FILE"],
                 {**GOOD["comparison-group"], "dispertion": 4}, [X, "dispertion is not a name"],
                 id="a name that is misspelled"),
    pytest.param(["reoffending", "--input", "FILE"],
                 {"as_at": "2025-01-01", "people": [{"id": 1, "index": "2020-01-01", "events": [
                     {"offence": "2020-05-01", "proof": "2020-04-01", "proof_type": "caution",
                      "kind": "offence"}]}]},
                 [X, "people[0].events[0].proof", "before the offence"], id="proven before it was"),
    pytest.param(["reoffending", "--input", "FILE"],
                 {"as_at": "2025-01-01", "people": [
                     {"id": "A", "index": "2020-01-01", "events": []},
                     {"id": "A", "index": "2021-01-01", "events": []}]},
                 [X, "people[1].id: 'A' is given twice"], id="a person entered twice"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "document", "words"), BAD)
def test_bad_input_is_one_line(
    tmp_path: Path, arguments: list[str], document: object, words: list[str]
) -> None:
    paths = {"FILE": written(tmp_path, document), "FOLDER": tmp_path}
    check_refused(run("outcomes", *[paths.get(each, each) for each in arguments]), *words)


def test_a_file_that_is_not_utf_8_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.json"
    path.write_bytes('{"weights_days":\n {"Körperverletzung": 1}}'.encode("latin-1"))
    check_refused(run("outcomes", "harm", "--input", path), "latin.json: line 2: not UTF-8")


CANNOT = [
    pytest.param("compare", {"x0": 0, "t0": 9, "x1": 0, "t1": 9},
                 ["rate_ratio", "exact_p_two_sided"], id="no events"),
    pytest.param("compare", {"perpetrators": 2, "window_days": 10,
                             "pre": {"arrests": 1, "custody_days": 0},
                             "post": {"arrests": 0, "custody_days": 20}},
                 ["rate_ratio", "exact_ci95", "post_rate_per_person_year"],
                 id="everyone in custody"),
    pytest.param("compare", {**GOOD["compare"], "perpetrators": 0,
                             "pre": {"arrests": 0, "custody_days": 0},
                             "post": {"arrests": 0, "custody_days": 0}},
                 ["rate_ratio", "pre_rate_per_person_year"], id="nobody"),
    pytest.param("overdispersed", {"pre": [3], "post": [1], "pre_days_at_risk": [365],
                                   "post_days_at_risk": [300]},
                 ["poisson_pearson_dispersion", "gee_robust_ci95", "nb2_ci95"], id="one person"),
    pytest.param("overdispersed", {"pre": [0, 0], "post": [1, 0], "pre_days_at_risk": [9, 9],
                                   "post_days_at_risk": [9, 9]},
                 ["poisson_rate_ratio", "nb2_rate_ratio", "fixed_effects_rate_ratio"],
                 id="no events before"),
    pytest.param("comparison-group", {"t_pre": 5, "t_post": 3, "c_pre": 0, "c_post": 0},
                 ["comparison_ratio", "ratio_of_ratios", "ci95"], id="a comparison group of zero"),
    pytest.param("comparison-group", {"t_pre": 5, "t_post": 0, "c_pre": 5, "c_post": 4},
                 ["ci95", "p_two_sided"], id="no event in the treated group after"),
    pytest.param("regression-to-mean", {"mu": 1, "k": 1, "pre_counts_of_selected": [],
                                        "observed_post_total": 3},
                 ["naive_percent_change", "observed_over_expected"], id="nobody selected"),
    pytest.param("harm", {"weights_days": {}, "pre": {}, "post": {}, "perpetrators": 0},
                 ["harm_percent_change", "count_percent_change", "pre_harm_per_perpetrator"],
                 id="no offences"),
    pytest.param("compliance", {"days_worn": 0, "alcohol_only_days": 0, "tamper_only_days": 0,
                                "both_days": 0, "sessions": {
                                    "offered": 2, "attended": 0, "acceptable_absence": 2,
                                    "unacceptable_absence": 0}},
                 ["compliance_rate", "attendance_rate"], id="never worn, always excused"),
    pytest.param("reoffending", {"as_at": "2025-01-01", "people": []},
                 ["binary_rate", "binary_wilson_ci95", "reoffences_per_100_offenders"],
                 id="an empty cohort"),
    pytest.param("cba", {**GOOD["cba"], "outcomes": []},
                 ["cashable_share_of_fiscal", "payback_years_fiscal"], id="no benefit at all"),
]  # fmt: skip


@pytest.mark.parametrize(("measure", "given", "names"), CANNOT)
def test_what_cannot_be_estimated_is_null_with_its_reason(
    tmp_path: Path, measure: str, given: object, names: list[str]
) -> None:
    result = run("outcomes", measure, "--input", written(tmp_path, given))
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    for name in names:
        assert found[name] is None
        assert name in found["reason"]
    assert "NaN" not in result.stdout
    assert "Infinity" not in result.stdout


@pytest.mark.parametrize("command", [["outcomes", "risk-band"], ["schema", "telemetry"]])
def test_scipy_is_loaded_only_by_what_needs_it(command: list[str], tmp_path: Path) -> None:
    path = written(tmp_path, GOOD["risk-band"])
    argv = [*command, "--input", str(path)] if command[0] == "outcomes" else command
    script = (
        "import sys\nfrom navigate_safer.cli import main\n"
        f"main({argv!r}, standalone_mode=False)\n"
        "print('scipy' in sys.modules, file=sys.stderr)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert ran.stderr.split() == ["False"]
