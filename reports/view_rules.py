"""The rules of the gate, each with its line of the forest plot."""

from __future__ import annotations

import math
from dataclasses import dataclass

from markupsafe import Markup

from tunegate.core.visible import visible
from tunegate.reports.charts import Interval, Scale, interval, tick
from tunegate.reports.figures import ABSENT, Figure, Node, say
from tunegate.reports.names import (
    Status,
    difference_kind,
    in_words,
    limit_kind,
    margin_kind,
    metric_name,
    status_of,
    value_kind,
)

# The method of an interval that is a point because the difference is known, not because nothing was seen.
SAME = "the same in every row"

# How a method is called whose ends err on one side only, each with the whole probability of the rule.
ONE_SIDED = "one-sided"

# Rules that compare with the base model or a baseline; the others look at the value itself.
COMPARING = frozenset(("non_inferiority", "superiority"))


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the gate: what it demands, what was observed, and its line of the forest plot."""

    name: str
    demand: Markup
    measured: bool
    observed: Figure
    interval: Markup
    bound: Figure
    n: Figure
    status: Status
    message: Markup | None
    plot: Markup


def rule_view(check: Node, result: Node, said: set[object]) -> Rule:
    """Make a rule's line; its message stands there unless it passed or the message is a reason of the verdict."""
    metric = _metric_of(check, result)
    comparing = check["kind"].string() in COMPARING
    kind = difference_kind(metric) if comparing else value_kind(metric)
    # The rule's own interval is the one that it decides on; the metric's stands in for it.
    ci = check["interval"]
    if not ci and check["observed"].number() is not None:
        ci = (metric["delta"] if comparing else metric)["ci"]
    rows = check["n"] if check["n"] else metric["n"]
    status = status_of(check["verdict"])
    message = check["message"].show("text")
    measured = check["kind"].string() != "integrity"
    told = status.name == "pass" or (measured and message.value in said)
    name = metric_name(metric) if metric else in_words(visible(check["rule_id"].string())).capitalize() or "Rule"
    return Rule(
        name=name,
        demand=_demand(check, metric, "baseline" if result["baseline"] else "base"),
        measured=measured,
        observed=check["observed"].show(kind),
        interval=interval_text(ci, kind, rows, _limit(check, metric)),
        bound=_bound_used(check, kind, _limit(check, metric)),
        n=rows.show("count"),
        status=status,
        message=sentence(message) if message.known and not told else None,
        plot=_plot(check, metric, ci, f"{name}: {status.word}"),
    )


def _metric_of(check: Node, result: Node) -> Node:
    """Return the metric that a rule speaks of, of the same slice; an absent one where it was not measured."""
    wanted = (check["metric"].value, check["slice"].value or {})
    for metric in result["metrics"]:
        if (metric["id"].value, metric["slice"].value or {}) == wanted:
            return metric
    return Node(
        {"id": wanted[0], "slice": wanted[1]} if isinstance(wanted[0], str) else ABSENT, check["metric"].key
    )


def interval_text(ci: Node, kind: str, rows: Node, limit: float | None = None) -> Markup:
    """Write an interval as "low to high"; says so where there is none, or where nothing varied in the rows.

    A bootstrap without variation is a point, which would look like certainty.
    """
    low, high = ci["low"], ci["high"]
    ends = [end for end in (low.number(), high.number()) if end is not None]
    if not ends:
        return say("{}", Figure(ABSENT, ci.key, kind))
    # sums of the same numbers in another order differ in their last digits
    if len(ends) == 2 and math.isclose(*ends, rel_tol=1e-12, abs_tol=1e-12):
        known = ci["method"].string() == SAME
        said = "the same in each of {} rows" if known else "no variation in {} rows: interval not known"
        return say(said, rows.show("count"))
    text = say("{} to {}", low.bound("low", kind, limit), high.bound("high", kind, limit))
    return say("{}, one-sided", text) if ci["method"].string().endswith(ONE_SIDED) else text


def _bound_used(check: Node, kind: str, limit: float | None) -> Figure:
    """Return the bound that decided, rounded as the end of the interval that it is."""
    bound, ci = check["bound_used"], check["interval"]
    upper = bound.value == ci["high"].value and bound.value != ci["low"].value
    return bound.bound("high" if upper else "low", kind, limit)


def _bounded_above(check: Node, metric: Node) -> bool:
    """Whether an absolute rule allows values up to its limit rather than from it on."""
    return check["kind"].string() == "upper_bound" or metric["direction"].string() == "lower"


def _demand(check: Node, metric: Node, other: str) -> Markup:
    kind = check["kind"].string()
    if kind == "non_inferiority":
        return say("at most {} worse than the {}", check["margin"].show(margin_kind(metric)), other)
    if kind == "superiority":
        return say("at least {} better than the {}", check["margin"].show(margin_kind(metric)), other)
    if kind == "integrity":
        return say("the evidence is as it was")
    if check["limit"].number() is None:
        return say("{}", in_words(visible(kind)) or "no limit recorded")
    word = "below" if kind == "upper_bound" else "at most" if _bounded_above(check, metric) else "at least"
    return say("{} {}", word, check["limit"].show(limit_kind(metric)))


def _plot(check: Node, metric: Node, ci: Node, title: str) -> Markup:
    """Draw the rule's line; nothing where neither value nor limit is known."""
    comparing = check["kind"].string() in COMPARING
    value, low, high = (node.number() for node in (check["observed"], ci["low"], ci["high"]))
    bound, limit = check["bound_used"].number(), _limit(check, metric)
    if limit is None:
        return Markup("")
    percent = 100.0 if value_kind(metric) == "percent" else 1.0
    unit = "" if percent == 1.0 else " pts" if comparing else " %"
    scale = _scale([limit, value, low, high, bound], comparing, share=percent != 1.0)
    upward = _better_upward(check, metric)
    ends = tuple(f"{tick(round(end * percent, 6))}{unit}" for end in (scale.low, scale.high))
    return interval(
        Interval(
            scale=scale,
            value=value,
            low=low,
            high=high,
            bound=bound,
            allowed=(limit, scale.high) if upward else (scale.low, limit),
            limit=limit,
            zero=comparing,
            ends=(ends[0], ends[1]),
            status=status_of(check["verdict"]).name,
            title=title,
            description="The shaded range is allowed; the point is the estimate, the thin line its interval, "
            "the end of the thick line the bound that decides.",
        )
    )


def _better_upward(check: Node, metric: Node) -> bool:
    return not _bounded_above(check, metric)


def _limit(check: Node, metric: Node) -> float | None:
    kind, margin = check["kind"].string(), check["margin"].number()
    if kind not in COMPARING:
        return check["limit"].number()
    if margin is None:
        return None
    worse = -1.0 if _better_upward(check, metric) else 1.0
    return margin * worse if kind == "non_inferiority" else -margin * worse


def _scale(values: list[float | None], comparing: bool, share: bool) -> Scale:
    """Return a range that shows all values and, for differences, zero; shares that are not rare go from 0 to 1."""
    known = [value for value in values if value is not None]
    if share and not comparing:
        most = max(known)
        return Scale(0.0, 1.0) if most > 0.2 else Scale(0.0, _round_up(1.35 * most))
    low, high = min(*known, 0.0), max(*known, 0.0)
    width = (high - low) or 1.0
    reach = _round_up(1.1 * max(abs(low), abs(high)))
    return Scale(
        -_round_up(-low + 0.06 * width) if low < 0 or comparing else 0.0,
        min(reach, 1.0) if share else reach,
    )


def _round_up(value: float) -> float:
    """Return the next value with one or two significant digits: 0.0135 becomes 0.014."""
    if value <= 0:
        return 1.0
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return round(math.ceil(value / unit - 1e-9) * unit, 12)


def sentence(message: Figure) -> Markup:
    """Let a message begin with a capital, unless it begins with something like a path."""
    first = message.text.partition(" ")[0]
    return say('<span class="sentence">{}</span>', message) if first.isalpha() else say("{}", message)
