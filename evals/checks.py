"""One check for each rule of the policy: evidence, interval, verdict, sentence, and what the rule can see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunegate.evals.evidence import (
    FEWEST_ROWS,
    Evidence,
    EvidenceError,
    Identical,
    PairedEvidence,
    Resampled,
    read_absolute,
    read_paired,
    whole,
)
from tunegate.evals.intervals import Interval
from tunegate.evals.metrics import DEFINITIONS
from tunegate.evals.previous import Other, Result, Sample, paired_with
from tunegate.evals.rulings import Ruling, rows_to_settle
from tunegate.evals.wording import advice, sameness, sentence, sight

# A check names so many rows; the samples hold all of them.
_MOST_IDS = 20

_DAMAGE = (KeyError, TypeError, ValueError, AttributeError, OverflowError)


def fault(text: str) -> dict[str, Any]:
    """Return the check that stands for evidence that is not as it was."""
    return _record("integrity", "integrity") | {"verdict": "error", "message": text}


def check(
    ruling: Ruling, result: Result, max_unscored: float, samples: Sequence[Sample], other: Other | None
) -> dict[str, Any]:
    """Decide one rule; what cannot be decided is an error with its reason."""
    record = _record(ruling.id, ruling.kind) | {
        "metric": ruling.metric,
        "limit": None if ruling.is_paired else ruling.stated,
        "margin": ruling.stated if ruling.is_paired else None,
        "alpha": ruling.alpha,
    }
    try:
        entry = _entry(ruling.metric, result)
        if not ruling.is_paired:
            _check_scored(entry, max_unscored, whole(entry, "n"))
            return record | _absolute(ruling, read_absolute(entry), samples)
        if other is not None:
            evidence = paired_with(ruling.metric, result, samples, other, max_unscored)
            return record | _paired(ruling, evidence, samples, "the baseline run")
        evidence = read_paired(entry)
        _check_scored(entry, max_unscored, evidence.n)
        return record | _paired(ruling, evidence, samples, "the base model")
    except EvidenceError as error:
        reason = str(error)
    except _DAMAGE as error:
        reason = f"the result is damaged ({type(error).__name__}: {error})"
    return record | {"verdict": "error", "message": f"{_title(ruling)} cannot be decided: {reason}"}


def _absolute(ruling: Ruling, evidence: Evidence, samples: Sequence[Sample]) -> dict[str, Any]:
    decided = _decide(ruling, evidence, "")
    return decided | {"observed": evidence.value, "evidence": _ids(ruling, samples)}


def _paired(ruling: Ruling, evidence: PairedEvidence, samples: Sequence[Sample], baseline: str) -> dict[str, Any]:
    """Decide by the gain; the record speaks of the difference candidate - baseline, as the metric does."""
    decided = _decide(ruling, evidence, baseline)
    power = evidence.power(ruling.alpha, ruling.bound, ruling.key == "min_gain")
    sign = 1.0 if DEFINITIONS[ruling.metric].higher_is_better else -1.0
    # adding 0.0 makes a plain zero of the -0.0 that turning the sign can leave
    ends = sorted(sign * decided["interval"][end] + 0.0 for end in ("low", "high"))
    decided["interval"] |= {"low": ends[0], "high": ends[1]}
    decided["bound_used"] = sign * decided["bound_used"] + 0.0
    return decided | {
        "observed": sign * evidence.value + 0.0,
        "baseline": baseline,
        "power": power
        and {
            "detectable_80": power.detectable,
            "inconclusive_if_equal": power.inconclusive_if_equal,
            "assumes": power.assumes,
            "text": sight(ruling, power),
        },
        "evidence": _ids(ruling, samples),
    }


def _decide(ruling: Ruling, evidence: Evidence, baseline: str) -> dict[str, Any]:
    """Return verdict, interval, the bound behind it, the sentence, and the rows that would settle it."""
    interval = evidence.interval(ruling.alpha)
    verdict = ruling.judge(interval)
    more: int | None = None
    if isinstance(evidence, Identical):
        verdict = ruling.judge_known(evidence.value)
        message = sameness(ruling, evidence.n, baseline)
    elif isinstance(evidence, Resampled) and (evidence.n < FEWEST_ROWS or interval.collapsed):
        verdict = "inconclusive"
        more = max(FEWEST_ROWS - evidence.n, 0) or None
        message = (
            f"{_title(ruling)}: a bootstrap of {evidence.n} rows that saw little or no variation decides nothing"
        )
    else:
        message = sentence(ruling, verdict, evidence, interval, baseline)
        if verdict == "inconclusive":
            more = rows_to_settle(evidence, ruling.alpha, ruling.judge)
            message += f": {advice(more)}"
    return {
        "verdict": verdict,
        "message": message,
        "n": evidence.n,
        "interval": _interval(interval, ruling.alpha),
        "bound_used": ruling.bound_used(interval, verdict),
        "more_rows": more,
    }


def _interval(interval: Interval, alpha: float) -> dict[str, Any]:
    return {"level": 1.0 - alpha, "low": interval.low, "high": interval.high, "method": interval.method}


def _entry(metric: str, result: Result) -> Mapping[str, Any]:
    """Return a metric's entry for all rows. Raises EvidenceError with the reason why there is none."""
    found = [one for one in result.get("metrics") or () if one.get("id") == metric and not one.get("slice")]
    if len(found) > 1:
        raise EvidenceError("the result holds it more than once")
    if not found:
        reasons = {one["id"]: one["reason"] for one in result.get("not_measured") or ()}
        raise EvidenceError("it was not measured, " + reasons.get(metric, "the result does not hold it"))
    entry: Mapping[str, Any] = found[0]
    return entry


def _check_scored(entry: Mapping[str, Any], max_unscored: float, scored: int) -> None:
    """Raise EvidenceError when too many rows have no score: what is missing is not a pass."""
    rows = whole(entry, "n") + whole(entry, "n_unscored")
    if rows - scored > max_unscored * rows:
        raise EvidenceError(
            f"{rows - scored} of {rows} rows are unscored; allowed is a share of {max_unscored:g} (max_unscored)"
        )


def _ids(ruling: Ruling, samples: Sequence[Sample]) -> list[str]:
    """Return the ids of rows that speak against a release: newly failing, or harmful."""
    harmful = ruling.metric == "harm_rate"
    against = [
        sample["id"]
        for sample in samples
        if any(flag.startswith("harm:") if harmful else flag == "newly-failing" for flag in sample["flags"])
    ]
    return against[:_MOST_IDS]


def _title(ruling: Ruling) -> str:
    return DEFINITIONS[ruling.metric].title


def _record(rule_id: str, kind: str) -> dict[str, Any]:
    """Return a check in which nothing was decided yet: an error until something is."""
    return {
        "rule_id": rule_id,
        "kind": kind,
        "metric": None,
        "slice": {},
        "limit": None,
        "margin": None,
        "alpha": None,
        "n": None,
        "observed": None,
        "baseline": None,
        "interval": None,
        "bound_used": None,
        "power": None,
        "more_rows": None,
        "verdict": "error",
        "message": "",
        "evidence": [],
        "waiver": None,
    }
