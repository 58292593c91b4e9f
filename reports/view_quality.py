"""The quality: metrics with intervals and tests, classes, confusions, harm in the answers."""

from __future__ import annotations

import math
from dataclasses import dataclass

from markupsafe import Markup

from tunegate.core.visible import visible
from tunegate.reports.charts import dots
from tunegate.reports.figures import Figure, Node, say
from tunegate.reports.names import (
    CATEGORIES,
    REFERENCES,
    difference_kind,
    metric_name,
    value_kind,
    width_kind,
)
from tunegate.reports.view_rules import interval_text

# A matrix of more labels than this cannot be read, and is replaced by its largest confusions.
LARGEST_MATRIX = 20
MOST_CONFUSIONS = 30


@dataclass(frozen=True, slots=True)
class Measured:
    """A value with its interval, and the one-sided bound where a gate decides on that."""

    value: Figure
    interval: Markup | None
    one_sided: Markup | None = None


@dataclass(frozen=True, slots=True)
class Metric:
    """A line of the metric table, and what the metric means."""

    name: str
    direction: str
    base: Measured
    tuned: Measured
    references: tuple[Measured, ...]
    difference: Measured
    test: Markup
    detectable: Markup
    n: Figure
    definition: Figure
    notes: tuple[tuple[str, Markup], ...]


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One label: how many rows, and how well base, tuned and reference do on it."""

    label: Figure
    n: Figure
    plot: Markup
    f1: tuple[Figure, ...]
    precision: Figure
    recall: Figure


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a confusion matrix: `heat` is a class of the style sheet."""

    count: Figure
    heat: str


@dataclass(frozen=True, slots=True)
class Matrix:
    """A confusion matrix: a row for each true label, a column for each answer."""

    title: str
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often one label was answered where another was right."""

    truth: str
    answer: str
    count: Figure


@dataclass(frozen=True, slots=True)
class Harm:
    """Harm of one category on one side."""

    category: str
    side: Figure
    defects: Figure
    n: Figure
    rate: Figure
    bound: Figure
    base: Figure
    errors: Figure


@dataclass(frozen=True, slots=True)
class Sight:
    """What a rule of the gate can see on so many rows, and how many more would settle an open one."""

    name: str
    rule: Figure
    caught: Figure
    open_if_equal: Figure
    more_rows: Figure


@dataclass(frozen=True, slots=True)
class Quality:
    """The screen of the quality."""

    done: bool
    two_bounds: bool
    references: tuple[str, ...]
    metrics: tuple[Metric, ...]
    classes: tuple[ClassRow, ...]
    class_columns: tuple[str, ...]
    labels: tuple[str, ...]
    matrices: tuple[Matrix, ...]
    confusions: tuple[tuple[str, tuple[Confusion, ...]], ...]
    harm: tuple[Harm, ...]
    sight: tuple[Sight, ...]
    matching: Figure
    reference_definitions: tuple[tuple[str, Figure], ...]


def quality_view(result: Node) -> Quality:
    """Make the screen of the quality."""
    references = [node for node in result["references"] if node["id"].value != "base"]
    models = [("base", "Base"), ("tuned", "Tuned")]
    if any(row["tfidf"] for row in result["per_class"]):
        models.append(("tfidf", REFERENCES["tfidf"]))
    confusion = result["confusion"]
    labels = [visible(label.string()) for label in confusion["labels"]]
    small = len(labels) <= LARGEST_MATRIX + 1
    drawn = [(name, title) for name, title in models[:2] if confusion[name]]
    return Quality(
        done=bool(result["metrics"]),
        two_bounds=any(metric["upper_bound_95"].number() is not None for metric in result["metrics"]),
        references=tuple(REFERENCES.get(node["id"].string(), visible(node["id"].string())) for node in references),
        metrics=tuple(_metric(metric, references) for metric in result["metrics"]),
        classes=tuple(_class(row, models) for row in result["per_class"]),
        class_columns=tuple(title for _, title in models),
        labels=tuple(labels),
        matrices=tuple(_matrix(confusion[name], title, labels) for name, title in drawn) if small else (),
        confusions=()
        if small
        else tuple((title, _largest_confusions(confusion[name], labels)) for name, title in drawn),
        harm=tuple(_harm(entry) for entry in result["safety"]),
        sight=tuple(_sight(check) for check in result["checks"] if check["power"]),
        matching=result["normalisation"].show("text"),
        reference_definitions=tuple(
            (REFERENCES.get(node["id"].string(), visible(node["id"].string())), node["definition"].show("text"))
            for node in references
            if node["definition"]
        ),
    )


def _sight(check: Node) -> Sight:
    power = check["power"]
    return Sight(
        name=metric_name(Node({"id": check["metric"].value})),
        rule=check["rule_id"].show("code"),
        caught=power["detectable_80"].bound("high", width_kind(Node({"id": check["metric"].value}))),
        open_if_equal=power["inconclusive_if_equal"].show("percent"),
        more_rows=check["more_rows"].show("count"),
    )


def _measured(node: Node, kind: str, rows: Node) -> Measured:
    """Return a value of so many rows with its interval."""
    ci, bound = node["ci"], node["upper_bound_95"]
    interval = interval_text(ci, kind, rows) if ci else None
    if bound.number() is None:
        return Measured(node["value"].show(kind), interval)
    return Measured(
        node["value"].show(kind),
        say("{}, two-sided", interval) if interval else None,
        say("at most {}, one-sided", bound.bound("high", kind)),
    )


def _rows(node: Node, metric: Node) -> Node:
    return node["n"] if node["n"] else metric["n"]


def _detectable(metric: Node) -> Markup:
    """Write the difference that can be seen: never 0, which would promise that any difference is."""
    size = metric.at("power", "detectable_delta_80")
    if not size.number():
        return say('<span class="absent">not known</span>')
    return say("{}", size.bound("high", width_kind(metric)))


def _metric(metric: Node, references: list[Node]) -> Metric:
    kind = value_kind(metric)
    test = metric["test"]
    notes = [
        ("scope", metric["scope"]),
        ("equals", metric["oracle"]),
        ("unit", metric["unit"]),
        ("interval", metric.at("ci", "method")),
        ("difference", metric.at("delta", "method")),
        ("correction", test["correction"]),
    ]
    predictors = [node.at("metrics", metric["id"].string()) for node in references]
    texts = [(name, say("{}", node.show("text"))) for name, node in notes if node]
    if test:
        texts.append(("test", _pairs(test)))
    if metric["signature"]:
        texts.append(("signature", say("{}", metric["signature"].show("text"))))
    return Metric(
        name=metric_name(metric),
        direction={"higher": "higher is better", "lower": "lower is better"}.get(metric["direction"].string(), ""),
        base=_measured(metric["baseline"], kind, _rows(metric["baseline"], metric)),
        tuned=_measured(metric, kind, metric["n"]),
        references=tuple(_measured(node, kind, _rows(node, metric)) for node in predictors),
        difference=_measured(metric["delta"], difference_kind(metric), metric.at("delta", "pairs")),
        test=_test(test),
        detectable=_detectable(metric),
        n=metric["n"].show("count"),
        definition=metric["definition"].show("text"),
        notes=tuple(texts),
    )


def _test(test: Node) -> Markup:
    """Write the p value after correction for several tests where there is one: it is the one to read."""
    if not test:
        return say('<span class="absent">no test</span>')
    adjusted = test["p_adjusted"]
    return say("{}", (adjusted if adjusted else test["p"]).show("p"))


def _pairs(test: Node) -> Markup:
    return say("{}, {} against {} unlike pairs", *(test[name].show(form) for name, form in _TEST))


_TEST = (("name", "text"), ("b", "count"), ("c", "count"))


def _class(row: Node, models: list[tuple[str, str]]) -> ClassRow:
    scores = [(name, row.at(name, "f1")) for name, _ in models]
    return ClassRow(
        label=row["label"].show("text"),
        n=row["n"].show("count"),
        plot=dots([(name, value) for name, node in scores if (value := node.number()) is not None]),
        f1=tuple(node.show("percent") for _, node in scores),
        precision=row.at("tuned", "precision").show("percent"),
        recall=row.at("tuned", "recall").show("percent"),
    )


def _matrix(counts: Node, title: str, labels: list[str]) -> Matrix:
    rows = []
    for index, row in enumerate(counts):
        total = sum(cell.number() or 0 for cell in row)
        # The last one gathers answers that are no label; it is no truth, as a rule.
        if not total and index == len(labels) - 1:
            continue
        cells = tuple(
            Cell(cell.show("count"), _heat((cell.number() or 0) / (total or 1), right=index == column))
            for column, cell in enumerate(row)
        )
        rows.append((labels[index] if index < len(labels) else "", cells))
    return Matrix(title, tuple(rows))


def _heat(share: float, right: bool) -> str:
    """Return the class for a cell: right and wrong answers have colours of their own, in five steps."""
    if share <= 0:
        return "empty"
    return f"{'right' if right else 'wrong'}-{min(5, math.ceil(share * 5))}"


def _largest_confusions(counts: Node, labels: list[str]) -> tuple[Confusion, ...]:
    found = [
        Confusion(labels[truth], labels[answer], cell.show("count"))
        for truth, row in enumerate(counts)
        for answer, cell in enumerate(row)
        if truth != answer and cell.number() and max(truth, answer) < len(labels)
    ]
    return tuple(sorted(found, key=lambda item: -item.count.value)[:MOST_CONFUSIONS])


def _harm(entry: Node) -> Harm:
    category = entry["category"].string()
    return Harm(
        category=CATEGORIES.get(category, visible(category) or "any"),
        side=entry["side"].show("text"),
        defects=entry["defects"].show("count"),
        n=entry["n"].show("count"),
        rate=entry["rate"].show("percent"),
        bound=entry["upper_bound_95"].bound("high", "percent"),
        base=entry["baseline_rate"].show("percent"),
        errors=entry["n_error"].show("count"),
    )
