"""The rules of a gate: each decides on the bound of an interval, never on the point.

    absolute         lower bound >= min                          fails when the upper bound is below min
    upper_bound      upper bound < max                           fails when the lower bound is above max
    non_inferiority  lower bound of the paired gain > -max_drop  fails when its upper bound is below -max_drop
    superiority      lower bound of the paired gain > min_gain   fails when its upper bound is below min_gain

Everything between is INCONCLUSIVE, with the number of rows that would settle it if the figures stay as they are.
Nothing is between where the difference is known: two runs with the very same numbers in every row.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tunegate.core.errors import UsageError
from tunegate.evals.evidence import Evidence
from tunegate.evals.intervals import Interval
from tunegate.evals.metrics import DEFINITIONS

if TYPE_CHECKING:
    from tunegate.core.configuration import Rule

Verdict = Literal["pass", "fail", "inconclusive", "error"]
Kind = Literal["absolute", "upper_bound", "non_inferiority", "superiority"]

# Beyond this many times the rows, more of them are no advice.
_MOST_TIMES = 10_000.0


@dataclass(frozen=True, slots=True)
class Ruling:
    """One rule of the policy: what is compared with which bound."""

    metric: str
    key: Literal["min", "max", "max_drop", "min_gain"]
    stated: float
    alpha: float

    @classmethod
    def of(cls, metric: str, rule: Rule) -> Ruling:
        """Read a rule of the configuration. Raises UsageError for a bound on the wrong side of the metric."""
        higher = DEFINITIONS[metric].higher_is_better
        if rule.min is not None and not higher:
            raise UsageError(
                f"[gate] {metric} = {{ min = {rule.min:g} }}: lower is better here; use max or max_drop"
            )
        if rule.max is not None and higher:
            raise UsageError(
                f"[gate] {metric} = {{ max = {rule.max:g} }}: higher is better here; use min or max_drop"
            )
        if rule.min is not None:
            return cls(metric, "min", rule.min, rule.alpha)
        if rule.max is not None:
            return cls(metric, "max", rule.max, rule.alpha)
        if rule.max_drop is not None:
            return cls(metric, "max_drop", rule.max_drop, rule.alpha)
        assert rule.min_gain is not None
        return cls(metric, "min_gain", rule.min_gain, rule.alpha)

    @property
    def id(self) -> str:
        """The rule's id in the result."""
        return f"{self.metric}.{self.key}"

    @property
    def kind(self) -> Kind:
        """Which of the four kinds of rule this is."""
        kinds: dict[str, Kind] = {
            "min": "absolute",
            "max": "upper_bound",
            "max_drop": "non_inferiority",
            "min_gain": "superiority",
        }
        return kinds[self.key]

    @property
    def is_paired(self) -> bool:
        """Whether the rule speaks of the difference to a baseline."""
        return self.key in ("max_drop", "min_gain")

    @property
    def bound(self) -> float:
        """The number that the interval is held against."""
        return -self.stated if self.key == "max_drop" else self.stated

    def judge(self, interval: Interval) -> Verdict:
        """Decide by an interval of the value, or of the gain where the rule is paired."""
        if self.key == "max":
            passes, fails = interval.high < self.bound, interval.low > self.bound
        elif self.key == "min":
            passes, fails = interval.low >= self.bound, interval.high < self.bound
        else:
            passes, fails = interval.low > self.bound, interval.high < self.bound
        return "pass" if passes else "fail" if fails else "inconclusive"

    def judge_known(self, gain: float) -> Verdict:
        """Decide by a gain that is no estimate: a drop of just the margin is allowed, a gain must be above it."""
        passes = gain >= self.bound if self.key == "max_drop" else gain > self.bound
        return "pass" if passes else "fail"

    def bound_used(self, interval: Interval, verdict: Verdict) -> float:
        """Return the end of the interval on which the verdict rests."""
        upper = (self.key == "max") != (verdict == "fail")
        return interval.high if upper else interval.low


def rows_to_settle(evidence: Evidence, alpha: float, judge: Callable[[Interval], Verdict]) -> int | None:
    """Return about how many more rows would settle a rule if the observed figures stay as they are.

    None when even 10,000 times the rows would not: the figure stands at the bound itself.
    """

    def settled(factor: float) -> bool:
        return judge(evidence.interval(alpha, factor)) != "inconclusive"

    low, high = 1.0, 2.0
    while not settled(high):
        low, high = high, high * 2.0
        if high > _MOST_TIMES:
            return None
    while (high - low) * evidence.n > 0.5:
        middle = (low + high) / 2.0
        low, high = (low, middle) if settled(middle) else (middle, high)
    return max(1, math.ceil(evidence.n * (high - 1.0) - 1e-9))
