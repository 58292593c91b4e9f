"""What a gate decides on: a figure, its rows, and the interval that it has at any level and for more rows.

Read from `result.json`, which others may have touched: a number that is missing, no number, or that does not add
up is an EvidenceError, which becomes the verdict "error" and never a pass.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tunegate.evals.intervals import Interval, lower_bound, upper_bound, wilson, z_value
from tunegate.evals.paired import Design, expected_discordance, tango

# A bootstrap over fewer rows says more about the rows than about the model.
FEWEST_ROWS = 20


class EvidenceError(Exception):
    """The result does not hold what a rule needs; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Power:
    """What a paired rule can see: the difference it answers with 80 % probability, and how often equals tie."""

    detectable: float | None
    inconclusive_if_equal: float
    assumes: str


class Evidence(Protocol):
    """A figure with its interval. Paired ones speak of the gain: positive is better."""

    @property
    def value(self) -> float:
        """The observed figure."""

    @property
    def n(self) -> int:
        """The rows, or pairs of rows, behind it."""

    def interval(self, alpha: float, factor: float = 1.0) -> Interval:
        """Return the interval at level 1 - alpha, as it would be with `factor` times the rows."""


class PairedEvidence(Evidence, Protocol):
    """A gain over a baseline on the same rows."""

    def power(self, alpha: float, bound: float, wanted: bool) -> Power | None:
        """Say what the rule "the interval lies above `bound`" can see.

        `wanted`: the gain that passes with 80 % probability; otherwise the drop that does not pass.
        """


@dataclass(frozen=True, slots=True)
class Share:
    """A share of rows: Wilson's interval."""

    count: int
    n: int

    @property
    def value(self) -> float:
        """The observed share."""
        return self.count / self.n

    def interval(self, alpha: float, factor: float = 1.0) -> Interval:
        """Return Wilson's interval."""
        return wilson(self.count * factor, self.n * factor, alpha)


@dataclass(frozen=True, slots=True)
class RareShare:
    """A share that should be near 0, such as the harm rate: exact bounds, each one-sided at `alpha`."""

    count: int
    n: int

    @property
    def value(self) -> float:
        """The observed share."""
        return self.count / self.n

    def interval(self, alpha: float, factor: float = 1.0) -> Interval:
        """Return the exact lower and upper bound, each of which errs with probability `alpha`."""
        k, n = self.count * factor, self.n * factor
        return Interval(lower_bound(k, n, alpha), upper_bound(k, n, alpha), "clopper-pearson, one-sided")


@dataclass(frozen=True, slots=True)
class PairedShare:
    """Rows that only the baseline (`losses`) or only the candidate (`gains`) has right, of `n`: Tango's interval.

    `share` is what the candidate has right; it limits how discordant two equal models are expected to be.
    """

    losses: int
    gains: int
    n: int
    share: float

    @property
    def value(self) -> float:
        """The observed gain."""
        return (self.gains - self.losses) / self.n

    def interval(self, alpha: float, factor: float = 1.0) -> Interval:
        """Return Tango's interval of the gain."""
        return tango(self.losses * factor, self.gains * factor, self.n * factor, alpha)

    def power(self, alpha: float, bound: float, wanted: bool) -> Power:
        """Say what the rule can see, exactly, for the discordant pairs to expect of equal models."""
        discordant = expected_discordance(self.losses, self.gains, self.n, self.share)
        design = Design(self.n, discordant, alpha)
        seen = design.detectable_gain(bound) if wanted else design.detectable_drop(bound)
        return Power(seen, design.inconclusive(bound), f"{100 * discordant:.3g} % of the pairs discordant")


@dataclass(frozen=True, slots=True)
class Resampled:
    """A figure with bootstrapped bounds (alpha, low, high), within `range`.

    A bootstrap that saw no variation is a point, which would pass anything. Where one row can change the figure
    by at most `row_weight`, the interval therefore reaches at least z^2 such rows to each side: as many as a
    score interval leaves open when not one was seen (Wilson and Tango: z^2 / (n + z^2) of n rows).
    Where it is a difference, `se_if_equal` is the standard error to expect between equal models.
    """

    value: float
    n: int
    bounds: Sequence[tuple[float, float, float]]
    row_weight: float | None = None
    se_if_equal: float | None = None
    range: tuple[float, float] = (-math.inf, math.inf)

    def interval(self, alpha: float, factor: float = 1.0) -> Interval:
        """Return the bounds kept for `alpha`, or for the next smaller one, not narrower than the floor."""
        kept = max((bound for bound in self.bounds if bound[0] <= alpha + 1e-12), default=None)
        if kept is None:
            smallest = min((bound[0] for bound in self.bounds), default=None)
            raise EvidenceError(f"no bounds are kept for alpha = {alpha:g}: the smallest is {smallest}")
        floor = row_floor(self.row_weight, alpha) / factor
        below = max((self.value - kept[1]) / math.sqrt(factor), floor)
        above = max((kept[2] - self.value) / math.sqrt(factor), floor)
        low, high = max(self.value - below, self.range[0]), min(self.value + above, self.range[1])
        return Interval(low, high, "bootstrap, at least z^2 rows wide" if floor else "bootstrap")

    def power(self, alpha: float, bound: float, wanted: bool) -> Power | None:
        """Say what the rule can see by the normal approximation; None without a standard error."""
        se = self.se_if_equal
        if not se:
            return None
        z, z_power = z_value(alpha), z_value(0.4)
        seen = bound + (z + z_power) * se if wanted else -bound - (z - z_power) * se
        passes, fails = _normal_cdf(-bound / se - z), _normal_cdf(bound / se - z)
        return Power(max(0.0, seen), max(0.0, 1.0 - passes - fails), f"a standard error of {se:.3g}")


@dataclass(frozen=True, slots=True)
class Identical:
    """Two runs that gave each of `n` rows the very same numbers: their difference is known, it is exactly 0.

    Only measured numbers say so, such as likelihoods to the last digit, which two unlike models do not share row
    by row. Right or wrong answers do not: ten rows without a discordant pair say little of the eleventh.
    """

    n: int
    value: float = 0.0

    def interval(self, alpha: float, factor: float = 1.0) -> Interval:
        """Return the point 0, whatever the level."""
        return Interval(0.0, 0.0, "the same in every row")

    def power(self, alpha: float, bound: float, wanted: bool) -> None:
        """Say nothing: where nothing is estimated, nothing can be missed."""
        return


def row_floor(row_weight: float | None, alpha: float) -> float:
    """Return how far an interval reaches to each side at least: z^2 rows, or not at all without a row's weight."""
    return z_value(alpha) ** 2 * (row_weight or 0.0)


def read_absolute(entry: Mapping[str, Any]) -> Evidence:
    """Return the evidence for the value of a metric's entry."""
    metric, n = str(entry.get("id")), whole(entry, "n")
    value = number(entry, "value")
    if n == 0:
        raise EvidenceError("no row was scored")
    if "count" in entry:
        count = whole(entry, "count")
        agree(value, count / n if count <= n else math.nan, "value")
        return RareShare(count, n) if metric == "harm_rate" else Share(count, n)
    span = (0.0, 1.0) if entry.get("unit") == "share" else (0.0, math.inf)
    return Resampled(value, n, _bounds(entry), _weight(entry), range=span)


def read_paired(entry: Mapping[str, Any]) -> PairedEvidence:
    """Return the evidence for the gain over the baseline of a metric's entry."""
    delta = entry.get("delta")
    if not isinstance(delta, Mapping):
        raise EvidenceError("no row was scored for both models, so there is no paired difference")
    better = 1.0 if entry.get("direction") == "higher" else -1.0
    value, pairs = number(delta, "value"), whole(delta, "pairs")
    if pairs == 0:
        raise EvidenceError("no row was scored for both models")
    if isinstance(entry.get("test"), Mapping):
        b, c = whole(entry["test"], "b"), whole(entry["test"], "c")
        agree(value, (c - b) / pairs if b + c <= pairs else math.nan, "difference")
        losses, gains = (b, c) if better > 0 else (c, b)
        return PairedShare(losses, gains, pairs, number(entry, "value"))
    return resampled_gain(entry, delta)


def resampled_gain(entry: Mapping[str, Any], delta: Mapping[str, Any]) -> Resampled:
    """Return the gain of a bootstrapped difference `delta` in the metric of `entry`.

    Equal models with independent errors differ with the square root of 2 times the standard error of one; an
    observed standard error beyond that speaks of a baseline that is far away.
    """
    better = 1.0 if entry.get("direction") == "higher" else -1.0
    bounds = _bounds(delta)
    if better < 0:
        bounds = [(alpha, -high, -low) for alpha, low, high in bounds]
    value = better * number(delta, "value")
    se = min(number(delta["ci"], "se"), math.sqrt(2.0) * number(entry["ci"], "se"))
    span = (-1.0, 1.0) if entry.get("unit") == "share" else (-math.inf, math.inf)
    return Resampled(value, whole(delta, "pairs"), bounds, _weight(delta), se, span)


def number(entry: Mapping[str, Any], key: str) -> float:
    """Return a finite number. Raises EvidenceError."""
    value = entry.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise EvidenceError(f"its {key} is {value!r}, no number")
    return float(value)


def whole(entry: Mapping[str, Any], key: str) -> int:
    """Return a count. Raises EvidenceError."""
    value = entry.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise EvidenceError(f"its {key} is {value!r}, no count")
    return value


def agree(stated: float, counted: float, what: str) -> None:
    """Raise EvidenceError when a stated number is not the one that its counts give."""
    if not math.isclose(stated, counted, rel_tol=1e-9, abs_tol=1e-9):
        raise EvidenceError(f"its {what} {stated:g} does not follow from its counts: the result was changed")


def _bounds(entry: Mapping[str, Any]) -> list[tuple[float, float, float]]:
    ci = entry.get("ci")
    kept = ci.get("bounds") if isinstance(ci, Mapping) else None
    if not isinstance(kept, list) or not kept or not all(isinstance(one, Mapping) for one in kept):
        raise EvidenceError("it has no interval")
    return [(number(one, "alpha"), number(one, "low"), number(one, "high")) for one in kept]


def _weight(entry: Mapping[str, Any]) -> float | None:
    return number(entry, "row_weight") if "row_weight" in entry else None


def _normal_cdf(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2.0))
