"""The entries of `metrics` in `result.json`: value, interval, baseline, difference, test and what it can see."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tunegate.evals import bootstrap, metrics
from tunegate.evals.evidence import Resampled, row_floor
from tunegate.evals.intervals import ALPHA, LEVEL, Interval, clopper_pearson, upper_bound, wilson, z_value
from tunegate.evals.metrics import DEFINITIONS
from tunegate.evals.normalise import VERSION
from tunegate.evals.paired import Design, expected_discordance, holm, mcnemar, tango

FAMILY = "McNemar tests of this result"


@dataclass(frozen=True, slots=True)
class Drawing:
    """How bootstraps are drawn."""

    resamples: int
    seed: int

    def as_json(self) -> dict[str, Any]:
        """Return the fields that stand beside a bootstrapped number."""
        return {"resamples": self.resamples, "seed": self.seed}


Flags = Sequence[bool | None]
"""For each row whether the answer is right (or harmful); None where it could not be scored."""


def share(metric: str, base: Flags, tuned: Flags, drawing: Drawing) -> dict[str, Any]:
    """Return the entry of a metric that is a share of rows, such as accuracy or the harm rate."""
    interval = clopper_pearson if metric == "harm_rate" else wilson
    after = [flag for flag in tuned if flag is not None]
    before = [flag for flag in base if flag is not None]
    pairs = [(one, two) for one, two in zip(base, tuned, strict=True) if one is not None and two is not None]
    b, c = sum(one and not two for one, two in pairs), sum(two and not one for one, two in pairs)
    entry = _entry(metric, len(after), len(tuned), sum(after) / len(after) if after else None)
    entry["count"] = sum(after)
    if after:
        entry["ci"] = _ci(interval(sum(after), len(after)))
    if after and metric == "harm_rate":
        entry["upper_bound_95"] = upper_bound(sum(after), len(after))
    if before:
        ci = _ci(interval(sum(before), len(before)))
        entry["baseline"] = {"value": sum(before) / len(before), "n": len(before), "ci": ci}
    if pairs:
        samples = bootstrap.share_gain_samples(b, c, len(pairs), drawing.resamples, drawing.seed)
        entry["delta"] = {
            "value": (c - b) / len(pairs),
            "ci": _ci(tango(b, c, len(pairs))),
            "method": "tango",
            "pairs": len(pairs),
            "bootstrap": _ci(bootstrap.percentiles(samples, ALPHA)) | drawing.as_json(),
        }
        entry["test"] = {"name": "mcnemar-exact", "b": b, "c": c, "p": mcnemar(b, c)}
        right = sum(after) / len(after)
        discordant = expected_discordance(b, c, len(pairs), right)
        gain = Design(len(pairs), discordant).detectable_gain(0.0)
        entry["power"] = {"detectable_delta_80": gain, "discordant": discordant, "alpha": ALPHA}
    return entry


@dataclass(frozen=True, slots=True)
class Labelled:
    """Label numbers row by row: the truth, and what both models answered; None where there is none to score.

    The number `labels` stands for an answer outside the label set.
    """

    truth: Sequence[int | None]
    base: Sequence[int | None]
    tuned: Sequence[int | None]
    labels: int

    def flags(self, answers: Sequence[int | None]) -> list[bool | None]:
        """Return for each row whether the answer is right."""
        pairs = zip(self.truth, answers, strict=True)
        return [None if one is None or two is None else one == two for one, two in pairs]

    def matrix(self, answers: Sequence[int | None]) -> list[list[int]]:
        """Return the confusion matrix of the rows that have truth and answer."""
        pairs = zip(self.truth, answers, strict=True)
        scored = ((one, two) for one, two in pairs if one is not None and two is not None)
        return metrics.confusion(scored, self.labels)


def f1(metric: str, rows: Labelled, drawing: Drawing) -> dict[str, Any]:
    """Return the entry of a macro F1."""
    after, before = rows.matrix(rows.tuned), rows.matrix(rows.base)
    n, n_before = sum(map(sum, after)), sum(map(sum, before))
    entry = _entry(metric, n, len(rows.truth), metrics.f1_macro(after) if n else None)
    if n:
        entry |= {"ci": _f1_ci(after, drawing), "row_weight": metrics.row_weight(after)}
    if n_before:
        entry["baseline"] = {"value": metrics.f1_macro(before), "n": n_before, "ci": _f1_ci(before, drawing)}
    paired = [
        (truth, one, two)
        for truth, one, two in zip(rows.truth, rows.base, rows.tuned, strict=True)
        if truth is not None and one is not None and two is not None
    ]
    if paired:
        entry["delta"] = f1_delta(paired, rows.labels, drawing)
        entry["power"] = _bootstrap_power(entry)
    return entry


def f1_delta(rows: Sequence[tuple[int, int, int]], labels: int, drawing: Drawing) -> dict[str, Any]:
    """Return the difference of macro F1 over rows of (truth, baseline's answer, candidate's answer)."""
    before = metrics.confusion(((truth, answer) for truth, answer, _ in rows), labels)
    after = metrics.confusion(((truth, answer) for truth, _, answer in rows), labels)
    samples = bootstrap.f1_macro_gain_samples(Counter(rows), labels, drawing.resamples, drawing.seed)
    value = metrics.f1_macro(after) - metrics.f1_macro(before)
    weight = metrics.row_weight(after)
    ci = _bootstrapped(samples, "paired-bootstrap", drawing)
    ci |= _widened(Resampled(value, len(rows), _bounds(samples), weight, range=(-1.0, 1.0)), ci["method"])
    return _delta(value, ci, len(rows)) | {"row_weight": weight}


Size = tuple[float, int]
"""Summed negative log-likelihood of a row, and its tokens or bytes."""


def likelihood(
    metric: str, base: Sequence[Size | None], tuned: Sequence[Size | None], drawing: Drawing
) -> dict[str, Any]:
    """Return the entry of perplexity or bits per byte; None stands for a row that could not be scored."""
    after = [size for size in tuned if size is not None]
    before = [size for size in base if size is not None]
    pairs = [(one, two) for one, two in zip(base, tuned, strict=True) if one is not None and two is not None]
    value = corpus(metric, after)
    entry = _entry(metric, len(after) if value is not None else 0, len(tuned), value)
    if value is not None:
        entry["ci"] = _bootstrapped(_samples(metric, after, drawing), "bootstrap", drawing)
        entry["tokens" if metric == "perplexity" else "bytes"] = sum(size for _, size in after)
    if (reference := corpus(metric, before)) is not None:
        ci = _bootstrapped(_samples(metric, before, drawing), "bootstrap", drawing)
        entry["baseline"] = {"value": reference, "n": len(before), "ci": ci}
    if pairs and value is not None and reference is not None:
        entry["delta"] = likelihood_delta(metric, pairs, drawing)
        entry["power"] = _bootstrap_power(entry)
    return entry


def likelihood_delta(metric: str, pairs: Sequence[tuple[Size, Size]], drawing: Drawing) -> dict[str, Any]:
    """Return the difference of perplexity or bits per byte over rows that both models scored."""
    before, after = [one for one, _ in pairs], [two for _, two in pairs]
    # the same seed draws the same rows for both
    samples = _samples(metric, after, drawing) - _samples(metric, before, drawing)
    value = (corpus(metric, after) or 0.0) - (corpus(metric, before) or 0.0)
    return _delta(value, _bootstrapped(samples, "paired-bootstrap", drawing), len(pairs))


def corpus(metric: str, sizes: Sequence[Size]) -> float | None:
    """Return perplexity or bits per byte of rows; None where it is no finite number."""
    of = metrics.perplexity if metric == "perplexity" else metrics.bits_per_byte
    return of([nll for nll, _ in sizes], [size for _, size in sizes])


def adjust(entries: Sequence[Mapping[str, Any]]) -> None:
    """Put Holm's adjusted p-values into all tests of one result."""
    tests = [entry["test"] for entry in entries if "test" in entry]
    for test, adjusted in zip(tests, holm([test["p"] for test in tests]), strict=True):
        test |= {"p_adjusted": adjusted, "family": FAMILY, "correction": "holm"}


def reference(confused: metrics.Matrix, drawing: Drawing) -> dict[str, Any]:
    """Return the figures of a reference predictor by its confusion matrix."""
    n = sum(map(sum, confused))
    right = sum(confused[label][label] for label in range(len(confused) - 1))
    return {
        "accuracy": {"value": right / n, "n": n, "ci": _ci(wilson(right, n))},
        "f1_macro": {"value": metrics.f1_macro(confused), "n": n, "ci": _f1_ci(confused, drawing)},
    }


def _f1_ci(confused: metrics.Matrix, drawing: Drawing) -> dict[str, Any]:
    samples = bootstrap.f1_macro_samples(confused, drawing.resamples, drawing.seed)
    ci = _bootstrapped(samples, "multinomial-bootstrap", drawing)
    value, rows = metrics.f1_macro(confused), sum(map(sum, confused))
    seen = Resampled(value, rows, _bounds(samples), metrics.row_weight(confused), range=(0.0, 1.0))
    return ci | _widened(seen, ci["method"])


def _entry(metric: str, n: int, rows: int, value: float | None) -> dict[str, Any]:
    definition = DEFINITIONS[metric]
    norm = f"|norm={VERSION}" if metric in ("accuracy", "f1_macro") else ""
    return {
        "id": metric,
        "title": definition.title,
        "definition": definition.text,
        "scope": definition.scope,
        "oracle": definition.oracle,
        "unit": definition.unit,
        "direction": definition.direction,
        "slice": {},
        "n": n,
        "n_unscored": rows - n,
        "value": value,
        "signature": f"{metric}|n={n}{norm}|v1",
    }


def _ci(interval: Interval) -> dict[str, Any]:
    return {"level": LEVEL, "low": interval.low, "high": interval.high, "method": interval.method}


def _bootstrapped(samples: bootstrap.Floats, method: str, drawing: Drawing) -> dict[str, Any]:
    ci = _ci(bootstrap.percentiles(samples, ALPHA))
    return ci | {
        "method": method,
        **drawing.as_json(),
        "se": float(samples.std()),
        "bounds": bootstrap.ladder(samples),
    }


def _bounds(samples: bootstrap.Floats) -> list[tuple[float, float, float]]:
    interval = bootstrap.percentiles(samples, ALPHA)
    return [(ALPHA, interval.low, interval.high)]


def _widened(seen: Resampled, method: str) -> dict[str, Any]:
    """Return the ends on which a gate decides; what the bootstrap itself found stays in its `bounds`."""
    interval = seen.interval(ALPHA)
    return {"low": interval.low, "high": interval.high, "method": f"{method}, at least z^2 rows wide"}


def _delta(value: float, ci: dict[str, Any], pairs: int) -> dict[str, Any]:
    return {"value": value, "ci": ci, "method": "paired-bootstrap", "pairs": pairs}


def _bootstrap_power(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the difference for which an interval excludes 0 with 80 % probability, by the normal approximation.

    The standard error is the observed one, at most that of two equal models with independent errors, and at least
    that of the narrowest interval. Where nothing varied and no such interval is known, there is no telling: null.
    """
    se = min(entry["delta"]["ci"]["se"], math.sqrt(2.0) * entry["ci"]["se"])
    se = max(se, row_floor(entry["delta"].get("row_weight"), ALPHA) / z_value(ALPHA))
    # sums of the same numbers in another order differ in their last digits
    known = se > 1e-12 * max(1.0, abs(entry["value"]))
    return {"detectable_delta_80": (z_value(ALPHA) + z_value(0.4)) * se if known else None, "alpha": ALPHA}


def _samples(metric: str, sizes: Sequence[tuple[float, int]], drawing: Drawing) -> bootstrap.Floats:
    return bootstrap.ratio_samples(
        [nll for nll, _ in sizes],
        [size for _, size in sizes],
        metric == "perplexity",
        drawing.resamples,
        drawing.seed,
    )
