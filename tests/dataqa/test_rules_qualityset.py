"""The QUAL rules about a set, and the rules about openings, groups, sources: found and near misses."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tunegate.dataqa import output_json, output_text
from tunegate.dataqa.catalog import BY_ID
from tunegate.dataqa.check import CheckSettings, DataFile, check
from tunegate.dataqa.corpus import entry_of
from tunegate.dataqa.entry import Entry
from tunegate.dataqa.output import Look
from tunegate.dataqa.row import Row, Split
from tunegate.dataqa.settings import DEFAULTS

LONG = "It stands on the last page of the bill, below the sum of all, in rather small letters."


def entry(user: str, assistant: str, line: int = 1, split: Split = "train", **more: Any) -> Entry:
    messages = [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]
    made = entry_of(
        Row(json.dumps({"messages": messages, **more}).encode(), "a.jsonl", line), split, "conversation_id"
    )
    assert made is not None
    return made


def lines(rule: str, entries: list[Entry], **data: Any) -> list[int]:
    return [found.line for found, _ in BY_ID[rule].check(entries, replace(DEFAULTS, **data))]


def answered(*answers: str) -> list[Entry]:
    whole = [entry(f"What is number {number}?", f"{LONG} {number}.") for number in range(4)]
    return whole + [entry(f"What is {answer}?", answer, line=9) for answer in answers]


@pytest.mark.parametrize("answer", ["ok", "...", "?", "idk", "todo", "Hm.", "in there", "dort drüben"])
def test_an_answer_that_says_nothing_is_short(answer: str) -> None:
    assert lines("QUAL003", answered(answer)) == [9]


@pytest.mark.parametrize(
    "answer",
    ["Yes", "no.", "Ja", "nein", "42", "3.14", "12,50 €", "2024-05-01", "Paris", "Anna Meier", "Bo", "A", "(b)",
     "C)", "USA", "order_status", "de-DE", "`x`", "東京", "да", "thanks", "danke", "14 days", "x = 2"],
)  # fmt: skip
def test_what_says_all_in_a_word_is_not(answer: str) -> None:
    assert lines("QUAL003", answered(answer)) == []


def test_short_answers_are_no_fault_where_all_are_short_or_labels() -> None:
    assert lines("QUAL003", [entry(f"Word {number}?", f"word {number}") for number in range(9)]) == []
    assert (
        lines("QUAL003", [entry(f"Is it {number}?", "ok" if number % 2 else "bad") for number in range(20)]) == []
    )


GERMAN = "Die Bestellung ist noch nicht verschickt, und wir können sie bis morgen ändern."
ENGLISH = "Your order has not been sent, and you can change it until the end of the day with your account."
FINNISH = "Tilausta ei ole vielä lähetetty, joten voimme muuttaa sitä huomiseen asti."


def test_languages_are_asked_about_only_where_they_are_named() -> None:
    rows = [entry(text, text, line) for line, text in enumerate([GERMAN, ENGLISH, FINNISH, "ok"], start=1)]
    assert lines("QUAL007", rows) == []
    assert lines("QUAL007", rows, languages=("de", "en")) == [3]
    assert lines("QUAL007", rows, languages=("de",)) == [2, 3]


def test_openings_that_many_answers_share() -> None:
    same = [entry(f"What is {n}?", f"Sure! Here is the answer to {n}: it is a number.", n + 1) for n in range(10)]
    other = [
        entry(f"What is {n}?", f"The number {n} comes after {n - 1} and before {n + 1}.", n) for n in range(20, 40)
    ]
    assert lines("DUP007", same + other) == [1]
    assert lines("DUP007", same[:4] + other) == []  # 4 of 24
    assert lines("DUP007", same[:9]) == []  # too few answers to show a habit
    assert (
        lines("DUP007", [entry("What is it?", "Sure! Here is the answer to it: a number.", n) for n in range(20)])
        == []
    )


def test_forms_and_labels_open_alike_by_design() -> None:
    as_json = [entry(f"What is {n}?", f'{{"intent": "other", "number": {n}, "is sure": true}}') for n in range(20)]
    code = [entry(f"What is {n}?", f"```python\nthis is the same {n}\n```") for n in range(20)]
    assert lines("DUP007", as_json) == lines("DUP007", code) == []
    labels = [entry(f"What is {n}?", f"this label has many words {n % 2}") for n in range(20)]
    assert lines("DUP007", labels) == []


def test_groups_in_two_splits() -> None:
    rows = [
        entry("a", "b", 1, "train", conversation_id="x"),
        entry("c", "d", 2, "train", conversation_id="x"),
        entry("e", "f", 3, "test", conversation_id="x"),
        entry("g", "h", 4, "train", metadata={"conversation_id": 7}),
        entry("i", "j", 5, "test"),
        entry("k", "l", 6, "train"),
    ]
    assert lines("LEAK004", rows) == [1]
    assert lines("LEAK004", rows[:2]) == []
    (message,) = [hit.message for _, hit in BY_ID["LEAK004"].check(rows, DEFAULTS)]
    assert "and 1 more row" in message


def test_a_source_that_outweighs_the_others() -> None:
    def rows(counts: dict[str, int], **more: Any) -> list[Entry]:
        names = [name for name, count in counts.items() for _ in range(count)]
        return [entry(f"What is {place}?", LONG, place + 1, source=name) for place, name in enumerate(names)]

    assert lines("BAL004", rows({"a": 2, "b": 10, "c": 2})) == [3]
    assert lines("BAL004", rows({"a": 5, "b": 5, "c": 5})) == []
    assert lines("BAL004", rows({"a": 2, "b": 18})) == []  # one of two always has half or more
    assert lines("BAL004", rows({"a": 20})) == []
    assert lines("BAL004", [entry(f"What is {place}?", LONG) for place in range(20)]) == []
    of_metadata = [entry(f"What is {n}?", LONG, n, metadata={"source": "abc"[min(n, 2)]}) for n in range(1, 15)]
    assert lines("BAL004", [*of_metadata, entry("Why?", "No.", 99, source="a")]) == [2]


def test_a_shared_system_message_or_question_is_no_source() -> None:
    made = [
        {"messages": [
            {"role": "system", "content": "You are the help of a shop. " * 20},
            {"role": "user", "content": "Write a poem."},
            {"role": "assistant", "content": f"{LONG} {number}"},
        ]}
        for number in range(20)
    ]  # fmt: skip
    entries = [entry_of(Row(json.dumps(row).encode()), "train") for row in made]
    assert lines("BAL004", [each for each in entries if each is not None]) == []


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    path = tmp_path / "labels.jsonl"
    path.write_bytes(b"\n".join(BY_ID["QUAL010"].bad) + b"\n")
    return path


def test_slow_rules_are_asked_only_where_selected(labelled: Path) -> None:
    assert "QUAL010" not in {finding.rule for finding in check([DataFile(labelled)]).findings}
    for select in (("QUAL010",), ("QUAL",), ("QUAL01",)):
        found = check([DataFile(labelled)], CheckSettings(select=select)).findings
        assert [finding.line for finding in found if finding.rule == "QUAL010"] == [len(BY_ID["QUAL010"].bad)]


def test_a_rule_whose_package_is_missing_was_not_run(labelled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.model_selection", None)
    result = check([DataFile(labelled)], CheckSettings(select=("QUAL010", "FILE006")))
    assert [missing.rule for missing in result.not_run] == ["QUAL010"]
    assert "pip install 'tunegate[data]'" in result.not_run[0].reason
    assert result.findings == ()
    printed = json.loads("".join(output_json.lines(result, Look())))
    assert printed["not_run"] == [{"rule": "QUAL010", "reason": result.not_run[0].reason}]
    assert next(output_text.lines(result, Look())).startswith("QUAL010 was not run: ")


def test_nothing_missing_is_said_as_nothing(labelled: Path) -> None:
    result = check([DataFile(labelled)], CheckSettings(select=("FILE006",)))
    assert json.loads("".join(output_json.lines(result, Look())))["not_run"] == []
