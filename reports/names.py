"""What the page calls the things of a result, and how their values are written."""

from __future__ import annotations

from dataclasses import dataclass

from tunegate.core.visible import visible
from tunegate.reports.figures import Node

METRICS = {
    "accuracy": "Accuracy",
    "f1_macro": "Macro F1",
    "accuracy_ll": "Accuracy by likelihood",
    "f1_macro_ll": "Macro F1 by likelihood",
    "perplexity": "Perplexity",
    "bits_per_byte": "Bits per byte",
    "harm_rate": "Harm rate",
}

# Their values are shares of 1, whatever unit the result names.
_SHARES = frozenset(("accuracy", "f1_macro", "accuracy_ll", "f1_macro_ll", "harm_rate"))
_UNITS_OF_SHARES = frozenset(("share", "proportion", "rate", "fraction", "ratio"))

CATEGORIES = {"hate": "Hate", "self_harm": "Self-harm", "sexual": "Sexual", "violence": "Violence"}
REFERENCES = {"tfidf": "TF-IDF reference", "base": "Base", "previous": "Earlier release"}


@dataclass(frozen=True, slots=True)
class Status:
    """A verdict as word and sign: never by colour alone. `name` is also the class of the style sheet."""

    name: str
    word: str


STATUS = {
    "pass": Status("pass", "Pass"),
    "waived": Status("waived", "Waived"),
    "fail": Status("fail", "Fail"),
    "inconclusive": Status("inconclusive", "Inconclusive"),
    "error": Status("error", "Error"),
}
NOT_JUDGED = Status("none", "Not judged")


def status_of(verdict: Node) -> Status:
    """Return the status for a verdict of a rule; a word that is not known is an error, never a pass."""
    return STATUS.get(verdict.string(), STATUS["error"]) if verdict else NOT_JUDGED


def metric_name(metric: Node) -> str:
    """Return the metric's name, with its slice where it has one."""
    id_ = metric["id"].string()
    name = METRICS.get(id_) or visible(metric["title"].string() or id_) or "Metric without a name"
    parts = ", ".join(f"{visible(key)} {part.show('text')}" for key, part in metric["slice"].items())
    return f"{name} ({parts})" if parts else name


def value_kind(metric: Node) -> str:
    """Return how values of a metric are written."""
    share = metric["id"].value in _SHARES or metric["unit"].string().lower() in _UNITS_OF_SHARES
    return "percent" if share else "number"


def difference_kind(metric: Node) -> str:
    """Return how differences of a metric are written."""
    return "points" if value_kind(metric) == "percent" else "change"


def width_kind(metric: Node) -> str:
    """Return how sizes of differences, which have no sign, are written."""
    return "width" if value_kind(metric) == "percent" else "number"


def limit_kind(metric: Node) -> str:
    """Return how limits that someone set for a metric are written."""
    return "share" if value_kind(metric) == "percent" else "plain"


def margin_kind(metric: Node) -> str:
    """Return how margins that someone set for a metric are written."""
    return "span" if value_kind(metric) == "percent" else "plain"


def in_words(name: str) -> str:
    """Return a key of a settings table as words."""
    return name.replace("_", " ")
