"""What a rule finds in its own bad and good example: for tests of rules, ours and others'."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

from tunegate.core.jsonl import decode
from tunegate.dataqa.corpus import entry_of
from tunegate.dataqa.hit import Hit
from tunegate.dataqa.reading import begin
from tunegate.dataqa.row import Row
from tunegate.dataqa.rule import Rule
from tunegate.dataqa.settings import DEFAULTS, Data
from tunegate.dataqa.survey import Corpus
from tunegate.dataqa.tally import Tally
from tunegate.dataqa.tokens import Lengths, with_lengths

Which = Literal["bad", "good"]


def hits_of(rule: Rule, which: Which) -> list[Hit]:
    """Return what a rule finds in its bad or good example.

    The lines of a row rule's example are rows; those of a rule about the set are rows of the splits that
    `example_splits` names, in files called `example-train.jsonl` and so on; those of a rule about a file are the
    file, line ends included.
    """
    scopes = {"row": _hits_of_rows, "file": _hits_of_file, "set": _hits_of_set}
    return list(scopes[rule.scope](rule, which))


def _lines(rule: Rule, which: Which) -> tuple[bytes, ...]:
    return rule.bad if which == "bad" else rule.good


def _row(rule: Rule, line: bytes, path: str, number: int) -> Row:
    raw = line.removesuffix(b"\n")
    return Row(raw, path, number, target=rule.example_target, kind=rule.example_kind, ended=line.endswith(b"\n"))


def _hits_of_rows(rule: Rule, which: Which) -> Iterator[Hit]:
    for number, line in enumerate(_lines(rule, which), start=1):
        if rule.look is None or rule.look(line):
            yield from rule.check(_row(rule, line, "example.jsonl", number))


def _hits_of_set(rule: Rule, which: Which) -> Iterator[Hit]:
    numbers: Counter[str] = Counter()
    kept = []
    for place, line in enumerate(_lines(rule, which)):
        split = rule.example_splits[place] if rule.example_splits else "train"
        numbers[split] += 1
        row = _row(rule, line, f"example-{split}.jsonl", numbers[split])
        entry = entry_of(row, split, DEFAULTS.split.group)
        if entry is not None:
            kept.append((entry, row))
    lengths = Lengths(DEFAULTS.tokens.max)
    entries = Corpus(with_lengths(kept, lengths), lengths)
    with tempfile.TemporaryDirectory() as folder:
        for _, hit in rule.check(entries, data_of(rule, Path(folder))):
            yield hit


def data_of(rule: Rule, folder: Path) -> Data:
    """Return the `[data]` table of a rule's examples; a benchmark is written into the folder."""
    data = replace(DEFAULTS, **rule.example_data)
    if not rule.example_benchmark:
        return data
    path = folder / "benchmark.jsonl"
    path.write_text("\n".join(rule.example_benchmark), encoding="utf-8")
    return replace(data, benchmarks=(str(path),))


def _hits_of_file(rule: Rule, which: Which) -> Iterator[Hit]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "example.jsonl"
        path.write_bytes(b"".join(_lines(rule, which)))
        opened = begin(path)
        tally = Tally()
        for block in opened.blocks:
            tally.signs_of(block)
            for line in block.lines():
                tally.row(line.number, decode(line.raw))
    facts = tally.facts(path.name, "train", opened, rule.example_target)
    yield from rule.check(replace(facts, **rule.example_facts[which == "good"]))
