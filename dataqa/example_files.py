"""Whole files made of a rule's examples: the fault, or what nearly is one, among sound rows of the same schema.

For tests and comparisons of checkers: an example alone is a row, and a file of one row has faults of its own.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from tunegate.core.jsonl import decode, dumps
from tunegate.core.lines import blocks_of
from tunegate.dataqa.check import CheckSettings, DataFile
from tunegate.dataqa.examples import Which, data_of, hits_of
from tunegate.dataqa.row import Split
from tunegate.dataqa.rule import Rule
from tunegate.dataqa.schema import schema_of

# What a file can be given: its name, and whether it is packed. A size of 600 MB is not written out.
_FACTS_OF_A_NAME = frozenset({"path", "compressed"})


class _Talk(NamedTuple):
    """A question, its answer, and the answer to another question."""

    question: str
    answer: str
    other: str


_PAIRS = (
    ("How do I reset my password?", "Open the settings, choose Security, and press Reset. A link comes by mail."),
    ("Wann fährt der letzte Zug nach Kiel?", "Werktags um 23:12 Uhr von Gleis 7, sonntags um 22:40 Uhr."),
    ("What does a comet's tail consist of?", "Of dust and gas that sunlight and solar wind drive off its core."),
    ("Kann ich die Bestellung noch ändern?", "Ja, bis sie versandt ist: unter Konto, Bestellungen, Bearbeiten."),
    ("Suggest a vegetarian dinner for two.", "Fry halloumi with courgettes, and serve it on lemon couscous."),
    ("Erkläre kurz, was eine Primzahl ist.", "Eine Zahl über 1, die nur durch 1 und sich selbst teilbar ist."),
    ("Translate 'good morning' into Italian.", "It is 'buongiorno', which is said until the early afternoon."),
    ("Wie pflege ich einen Olivenbaum?", "Stell ihn hell, gieß ihn mäßig, und räume ihn vor starkem Frost ein."),
    ("Which gear is best for riding uphill?", "A low one: small ring in front, large sprocket behind."),
    ("Warum ist der Himmel am Abend rot?", "Der Weg durch die Luft ist länger, und blaues Licht wird gestreut."),
    ("Is this jacket waterproof?", "It holds off showers; for hours of rain take the model with taped seams."),
    ("Fasse zusammen: Die Sitzung entfiel.", "Das Treffen fand nicht statt."),
)
_TALKS = [_Talk(*pair, other) for pair, (_, other) in zip(_PAIRS, _PAIRS[1:] + _PAIRS[:1], strict=True)]


def can_be_written(rule: Rule) -> bool:
    """Whether files show the rule's examples; not where an example stands for a size that nobody writes."""
    return all(facts.keys() <= _FACTS_OF_A_NAME for facts in rule.example_facts)


def write_files(rule: Rule, which: Which, folder: Path) -> list[DataFile]:
    """Write the bad or good example of a rule as files, one for each split, and return them.

    A row stands in the middle of twelve sound ones. The example of a rule about a file or a set is one already: it
    is followed by the sound rows where that leaves the fault what it is, and else written alone.
    """
    facts = rule.example_facts[which == "good"]
    padded = _around_row(rule) if rule.scope == "row" else _after(rule)
    parts: dict[Split, list[bytes]] = {}
    for place, line in enumerate(padded.bad if which == "bad" else padded.good):
        split: Split = padded.example_splits[place] if padded.example_splits else "train"
        parts.setdefault(split, []).append(line)
    files = []
    for split, lines in parts.items():
        path = folder / str(facts.get("path", f"{split}.jsonl"))
        content = b"".join(lines)
        path.write_bytes(gzip.compress(content, mtime=0) if facts.get("compressed") else content)
        files.append(DataFile(path, split))
    return files


def settings_for(rule: Rule, folder: Path) -> CheckSettings:
    """Return the settings under which a rule's files show the fault; a benchmark is written into the folder."""
    select = () if rule.default else (rule.id,)
    kind = "auto" if rule.scope == "file" else rule.example_kind
    return CheckSettings(rule.example_target, select, data=data_of(rule, folder), kind=kind)


def sound_rows(schema: str | None, kind: str) -> list[bytes]:
    """Return twelve sound lines of a row schema and task kind, of which no two are alike."""
    make = _reinforced if kind == "rft" else _MAKERS.get(schema or "chat", _chat)
    return [dumps(make(talk)) + b"\n" for talk in _TALKS]


def _around_row(rule: Rule) -> Rule:
    """Put the example of a rule about rows between sound rows; ends of lines are as it has them."""
    rows = _sound_rows_for(rule)
    half = len(rows) // 2
    as_written = any(line.endswith(b"\n") for line in rule.bad + rule.good)

    def among(lines: Sequence[bytes]) -> tuple[bytes, ...]:
        if as_written:  # the rule is about the end of a line, which the last line alone may lack
            return (*rows, *lines)
        return (*rows[:half], *_ended(lines), *rows[half:])

    return replace(rule, bad_example=among(rule.bad), good_example=among(rule.good))


def _after(rule: Rule) -> Rule:
    """Put sound rows after the example of a rule about a file or a set, where the rule says the same of that."""
    rows = tuple(_sound_rows_for(rule))
    others = tuple(_sound_rows_for(rule, rule.bad)) if rule.scope == "file" else rows
    bad, good = (lines if rule.scope == "file" else _ended(lines) for lines in (rule.bad, rule.good))
    alone = replace(rule, bad_example=bad, good_example=good)
    if not _are_rows(bad) or not _are_rows(good):
        return alone
    after: list[Split] = ["train"] * len(rows)
    splits = rule.example_splits and (*rule.example_splits, *after)
    padded = replace(rule, bad_example=bad + others, good_example=good + rows, example_splits=splits)
    says_the_same = [hit.message for hit in hits_of(padded, "bad")] == [rule.says] and not hits_of(padded, "good")
    return padded if says_the_same else alone


def _are_rows(lines: Sequence[bytes]) -> bool:
    """Whether more rows can follow: not after an array, a value over several lines, or another encoding."""
    content = (line for block in blocks_of([b"".join(lines)]) for line in block.lines())
    return all(line.ended and isinstance(decode(line.raw).value, dict) for line in content)


def _sound_rows_for(rule: Rule, lines: Sequence[bytes] = ()) -> list[bytes]:
    """Return sound rows such as those of the given lines, or of the good example."""
    values = [decode(line.removesuffix(b"\n")).value for line in lines or rule.good]
    schemas = [schema_of(value) for value in values if isinstance(value, dict)]
    return sound_rows(schemas[0] if schemas else None, rule.example_kind)


def _ended(lines: Sequence[bytes]) -> tuple[bytes, ...]:
    return tuple(line if line.endswith(b"\n") else line + b"\n" for line in lines)


def _message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def _chat(talk: _Talk) -> dict[str, Any]:
    return {"messages": [_message("user", talk.question), _message("assistant", talk.answer)]}


def _reinforced(talk: _Talk) -> dict[str, Any]:
    return {"messages": [_message("user", talk.question)], "reference_answer": talk.answer}


def _preference(talk: _Talk) -> dict[str, Any]:
    return {
        "input": {"messages": [_message("user", talk.question)]},
        "preferred_output": [_message("assistant", talk.answer)],
        "non_preferred_output": [_message("assistant", talk.other)],
    }


def _sharegpt(talk: _Talk) -> dict[str, Any]:
    return {"conversations": [{"from": "human", "value": talk.question}, {"from": "gpt", "value": talk.answer}]}


_MAKERS: Mapping[str, Callable[[_Talk], dict[str, Any]]] = {
    "chat": _chat,
    "preference": _preference,
    "prompt-completion": lambda talk: {"prompt": talk.question, "completion": talk.answer},
    "sharegpt": _sharegpt,
    "alpaca": lambda talk: {"instruction": talk.question, "output": talk.answer},
}
