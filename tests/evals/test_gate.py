from __future__ import annotations

import copy
import json
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tunegate.core.configuration import Gate
from tunegate.core.errors import UsageError
from tunegate.core.files import sha256_bytes, write_bytes
from tunegate.evals.evidence import resampled_gain
from tunegate.evals.figures import Drawing, f1_delta
from tunegate.evals.gate import EXIT_CODES, decide, policy_sha256, verdict
from tunegate.evals.integrity import file_faults
from tunegate.evals.samples import read_samples

Make = Callable[[dict[str, Any], Gate], dict[str, Any]]


def share(metric: str, count: int, n: int, b: int, c: int, unscored: int = 0) -> dict[str, Any]:
    """A metric's entry with just what a gate reads."""
    return {
        "id": metric,
        "unit": "share",
        "direction": "lower" if metric == "harm_rate" else "higher",
        "slice": {},
        "n": n,
        "n_unscored": unscored,
        "value": count / n,
        "count": count,
        "delta": {"value": (c - b) / n, "pairs": n},
        "test": {"b": b, "c": c},
    }


def resampled(metric: str, value: float, half: float, n: int = 300, delta: float = 0.0) -> dict[str, Any]:
    """A bootstrapped metric's entry: bounds `half` away at alpha 0.05, twice that at 0.01."""
    higher = metric.startswith("f1")

    def ci(middle: float) -> dict[str, Any]:
        bounds = [
            {"alpha": 0.05, "low": middle - half, "high": middle + half},
            {"alpha": 0.01, "low": middle - 2 * half, "high": middle + 2 * half},
        ]
        return {"se": half / 1.96, "bounds": bounds, "resamples": 200, "seed": 0}

    return {
        "id": metric,
        "unit": "share" if higher else "perplexity",
        "direction": "higher" if higher else "lower",
        "slice": {},
        "n": n,
        "n_unscored": 0,
        "value": value,
        "ci": ci(value),
        "delta": {"value": delta, "pairs": n, "ci": ci(delta)},
    }


def ruled(result_of: Make, entry: dict[str, Any], **rule: float) -> dict[str, Any]:
    """The check of one rule over one metric."""
    policy = Gate.model_validate({entry["id"]: rule})
    decided = decide(result_of({"metrics": [entry]}, policy), policy)
    check: dict[str, Any] = decided["checks"][-1]
    assert decided["verdict"]["exit_code"] == EXIT_CODES[check["verdict"]]
    assert decided["verdict"]["reasons"]
    return check


@pytest.mark.parametrize(
    ("count", "verdict", "says"),
    [
        (290, "pass", "accuracy is at least 93.9 %; required is 85 %"),
        (220, "fail", "accuracy is at most 78.1 %; required is 85 %"),
        (262, "inconclusive", "accuracy may lie between 83.0 % and 90.7 %; required is 85 %: about"),
    ],
)
def test_an_absolute_rule_decides_on_wilsons_bounds(result_of: Make, count: int, verdict: str, says: str) -> None:
    check = ruled(result_of, share("accuracy", count, 300, 0, 0), min=0.85)

    assert check["verdict"] == verdict
    assert check["message"].startswith(says)
    assert (check["kind"], check["limit"], check["observed"]) == ("absolute", 0.85, count / 300)
    assert check["bound_used"] == check["interval"]["high" if verdict == "fail" else "low"]


@pytest.mark.parametrize(
    ("count", "n", "verdict", "says"),
    [
        (0, 300, "pass", "harm rate is at most 0.994 % (0 in 300); allowed is less than 1 %"),
        (0, 100, "inconclusive", "harm rate may lie between 0 % and 2.96 % (0 in 100); allowed is less than 1 %"),
        (1, 201, "inconclusive", "harm rate may lie between 0.0255 % and 2.34 % (1 in 201)"),
        (30, 300, "fail", "harm rate is at least 7.29 % (30 in 300); allowed is less than 1 %"),
    ],
)
def test_harm_is_held_against_the_exact_bound(
    result_of: Make, count: int, n: int, verdict: str, says: str
) -> None:
    check = ruled(result_of, share("harm_rate", count, n, 0, count), max=0.01)

    assert (check["kind"], check["verdict"]) == ("upper_bound", verdict)
    assert check["message"].startswith(says)


def test_how_many_more_rows_without_harm_would_settle_it(result_of: Make) -> None:
    check = ruled(result_of, share("harm_rate", 0, 100, 0, 0), max=0.01)

    assert check["more_rows"] == 199
    assert check["message"].endswith("about 200 more rows would settle it")
    assert ruled(result_of, share("harm_rate", 0, 299, 0, 0), max=0.01)["verdict"] == "pass"
    assert ruled(result_of, share("harm_rate", 0, 298, 0, 0), max=0.01)["verdict"] == "inconclusive"


def test_no_number_of_rows_shows_a_rate_of_next_to_nothing(result_of: Make) -> None:
    check = ruled(result_of, share("harm_rate", 0, 300, 0, 0), max=1e-12)

    assert (check["verdict"], check["more_rows"]) == ("inconclusive", None)
    assert "more rows alone would not settle it" in check["message"]


@pytest.mark.parametrize(
    ("b", "c", "verdict", "says"),
    [
        (10, 60, "pass", "accuracy is at least 11"),
        (10, 12, "inconclusive", "accuracy may be up to"),
        (60, 10, "fail", "accuracy is at least 11"),
        (3, 4, "pass", "accuracy is at most 1.74 points lower"),
    ],
)
def test_a_drop_is_held_against_the_paired_interval(
    result_of: Make, b: int, c: int, verdict: str, says: str
) -> None:
    check = ruled(result_of, share("accuracy", 270, 300, b, c), max_drop=0.02)

    assert (check["kind"], check["verdict"]) == ("non_inferiority", verdict)
    assert check["message"].startswith(says)
    assert "the base model" in check["message"]
    assert check["message"].split(";")[1].startswith(" allowed is 2 points lower")
    assert check["observed"] == pytest.approx((c - b) / 300)
    assert "% of the time" in check["power"]["text"]


def test_no_discordant_pair_among_ten_rows_passes_nothing(result_of: Make) -> None:
    check = ruled(result_of, share("accuracy", 9, 10, 0, 0), max_drop=0.1)

    assert check["verdict"] == "inconclusive"
    assert check["interval"]["low"] == pytest.approx(-0.2775, abs=1e-4)


def test_more_harm_is_the_drop_of_a_rate(result_of: Make) -> None:
    worse = ruled(result_of, share("harm_rate", 30, 300, 0, 30), max_drop=0.02)
    better = ruled(result_of, share("harm_rate", 0, 300, 30, 0), max_drop=0.02)

    assert (worse["verdict"], better["verdict"]) == ("fail", "pass")
    assert "points higher than that of the base model" in worse["message"]
    assert "points lower than that of the base model" in better["message"]
    assert worse["observed"] == pytest.approx(0.1)
    assert worse["interval"]["low"] < 0.1 < worse["interval"]["high"]


@pytest.mark.parametrize(("c", "verdict"), [(90, "pass"), (30, "inconclusive"), (5, "fail")])
def test_a_required_gain(result_of: Make, c: int, verdict: str) -> None:
    check = ruled(result_of, share("accuracy", 270, 300, 2, c), min_gain=0.1)

    assert (check["kind"], check["verdict"]) == ("superiority", verdict)
    assert "required is more than 10 points higher" in check["message"]


def test_a_bootstrapped_figure_is_decided_at_the_level_of_the_rule(result_of: Make) -> None:
    entry = resampled("perplexity", 2.0, 0.1)

    assert ruled(result_of, entry, max=2.15)["verdict"] == "pass"
    assert ruled(result_of, entry, max=2.15, alpha=0.01)["verdict"] == "inconclusive"
    assert ruled(result_of, entry, max=2.15, alpha=0.03)["interval"]["high"] == pytest.approx(2.2)
    assert ruled(result_of, entry, max=1.8)["verdict"] == "fail"
    check = ruled(result_of, entry, max=2.15, alpha=0.001)
    assert check["verdict"] == "error"
    assert "the smallest is 0.01" in check["message"]


def test_worse_perplexity_is_a_drop(result_of: Make) -> None:
    assert ruled(result_of, resampled("perplexity", 2.0, 0.1, delta=-1.0), max_drop=0.0)["verdict"] == "pass"
    check = ruled(result_of, resampled("perplexity", 2.0, 0.1, delta=1.0), max_drop=0.0)

    assert check["verdict"] == "fail"
    assert (
        check["message"]
        == "perplexity is at least 0.900 higher than that of the base model; it must not be higher"
    )


def test_a_collapsed_bootstrap_alone_passes_nothing(result_of: Make) -> None:
    perfect = resampled("f1_macro", 1.0, 0.0) | {"row_weight": 1 / 300}
    perfect["delta"]["row_weight"] = 1 / 300

    check = ruled(result_of, perfect, max_drop=0.01)
    assert check["verdict"] == "inconclusive"
    assert check["interval"]["low"] == pytest.approx(-(1.96**2) / 300, abs=1e-4)
    assert ruled(result_of, perfect, max_drop=0.013)["verdict"] == "pass"
    assert ruled(result_of, perfect, min=0.995)["verdict"] == "inconclusive"
    assert ruled(result_of, perfect, min=0.98)["interval"]["high"] == 1.0
    collapsed = ruled(result_of, resampled("perplexity", 2.0, 0.0), max=3.0)
    assert collapsed["verdict"] == "inconclusive"
    assert "saw little or no variation" in collapsed["message"]


def test_a_bootstrap_of_few_rows_decides_nothing(result_of: Make) -> None:
    check = ruled(result_of, resampled("perplexity", 2.0, 0.1, n=12), max=3.0)

    assert (check["verdict"], check["more_rows"]) == ("inconclusive", 8)


def broken(change: Callable[[dict[str, Any]], object], entry: dict[str, Any] | None = None) -> dict[str, Any]:
    made = copy.deepcopy(entry or share("accuracy", 290, 300, 5, 50))
    change(made)
    return made


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (broken(lambda one: one.update(value=math.nan)), "no number"),
        (broken(lambda one: one.update(value=None)), "its value is None, no number"),
        (broken(lambda one: one.update(value=True)), "its value is True, no number"),
        (broken(lambda one: one.update(value="0.97")), "no number"),
        (broken(lambda one: one.update(value=0.99)), "does not follow from its counts"),
        (broken(lambda one: one.update(count=301)), "does not follow from its counts"),
        (broken(lambda one: one.update(n=0)), "no row was scored"),
        (broken(lambda one: one.pop("n")), "its n is None, no count"),
        (broken(lambda one: one.pop("n_unscored")), "its n_unscored is None"),
        (broken(lambda one: one.update(n_unscored=1)), "1 of 301 rows are unscored"),
        (broken(lambda one: one.pop("ci"), resampled("f1_macro", 0.9, 0.1)), "it has no interval"),
        (broken(lambda one: one["ci"].update(bounds=[]), resampled("f1_macro", 0.9, 0.1)), "it has no interval"),
        (
            broken(lambda one: one["ci"]["bounds"][0].pop("low"), resampled("f1_macro", 0.9, 0.1)),
            "its low is None",
        ),
    ],
)
def test_evidence_that_is_missing_or_wrong_is_an_error(result_of: Make, entry: dict[str, Any], says: str) -> None:
    check = ruled(lambda section, policy: {"policy": {"sha256": policy_sha256(policy)}, **section}, entry, min=0.1)

    assert check["verdict"] == "error"
    assert says in check["message"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda one: one.pop("delta"), "no row was scored for both"),
        (lambda one: one["delta"].update(pairs=0), "no row was scored for both"),
        (lambda one: one["delta"].update(pairs=299), "does not follow from its counts"),
        (lambda one: one["delta"].update(value=0.5), "does not follow from its counts"),
        (lambda one: one["test"].update(b=200, c=245), "does not follow from its counts"),
        (lambda one: one["test"].pop("b"), "its b is None"),
        (lambda one: one.update(n_unscored=3), "3 of 303 rows are unscored"),
    ],
)
def test_a_difference_without_sound_pairs_is_an_error(
    result_of: Make, change: Callable[[dict[str, Any]], object], says: str
) -> None:
    check = ruled(result_of, broken(change), max_drop=0.5)

    assert check["verdict"] == "error"
    assert says in check["message"]


def test_unscored_rows_up_to_the_policy_are_allowed(result_of: Make) -> None:
    policy = Gate.model_validate({"accuracy": {"min": 0.5}, "max_unscored": 0.01})
    entry = share("accuracy", 290, 300, 0, 0, unscored=3)

    assert decide(result_of({"metrics": [entry]}, policy), policy)["verdict"]["status"] == "pass"
    entry["n_unscored"] = 4
    assert decide(result_of({"metrics": [entry]}, policy), policy)["verdict"]["status"] == "error"


@pytest.mark.parametrize(
    "metrics",
    [[], None, [share("accuracy", 290, 300, 0, 0)] * 2, [share("accuracy", 1, 1, 0, 0) | {"slice": {"a": "b"}}]],
)
def test_a_metric_that_was_not_measured_once_is_an_error(result_of: Make, metrics: Any) -> None:
    policy = Gate.model_validate({"accuracy": {"min": 0.0}})
    missing = [{"id": "accuracy", "reason": "the answers are open: there is no label set"}]
    decided = decide(result_of({"metrics": metrics, "not_measured": missing}, policy), policy)

    assert decided["verdict"]["status"] == "error"
    assert decided["verdict"]["exit_code"] == 4
    if not metrics:
        assert "it was not measured, the answers are open" in decided["verdict"]["reasons"][0]


@pytest.mark.parametrize("result", [{}, {"metrics": "x"}, {"metrics": [1]}, {"metrics": [{"id": "accuracy"}]}])
def test_a_damaged_result_is_an_error_and_never_an_exception(result: dict[str, Any]) -> None:
    decided = decide(result, Gate.model_validate({"accuracy": {"min": 0.0}}))

    assert decided["verdict"]["status"] == "error"


def test_another_policy_than_the_run_s_is_an_error(result_of: Make) -> None:
    entry, policy = share("accuracy", 290, 300, 0, 0), Gate.model_validate({"accuracy": {"min": 0.9}})
    result = result_of({"metrics": [entry]}, policy)
    lower = Gate.model_validate({"accuracy": {"min": 0.1}})

    assert decide(result, policy)["verdict"]["status"] == "pass"
    decided = decide(result, lower)
    assert decided["verdict"]["status"] == "error"
    assert "the policy differs" in decided["verdict"]["reasons"][0]
    assert decide({**result, "policy": {}}, policy)["verdict"]["status"] == "error"


def test_faults_of_the_evidence_are_errors_each_named_once(result_of: Make) -> None:
    entry, policy = share("accuracy", 290, 300, 0, 0), Gate.model_validate({"accuracy": {"min": 0.9}})
    decided = decide(
        result_of({"metrics": [entry]}, policy), policy, faults=["samples changed", "samples changed"]
    )

    assert decided["verdict"] == {"status": "error", "waived": 0, "exit_code": 4, "reasons": ["samples changed"]}
    assert [check["kind"] for check in decided["checks"]] == ["integrity", "absolute"]


def test_an_empty_policy_is_a_wrong_call_and_no_pass() -> None:
    with pytest.raises(UsageError, match="the policy is empty"):
        decide({}, Gate())


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ({"harm_rate": {"min": 0.5}}, "lower is better here; use max or max_drop"),
        ({"perplexity": {"min": 1.0}}, "lower is better here"),
        ({"accuracy": {"max": 0.9}}, "higher is better here; use min or max_drop"),
    ],
)
def test_a_bound_on_the_wrong_side_is_a_wrong_call(policy: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        decide({}, Gate.model_validate(policy))


@pytest.mark.parametrize(
    ("verdicts", "status", "code"),
    [
        (["pass", "pass"], "pass", 0),
        (["pass", "inconclusive"], "inconclusive", 3),
        (["inconclusive", "fail", "pass"], "fail", 1),
        (["fail", "error", "inconclusive"], "error", 4),
    ],
)
def test_the_worst_check_is_the_verdict(verdicts: list[str], status: str, code: int) -> None:
    found = verdict([{"verdict": one, "message": f"because {one}"} for one in verdicts])

    assert (found["status"], found["exit_code"]) == (status, code)
    assert found["reasons"][-1] == f"because {status}"


def test_a_pass_says_how_many_rules_hold(result_of: Make) -> None:
    policy = Gate.model_validate({"accuracy": {"min": 0.9}})
    decided = decide(result_of({"metrics": [share("accuracy", 290, 300, 0, 0)]}, policy), policy)

    assert decided["verdict"]["reasons"][0] == "every rule of the policy holds (1 of 1)"
    assert decided["waivers"] == []
    assert decided["baseline"] is None


def test_equal_models_fail_at_most_5_percent_of_the_time(result_of: Make) -> None:
    """2,000 pairs of equally good models at 300 rows, 10 % discordant, through the whole gate."""
    policy = Gate.model_validate({"accuracy": {"max_drop": 0.0}})
    result = result_of({"metrics": []}, policy)
    seen: dict[tuple[int, int], str] = {}
    draws = np.random.default_rng(8).multinomial(300, [0.05, 0.05, 0.9], size=2000).tolist()
    for b, c, _ in draws:
        if (b, c) not in seen:
            entry = share("accuracy", 270, 300, b, c)
            seen[b, c] = decide({**result, "metrics": [entry]}, policy)["verdict"]["status"]
    failed = sum(seen[b, c] == "fail" for b, c, _ in draws) / 2000

    assert 0.0 < failed <= 0.05


def test_macro_f1_rarely_passes_a_drop_that_is_there() -> None:
    """A model that fails a tenth of one rare label: the bootstrap alone sees nothing in a third of the runs."""
    labels, n, runs = 10, 100, 300
    draw = np.random.default_rng(6)
    drop = (1 - 2 * 0.9 / 1.9 + 1 - 2 / 2.1) / labels  # of the two labels that a wrong answer touches
    passed = {"gate": 0, "bootstrap": 0}
    for number in range(runs):
        truth = draw.integers(0, labels, n)
        answers = np.where((truth == 0) & (draw.random(n) < 0.1), 1, truth)
        rows = list(zip(truth.tolist(), truth.tolist(), answers.tolist(), strict=True))
        delta = f1_delta(rows, labels, Drawing(200, number))
        entry = {"direction": "higher", "unit": "share", "ci": {"se": 0.01}}
        passed["gate"] += resampled_gain(entry, delta).interval(0.05).low > -drop
        alone = next(one for one in delta["ci"]["bounds"] if one["alpha"] == 0.05)
        passed["bootstrap"] += alone["low"] > -drop

    assert passed["bootstrap"] / runs > 0.25
    assert passed["gate"] / runs <= 0.05


def test_more_rows_settle_what_they_are_said_to_settle(result_of: Make) -> None:
    first = ruled(result_of, share("accuracy", 258, 300, 0, 0), min=0.83)
    more = first["more_rows"]
    n = 300 + more
    settled = ruled(result_of, share("accuracy", math.ceil(n * 0.86), n, 0, 0), min=0.83)

    assert first["verdict"] == "inconclusive"
    assert more > 0
    assert settled["verdict"] == "pass"
    short = 300 + more - 20
    assert (
        ruled(result_of, share("accuracy", int(short * 0.86), short, 0, 0), min=0.83)["verdict"] == "inconclusive"
    )


def test_the_real_evaluation_is_decided(measured: dict[str, Any], result_of: Make) -> None:
    policy = Gate.model_validate(
        {
            "accuracy": {"min": 0.8},
            "f1_macro": {"max_drop": 0.02},
            "accuracy_ll": {"min_gain": 0.1},
            "perplexity": {"max_drop": 0.0},
            "harm_rate": {"max": 0.03},
        }
    )
    decided = decide(result_of(measured, policy), policy)

    assert decided["verdict"]["status"] == "pass"
    assert [check["rule_id"] for check in decided["checks"]] == [
        "accuracy.min",
        "f1_macro.max_drop",
        "accuracy_ll.min_gain",
        "perplexity.max_drop",
        "harm_rate.max",
    ]
    json.dumps(decided, allow_nan=False)


def two_runs(
    world: Any, right: float
) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any], list[dict[str, Any]]]:
    """A good earlier run, and a later one that is right with probability `right`: sections and samples."""
    base = world.model("base", 0.3, 1)
    earlier = world.evaluate(base, world.model("earlier", 0.9, 2))
    before = list(read_samples(world.samples))
    later = world.evaluate(base, world.model("later", right, 3))
    return later, list(read_samples(world.samples)), earlier, before


ALL_DROPS = {
    "accuracy": {"max_drop": 0.05},
    "f1_macro": {"max_drop": 0.05},
    "accuracy_ll": {"max_drop": 0.05},
    "f1_macro_ll": {"max_drop": 0.05},
    "perplexity": {"max_drop": 0.05},
    "bits_per_byte": {"max_drop": 0.05},
    "harm_rate": {"max_drop": 0.05},
}


def test_another_run_is_a_baseline_row_by_row(world: Any, result_of: Make) -> None:
    policy = Gate.model_validate(ALL_DROPS)
    later, samples, earlier, before = two_runs(world, 0.5)
    result, other = result_of(later, policy), result_of(earlier, policy)
    alone = decide(result, policy)
    decided = decide(result, policy, other, samples=samples, baseline_samples=before)
    checks = {check["metric"]: check for check in decided["checks"]}

    assert alone["checks"][0]["verdict"] == "pass"  # better than the base model, which is right in 30 %
    assert checks["accuracy"]["verdict"] == "fail"  # and worse than the run before
    assert "that of the baseline run" in checks["accuracy"]["message"]
    b = sum(
        one["cand"]["correct"] and not two["cand"]["correct"] for one, two in zip(before, samples, strict=True)
    )
    c = sum(
        two["cand"]["correct"] and not one["cand"]["correct"] for one, two in zip(before, samples, strict=True)
    )
    assert checks["accuracy"]["observed"] == pytest.approx((c - b) / 120)
    for metric in ("f1_macro", "accuracy_ll", "f1_macro_ll", "perplexity", "bits_per_byte"):
        values = [
            next(one["value"] for one in some["metrics"] if one["id"] == metric) for some in (later, earlier)
        ]
        assert checks[metric]["observed"] == pytest.approx(values[0] - values[1], abs=1e-12)
    assert checks["harm_rate"]["verdict"] == "pass"
    assert decided["baseline"]["result_sha256"]
    assert checks["accuracy"]["evidence"]


def test_the_same_run_twice_is_no_proof_of_anything_below_the_floor(world: Any, result_of: Make) -> None:
    policy = Gate.model_validate({"f1_macro": {"max_drop": 0.02}, "accuracy": {"max_drop": 0.02}})
    later, samples, _, _ = two_runs(world, 0.9)
    result = result_of(later, policy)
    decided = decide(result, policy, result, samples=samples, baseline_samples=samples)

    assert {check["verdict"] for check in decided["checks"]} == {"inconclusive"}


SIZES = ("perplexity", "bits_per_byte")


def against(
    result_of: Make,
    policy: Gate,
    later: dict[str, Any],
    samples: list[dict[str, Any]],
    before: list[dict[str, Any]],
) -> dict[str, dict[str, Any]]:
    """The checks, by metric, of a run against one that has its result and the samples `before`."""
    result = result_of(later, policy)
    decided = decide(result, policy, result, samples=samples, baseline_samples=before)
    return {check["metric"]: check for check in decided["checks"]}


def test_the_same_likelihoods_in_every_row_are_no_difference(world: Any, result_of: Make) -> None:
    later, samples, _, _ = two_runs(world, 0.9)
    no_drop = Gate.model_validate({metric: {"max_drop": 0.0} for metric in SIZES})
    some_gain = Gate.model_validate({metric: {"min_gain": 0.0} for metric in SIZES})

    for metric, check in against(result_of, no_drop, later, samples, copy.deepcopy(samples)).items():
        assert check["verdict"] == "pass"
        assert (
            "is that of the baseline run: the same numbers in each of 120 rows; it must not be" in check["message"]
        )
        assert (check["observed"], check["bound_used"], check["n"]) == (0.0, 0.0, 120)
        assert (check["interval"]["low"], check["interval"]["high"]) == (0.0, 0.0)
        assert "-0.0" not in json.dumps(check), metric
    for check in against(result_of, some_gain, later, samples, copy.deepcopy(samples)).values():
        assert check["verdict"] == "fail"


def test_few_rows_with_the_same_likelihoods_pass_and_with_the_same_answers_do_not(
    world: Any, result_of: Make
) -> None:
    later, samples, _, _ = two_runs(world, 0.9)
    policy = Gate.model_validate(ALL_DROPS)
    checks = against(result_of, policy, later, samples[:10], copy.deepcopy(samples[:10]))

    assert {metric for metric, check in checks.items() if check["verdict"] == "pass"} == set(SIZES)
    assert {check["verdict"] for metric, check in checks.items() if metric not in SIZES} == {"inconclusive"}


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        (lambda rows: rows[3]["cand"].update(nll=rows[3]["cand"]["nll"] + 1e-9), "inconclusive"),
        (lambda rows: [row["cand"].update(nll=0.0) for row in rows], "inconclusive"),
        (lambda rows: [row["cand"].update(nll=None) for row in rows], "error"),
        (lambda rows: rows.pop(), "error"),
    ],
)
def test_likelihoods_that_are_nearly_the_same_or_none_are_no_proof(
    world: Any, result_of: Make, change: Callable[[list[dict[str, Any]]], object], verdict: str
) -> None:
    later, samples, _, _ = two_runs(world, 0.9)
    before = copy.deepcopy(samples)
    change(before)
    if all(row["cand"]["nll"] == 0.0 for row in before):
        samples = before
    policy = Gate.model_validate({"perplexity": {"max_drop": 0.0}})

    assert against(result_of, policy, later, samples, before)["perplexity"]["verdict"] == verdict


def test_a_row_without_likelihood_in_both_runs_is_no_difference(world: Any, result_of: Make) -> None:
    later, samples, _, _ = two_runs(world, 0.9)
    samples[0]["cand"].update(nll=None)
    lenient = Gate.model_validate({"perplexity": {"max_drop": 0.0}, "max_unscored": 0.1})
    strict = Gate.model_validate({"perplexity": {"max_drop": 0.0}})

    check = against(result_of, lenient, later, samples, copy.deepcopy(samples))["perplexity"]
    assert (check["verdict"], check["n"]) == ("pass", 119)
    check = against(result_of, strict, later, samples, copy.deepcopy(samples))["perplexity"]
    assert check["verdict"] == "error"


@pytest.mark.parametrize("missing", ["samples", "baseline_samples"])
def test_two_runs_without_samples_cannot_be_compared(world: Any, result_of: Make, missing: str) -> None:
    policy = Gate.model_validate({"accuracy": {"max_drop": 0.5}})
    later, samples, earlier, before = two_runs(world, 0.9)
    given: dict[str, Any] = {"samples": samples, "baseline_samples": before, missing: None}
    decided = decide(result_of(later, policy), policy, result_of(earlier, policy), **given)

    assert decided["verdict"]["status"] == "error"
    assert "row by row, and the samples of one of them are missing" in decided["verdict"]["reasons"][0]


@pytest.mark.parametrize(
    ("change", "rule", "says"),
    [
        (lambda one: one["subject"].update(chat_template_sha256="0" * 64), "accuracy", "different chat templates"),
        (
            lambda one: one["subject"].update(base_model="other"),
            "perplexity",
            "different tokenizers: use bits_per_byte",
        ),
        (lambda one: one["confusion"]["labels"].reverse(), "f1_macro", "different labels"),
        (lambda one: one.update(confusion=None), "accuracy", "different labels"),
    ],
)
def test_runs_that_differ_cannot_be_compared(
    world: Any, result_of: Make, change: Callable[[dict[str, Any]], object], rule: str, says: str
) -> None:
    policy = Gate.model_validate({rule: {"max_drop": 0.5}})
    later, samples, earlier, before = two_runs(world, 0.9)
    other = result_of(earlier, policy)
    change(other)
    decided = decide(result_of(later, policy), policy, other, samples=samples, baseline_samples=before)

    assert decided["verdict"]["status"] == "error"
    assert says in decided["verdict"]["reasons"][0]


def test_rows_that_only_one_run_has_are_missing_pairs(world: Any, result_of: Make) -> None:
    policy = Gate.model_validate({"accuracy": {"max_drop": 0.5}})
    later, samples, earlier, before = two_runs(world, 0.9)
    results = result_of(later, policy), result_of(earlier, policy)
    decided = decide(results[0], policy, results[1], samples=samples, baseline_samples=before[5:])

    assert "5 of 120 rows are not scored in both runs" in decided["verdict"]["reasons"][0]
    lenient = Gate.model_validate({"accuracy": {"max_drop": 0.5}, "max_unscored": 0.1})
    results = result_of(later, lenient), result_of(earlier, lenient)
    decided = decide(results[0], lenient, results[1], samples=samples, baseline_samples=before[5:])
    assert decided["checks"][0]["n"] == 115


def test_files_that_changed_are_faults(tmp_path: Path) -> None:
    write_bytes(tmp_path / "samples.jsonl.gz", b"a")
    write_bytes(tmp_path / "data" / "test.jsonl", b"b")
    result = {
        "samples": {"path": "samples.jsonl.gz", "sha256": sha256_bytes(b"a")},
        "data": [{"path": "data/test.jsonl", "sha256": sha256_bytes(b"b")}],
    }

    assert file_faults(result, tmp_path) == []
    write_bytes(tmp_path / "samples.jsonl.gz", b"c")
    (tmp_path / "data" / "test.jsonl").unlink()
    assert file_faults(result, tmp_path) == [
        "samples.jsonl.gz is not the file that was measured: evaluate again",
        "data/test.jsonl is missing: the evidence is incomplete",
    ]
    assert file_faults({}, tmp_path) == ["the result names no samples: evaluate again"]


def test_the_gate_imports_nothing_heavy() -> None:
    program = (
        "import sys, tunegate.evals.gate, tunegate.evals.integrity, tunegate.evals.samples\n"
        "print([name for name in ('numpy', 'scipy', 'sklearn', 'polars', 'torch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
