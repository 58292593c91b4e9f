"""The data: rows in and out, labels, lengths, leakage and findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from tunegate.core.visible import visible
from tunegate.reports.charts import Bin, bar, histogram
from tunegate.reports.figures import Figure, Node, say

SPLITS = ("train", "validation", "test")

# So many rows are named for each reason; the ledger has them all.
EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Reason:
    """Why rows left or were edited: the rule, how many rows, and the first of them."""

    rule: Figure | str
    title: str
    count: Figure
    bar: Markup
    examples: tuple[str, ...]
    fewer: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: its name and its cells."""

    name: str
    cells: tuple[Figure, ...]
    bars: tuple[Markup, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """How often a rule found something."""

    rule: str
    title: Figure
    severity: Figure
    count: Figure


@dataclass(frozen=True, slots=True)
class Data:
    """The screen of the data. Parts that were not done are None or empty."""

    flow: Markup
    adds_up: bool
    prepared: bool
    drops: tuple[Reason, ...]
    edits: tuple[Reason, ...]
    splits: tuple[Row, ...]
    screened: bool
    labels: tuple[Row, ...]
    label_columns: tuple[str, ...]
    effective: tuple[Figure, Figure] | None
    lengths: Markup | None
    length_facts: Markup | None
    length_table: tuple[tuple[Markup, Figure], ...]
    leakage: tuple[Row, ...]
    checked: bool
    summary: Markup
    findings: tuple[Finding, ...]
    files: tuple[tuple[Figure, Figure, Figure, Figure], ...]


def data_view(result: Node, ledger: Iterable[Mapping[str, Any]]) -> Data:
    """Make the screen of the data."""
    preparation, check = result["preparation"], result["check"]
    titles, examples = _ledger(ledger)
    titles |= {
        rule: entry["title"].string() for rule, entry in check["by_rule"].items() if entry["title"].string()
    }
    columns, labels = _labels(preparation)
    lengths = preparation["token_lengths"]
    return Data(
        flow=_flow(result),
        adds_up=_adds_up(result),
        prepared=bool(preparation),
        drops=_reasons(preparation["dropped"], "dropped", titles, examples),
        edits=_reasons(preparation["edited"], "edited", titles, examples),
        splits=_splits(result),
        screened=bool(result["screening"]),
        labels=labels,
        label_columns=columns,
        effective=_effective(preparation),
        lengths=_histogram(lengths),
        length_facts=_length_facts(lengths),
        length_table=tuple(
            (say("{} to {}", bin_[0].show("count"), bin_[1].show("count")), bin_[2].show("count"))
            for bin_ in lengths["bins"]
        ),
        leakage=tuple(
            Row(visible(pair).replace("-", " and "), (shared.show("count"),))
            for pair, shared in preparation["leakage"].items()
        ),
        checked=bool(check),
        summary=say(
            "{} rows read: {} errors, {} warnings, {} notes; {} rows have an error.",
            *(
                check.at("summary", name).show("count")
                for name in ("rows", "errors", "warnings", "infos", "rows_failed")
            ),
        ),
        findings=_findings(check["by_rule"]),
        files=tuple(
            (
                file["path"].show("text"),
                file["rows"].show("count"),
                file["bytes"].show("bytes"),
                file["sha256"].show("digest"),
            )
            for file in check["files"]
        ),
    )


def _flow(result: Node) -> Markup:
    """Say how many rows came in, and what each step left of them."""
    preparation, screening = result["preparation"], result["screening"]
    came = preparation["rows_in"].show("count"), preparation["dropped"].total()
    added = preparation["added"].total()
    prepared = say("{} lines came in, blank ones too. Preparation dropped {}", *came)
    if added.known and added.value:
        prepared = say("{}, made {} more by cutting long chats,", prepared, added)
    prepared = say("{} and left {}.", prepared, preparation["rows_out"].show("count"))
    if not screening:
        return prepared
    return say(
        "{} Screening took out {} of these and left {}.",
        prepared,
        screening["rows_blocked"].show("count"),
        result["data"].total("rows"),
    )


def _adds_up(result: Node) -> bool:
    """Whether no row came or went without a step that says so."""
    preparation, screening = result["preparation"], result["screening"]
    added = preparation["added"].total().value if preparation["added"] else 0
    prepared = preparation["rows_out"].value
    balances = [(preparation["rows_in"].value, added, preparation["dropped"].total().value, prepared)]
    if screening:
        balances.append((prepared, 0, screening["rows_blocked"].value, result["data"].total("rows").value))
    return all(
        all(isinstance(number, int) for number in balance) and balance[0] + balance[1] == balance[2] + balance[3]
        for balance in balances
    )


def _ledger(entries: Iterable[Mapping[str, Any]]) -> tuple[dict[str, str], dict[tuple[str, str], list[str]]]:
    """Return what each rule says of itself, and the first rows for each rule and action."""
    titles: dict[str, str] = {}
    examples: dict[tuple[str, str], list[str]] = {}
    for entry in entries:
        rule, action = str(entry.get("rule")), str(entry.get("action"))
        titles.setdefault(rule, visible(str(entry.get("reason") or "")))
        rows = examples.setdefault((rule, action), [])
        if len(rows) < EXAMPLES:
            rows.append(visible(f"{entry.get('path')}:{entry.get('line')}"))
    return titles, examples


def _reasons(
    counts: Node, action: str, titles: Mapping[str, str], examples: Mapping[tuple[str, str], list[str]]
) -> tuple[Reason, ...]:
    known = [(rule, count) for rule, count in counts.items()]
    most = max((count.number() or 0 for _, count in known), default=0) or 1
    known.sort(key=lambda item: (-(item[1].number() or 0), item[0]))
    return tuple(
        Reason(
            rule=visible(rule),
            title=titles.get(rule, ""),
            count=count.show("count"),
            bar=bar((count.number() or 0) / most),
            examples=tuple(examples.get((rule, action), ())),
            fewer=len(examples.get((rule, action), ())) < (count.number() or 0),
        )
        for rule, count in known
    )


def _splits(result: Node) -> tuple[Row, ...]:
    """Return a row for each split: its rows as prepared and, where it was screened, as used; then its tokens."""
    splits = result["preparation"]["splits"]
    named = [(name, splits[name]) for name in SPLITS if splits[name]]
    used = {name: result["data"].find(path=f"data/{name}.jsonl")["rows"].show("count") for name, _ in named}
    return tuple(
        Row(
            name,
            (
                split["rows"].show("count"),
                *([used[name]] if result["screening"] else []),
                split.at("tokens", "total").show("count"),
                split.at("tokens", "median").show("count"),
                split.at("tokens", "max").show("count"),
            ),
        )
        for name, split in named
    )


def _labels(preparation: Node) -> tuple[tuple[str, ...], tuple[Row, ...]]:
    """Return the columns and a row for each label: before and after balancing, then the splits."""
    columns: dict[str, Node] = {}
    if preparation["balance"]:
        columns = {"before": preparation.at("balance", "before"), "after": preparation.at("balance", "after")}
    columns |= {name: labels for name in SPLITS if (labels := preparation.at("splits", name, "labels"))}
    names = list(dict.fromkeys(label for counts in columns.values() for label, _ in counts.items()))
    first = next(iter(columns.values()), preparation["labels"])
    names.sort(key=lambda label: (-(first[label].number() or 0), label))
    drawn = [columns[name] for name in ("before", "after") if name in columns] or list(columns.values())[:1]
    most = max((counts[label].number() or 0 for counts in drawn for label in names), default=0) or 1
    rows = tuple(
        Row(
            visible(label),
            tuple(counts[label].show("count") for counts in columns.values()),
            tuple(
                bar((counts[label].number() or 0) / most, name)
                for counts, name in zip(drawn, ("before", "after"), strict=False)
            ),
        )
        for label in names
    )
    return tuple(columns), rows


def _effective(preparation: Node) -> tuple[Figure, Figure] | None:
    numbers = preparation.at("balance", "effective_number")
    return (numbers["before"].show("number"), numbers["after"].show("number")) if numbers else None


def _histogram(lengths: Node) -> Markup | None:
    bins = [
        Bin(low, high, count.show("count"))
        for low, high, count in ((item[0].number(), item[1].number(), item[2]) for item in lengths["bins"])
        if low is not None and high is not None and count.number() is not None
    ]
    if not bins:
        return None
    return histogram(
        bins,
        lengths["limit"].show("count"),
        "Rows by length in tokens",
        "Columns are counts of rows, each as wide as the next, over lengths that grow in steps; "
        "the line is the longest row that training takes.",
    )


def _length_facts(lengths: Node) -> Markup | None:
    if not lengths:
        return None
    exact = "exact" if lengths["exact"].value is True else "an estimate: the model's own tokenizer was not at hand"
    return say(
        "Counted with {}, {}. Training takes at most {} tokens.",
        lengths["tokenizer"].show("text"),
        exact,
        lengths["limit"].show("count"),
    )


_ORDER = {"error": 0, "warning": 1, "info": 2}


def _findings(by_rule: Node) -> tuple[Finding, ...]:
    found = [
        Finding(
            visible(rule),
            entry["title"].show("text"),
            entry["severity"].show("text"),
            entry["count"].show("count"),
        )
        for rule, entry in by_rule.items()
    ]
    return tuple(sorted(found, key=lambda item: (_ORDER.get(str(item.severity.value), 3), item.rule)))
