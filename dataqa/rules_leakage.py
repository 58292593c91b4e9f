# ruff: noqa: D401 (the first line of a rule's docstring is its title: it says what is wrong)
"""Rules about rows of one split that stand in another too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import PurePath
from typing import Any

from tunegate.core.findings import Severity
from tunegate.dataqa.benchmark import Benchmarks, Held, common
from tunegate.dataqa.entry import Entry
from tunegate.dataqa.hit import Hit, known_by
from tunegate.dataqa.leakage import SPLITS
from tunegate.dataqa.row import Split
from tunegate.dataqa.rule import rule
from tunegate.dataqa.rules_duplicates import hit_with
from tunegate.dataqa.survey import survey_of
from tunegate.dataqa.wording import counted, quoted

Found = Iterator[tuple[Entry, Hit]]


def _row(user: str) -> str:
    return f'{{"messages": [{{"role": "user", "content": "{user}"}}, {{"role": "assistant", "content": "Yes."}}]}}'


def _of_group(user: str, group: str) -> str:
    return f'{{"conversation_id": "{group}", {_row(user)[1:]}'


_LONG = "Hello, I ordered two weeks ago and have not heard from you since, so can you tell me where my parcel"
_SPLITS: tuple[Split, ...] = ("train", "test")


@rule(
    "LEAK001",
    Severity.ERROR,
    scope="set",
    bad=[_row("Where is my parcel?"), _row("where is my parcel")],
    good=[_row("Where is my parcel?"), _row("May I have the bill?")],
    example_splits=_SPLITS,
    says="the same prompt as line 1 of the test rows: `tunegate prepare` takes it out of the train rows",
)
def same_prompt(entries: Sequence[Entry], data: Any) -> Found:
    """A prompt stands in training and in held-out rows.

    Compared after normalisation: case, white space and punctuation make no difference. A held-out row that was
    trained on measures memory, and the result looks better than it is. The held-out row stays, the other one goes.
    """
    yield from _leaks(entries, data, "LEAK001")


@rule(
    "LEAK002",
    Severity.ERROR,
    scope="set",
    bad=[_row(f"{_LONG} is?"), _row(f"{_LONG} went?")],
    good=[_row(f"{_LONG} is?"), _row("Where has my parcel been all these weeks?")],
    example_splits=_SPLITS,
    says="nearly the same as line 1 of the test rows (similarity 0.89): `tunegate prepare` takes it out of the "
    "train rows",
)
def near_prompt(entries: Sequence[Entry], data: Any) -> Found:
    """A training row is nearly the same as a held-out row.

    Similarity as for near duplicates, verified exactly; answers and numbers make no difference here.
    """
    yield from _leaks(entries, data, "LEAK002")


def _leaks(entries: Sequence[Entry], data: Any, rule_id: str) -> Found:
    survey = survey_of(entries, data)
    for leak in survey.leaks:
        if leak.rule == rule_id:
            entry, partner = survey.entries[leak.row], survey.entries[leak.partner]
            where = f"line {partner.line} of the {partner.split} rows"
            same = f"the same prompt as {where}"
            near = f"nearly the same as {where} (similarity {leak.similarity:.2f})"
            said = same if rule_id == "LEAK001" else near
            message = f"{said}: `tunegate prepare` takes it out of the {entry.split} rows"
            yield entry, hit_with(message, partner, leak.similarity)


_ITEM = "Return the sum of all the even numbers of a list, and none where the list has no even number in it."


@rule(
    "LEAK003",
    Severity.ERROR,
    scope="set",
    bad=[_row(f"Please do this. {_ITEM}")],
    good=[_row("Please return the sum of all the odd numbers of a list, and none where the list is empty.")],
    example_benchmark=(f'{{"id": 7, "prompt": "{_ITEM}"}}',),
    says="the prompt holds 100% of an item of benchmark.jsonl (line 1, prompt), such as "
    "'return the sum of al...t and none': take the row out, or measure with another set",
)
def benchmark_item(entries: Sequence[Entry], data: Any) -> Found:
    """A row holds an item of an evaluation set.

    The evaluation sets are the files that `benchmarks` names under `[data]`; without any nothing is compared. A
    text holds an item when they share two or more different runs of 13 words, or runs that cover half of it.
    Prompts and answers are looked at apart: a leaked answer teaches the result itself. Text that many items or
    rows share is not counted.
    """
    if not data.benchmarks:
        return
    known = Benchmarks(data.benchmarks)
    found = [(known.shared(entry.prompt), known.shared(entry.answer)) for entry in entries]
    often = common((runs for pair in found for runs in pair), len(entries))
    for entry, pair in zip(entries, found, strict=True):
        for part, runs in zip(("prompt", "answer"), pair, strict=True):
            held = known.held(runs - often) if runs else None
            if held is not None:
                yield entry, Hit(_holds(part, held))


def _holds(part: str, held: Held) -> str:
    item = held.item
    where = ", ".join(filter(None, [f"line {item.line}", item.field]))
    name = PurePath(item.path).name
    return (
        f"the {part} holds {held.covered:.0%} of an item of {name} ({where}), such as {quoted(held.evidence)}: "
        "take the row out, or measure with another set"
    )


@rule(
    "LEAK004",
    Severity.ERROR,
    scope="set",
    bad=[_of_group("Where is my parcel?", "conv_17"), _of_group("May I have the bill?", "conv_17")],
    good=[_of_group("Where is my parcel?", "conv_17"), _of_group("May I have the bill?", "conv_18")],
    example_splits=_SPLITS,
    says="the group 'conv_17' (conversation_id) stands in the train rows and in the test rows (line 1): "
    "keep it in one",
)
def group_in_two(entries: Sequence[Entry], data: Any) -> Found:
    """Rows of one group stand in two splits.

    A group is what `split.group` under `[data]` names: a conversation, a customer, a source document. Its rows
    know of each other, and a held-out row whose group was trained on is no test. `tunegate prepare` keeps groups
    together where it splits itself.
    """
    groups: dict[str, dict[str, list[Entry]]] = {}
    for entry in entries:
        if entry.group is not None:
            groups.setdefault(entry.group, {}).setdefault(entry.split, []).append(entry)
    for name, by_split in groups.items():
        present = [split for split in SPLITS if split in by_split]
        for lower, upper in combinations(present, 2):
            first, partner = by_split[lower][0], by_split[upper][0]
            more = len(by_split[lower]) - 1
            rows = f"the {lower} rows" + (f" (and {counted(more, 'more row')})" if more else "")
            message = (
                f"the group {quoted(name)} ({data.split.group}) stands in {rows} and in the {upper} rows "
                f"(line {partner.line}): keep it in one"
            )
            yield first, hit_with(message, partner, 1.0, known=known_by(name, upper))


RULES = (same_prompt, near_prompt, benchmark_item, group_in_two)
