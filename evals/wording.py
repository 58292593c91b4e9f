"""Verdicts in words: one sentence for each check, numbers rounded to the side that promises less."""

from __future__ import annotations

import math

from tunegate.core.rounding import outward
from tunegate.evals.evidence import Evidence, Power, RareShare
from tunegate.evals.intervals import Interval
from tunegate.evals.metrics import DEFINITIONS
from tunegate.evals.rulings import Ruling, Verdict


def sentence(ruling: Ruling, verdict: Verdict, evidence: Evidence, interval: Interval, baseline: str) -> str:
    """Say what was found and what the policy asks, for `interval` on the side of the gain where paired."""
    if ruling.is_paired:
        return _difference(ruling, verdict, interval, baseline)
    return _value(ruling, verdict, evidence, interval)


def sameness(ruling: Ruling, rows: int, baseline: str) -> str:
    """Say that there is no difference at all, and what the policy asks."""
    title = DEFINITIONS[ruling.metric].title
    return f"{title} is that of {baseline}: the same numbers in each of {rows:,} rows; {_asked(ruling)}"


def advice(more: int | None) -> str:
    """Say how many more rows would settle an inconclusive rule."""
    if more is None:
        return "more rows alone would not settle it, the figure stands at the bound"
    # two digits: the estimate is no better than that
    digits = max(0, len(str(more)) - 2)
    about = math.ceil(more / 10**digits) * 10**digits
    return f"about {about:,} more rows would settle it"


def sight(ruling: Ruling, power: Power) -> str:
    """Say what a paired rule can see with the rows that it has."""
    definition = DEFINITIONS[ruling.metric]
    ties = f"equal models come out INCONCLUSIVE {100 * power.inconclusive_if_equal:.0f} % of the time"
    if power.detectable is None:
        seen = "no gain passes 80 % of the time"
    elif ruling.key == "min_gain":
        gain = rounded(power.detectable, definition.unit, up=True, difference=True)
        seen = f"a gain of {gain} passes 80 % of the time"
    elif power.detectable == 0.0:
        seen = "even equal models do not pass 80 % of the time"
    else:
        drop = rounded(power.detectable, definition.unit, up=True, difference=True)
        seen = f"a model that is {drop} worse does not pass 80 % of the time"
    return f"{seen}; {ties} (assuming {power.assumes})"


def rounded(value: float, unit: str, up: bool, difference: bool = False, limit: float | None = None) -> str:
    """Return a bound, rounded up or down, with its unit; with enough digits to be told from its `limit`."""
    scale, name = _scale(unit, difference)
    others = [] if limit is None else [limit * scale]
    if name == " %":
        others.append(100.0)
    return f"{outward(value * scale, up, *others):f}{name}"


def stated(value: float, unit: str, difference: bool = False) -> str:
    """Return a number of the policy as it was written, with its unit."""
    scale, name = _scale(unit, difference)
    return f"{value * scale:.10g}{name}"


def _scale(unit: str, difference: bool) -> tuple[float, str]:
    return (100.0, " points" if difference else " %") if unit == "share" else (1.0, "")


def _value(ruling: Ruling, verdict: Verdict, evidence: Evidence, interval: Interval) -> str:
    definition = DEFINITIONS[ruling.metric]
    low = rounded(interval.low, definition.unit, up=False, limit=ruling.bound)
    high = rounded(interval.high, definition.unit, up=True, limit=ruling.bound)
    bound = stated(ruling.bound, definition.unit)
    asked = f"required is {bound}" if ruling.key == "min" else f"allowed is less than {bound}"
    counted = f" ({evidence.count} in {evidence.n})" if isinstance(evidence, RareShare) else ""
    if verdict == "inconclusive":
        return f"{definition.title} may lie between {low} and {high}{counted}; {asked}"
    if (ruling.key == "min") == (verdict == "pass"):
        return f"{definition.title} is at least {low}{counted}; {asked}"
    return f"{definition.title} is at most {high}{counted}; {asked}"


def _difference(ruling: Ruling, verdict: Verdict, interval: Interval, baseline: str) -> str:
    definition = DEFINITIONS[ruling.metric]
    better, worse = _sides(ruling)
    gain = interval.high if verdict == "fail" else interval.low
    signed = rounded(gain, definition.unit, up=verdict == "fail", difference=True, limit=ruling.bound)
    size = signed.removeprefix("-")
    side = better if gain >= 0 else worse
    if verdict == "inconclusive":
        how = "may be only" if gain >= 0 else "may be up to"
    else:
        how = "is at least" if (gain >= 0) == (verdict == "pass") else "is at most"
    return f"{definition.title} {how} {size} {side} than that of {baseline}; {_asked(ruling)}"


def _sides(ruling: Ruling) -> tuple[str, str]:
    """Return the words for a better and a worse value."""
    return ("higher", "lower") if DEFINITIONS[ruling.metric].higher_is_better else ("lower", "higher")


def _asked(ruling: Ruling) -> str:
    """Say what a paired rule of the policy asks."""
    better, worse = _sides(ruling)
    bound = stated(ruling.stated, DEFINITIONS[ruling.metric].unit, difference=True)
    if ruling.key == "min_gain":
        return f"required is more than {bound} {better}"
    return f"allowed is {bound} {worse}" if ruling.stated else f"it must not be {worse}"
