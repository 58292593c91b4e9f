"""Items of evaluation sets in rows."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tunegate.core.errors import InputError
from tunegate.dataqa.benchmark import COMMON_ROWS, Benchmarks, Held, common
from tunegate.dataqa.check import CheckSettings, DataFile, check
from tunegate.dataqa.settings import DEFAULTS

ITEM = (
    "Write a function that takes a list of numbers and returns the second largest of them, or nothing where the "
    "list has fewer than two different numbers, without sorting the list and without looking at it twice."
)
GERMAN = """Schreibe eine Funktion, die aus einer Liste von Zahlen die zweitgrößte zurückgibt, oder nichts,
wenn keine da ist."""


def held(path: Path, text: str) -> Held | None:
    known = Benchmarks([str(path)])
    return known.held(known.shared(text))


@pytest.fixture
def benchmark(tmp_path: Path) -> Path:
    path = tmp_path / "set.jsonl"
    rows = [
        {"id": 1, "prompt": ITEM, "answer": "See the second of two variables that are kept."},
        {"prompt": GERMAN},
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [ITEM, ITEM.upper(), f"Please:\n```\n{ITEM}\n```", " ".join(ITEM.split()[:16]), ITEM.replace(" ", "\n  ")],
)
def test_an_item_is_held_whatever_its_case_and_space(benchmark: Path, text: str) -> None:
    found = held(benchmark, text)
    assert found is not None
    assert (found.item.line, found.item.field) == (1, "prompt")


def test_german_items_are_held_too(benchmark: Path) -> None:
    found = held(benchmark, f"Bitte: {GERMAN}")
    assert found is not None
    assert (found.item.line, found.covered) == (2, 1.0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Write a function that takes a list of numbers.",
        " ".join(ITEM.split()[:13]),  # one run is chance, and less than half
        "Write a function that takes a list of words and returns the longest, or nothing where it is empty.",
        "Schreibe eine Funktion, die aus einer Liste von Wörtern das längste zurückgibt.",
    ],
)
def test_what_shares_less_is_not(benchmark: Path, text: str) -> None:
    assert held(benchmark, text) is None


def test_a_short_item_counts_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "set.txt"
    path.write_text("How many legs do nine spiders have together?\n\nWhy?\n", encoding="utf-8")
    assert held(path, "Tell me: how many legs do nine spiders have together?") is not None
    assert held(path, "How many legs do nine cats have together?") is None
    assert [item.line for item in Benchmarks([str(path)]).items] == [1]


def test_text_that_many_items_share_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    rule = (
        "Answer the following question with one of the letters A, B, C or D and say nothing else at all, please."
    )
    path.write_text(
        "\n".join(json.dumps({"q": f"{rule} Number {n} is what?"}) for n in range(20)), encoding="utf-8"
    )
    assert held(path, rule) is None


def test_runs_in_many_rows_are_common() -> None:
    one, other = ("a",) * 13, ("b",) * 13
    rows = [frozenset([one])] * (COMMON_ROWS + 1) + [frozenset([other])] * COMMON_ROWS
    assert common(rows, len(rows)) == {one}
    assert common(rows, 100_000) == set()


def test_a_json_list_and_nested_strings_are_read(tmp_path: Path) -> None:
    path = tmp_path / "set.json"
    path.write_text(json.dumps([{"messages": [{"content": ITEM}]}]), encoding="utf-8")
    (item,) = Benchmarks([str(path)]).items
    assert (item.line, item.field) == (1, "messages[0].content")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xff\xfe", "is no UTF-8"),
        (b"", "has no text of 8 words"),
        (b'{"a": 1}\n{"a": ', "line 2 of a file under"),
        (None, "cannot read"),
    ],
)
def test_a_file_that_cannot_be_used_is_said_and_never_a_pass(
    tmp_path: Path, content: bytes | None, says: str
) -> None:
    path = tmp_path / "set.jsonl"
    if content is not None:
        path.write_bytes(content)
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n')
    settings = CheckSettings(select=("LEAK003",), data=replace(DEFAULTS, benchmarks=(str(path),)))
    with pytest.raises(InputError, match=says):
        check([DataFile(rows)], settings)


@pytest.mark.shared
def test_every_planted_leak_is_found_and_nothing_else(shared: Path) -> None:
    folder = shared / "data" / "decontam"
    data = replace(DEFAULTS, benchmarks=(str(folder / "humaneval_reference.jsonl"),))
    result = check([DataFile(folder / "train.jsonl")], CheckSettings(select=("LEAK003",), data=data))
    expected = map(json.loads, (folder / "train.expected.jsonl").read_text(encoding="utf-8").splitlines())
    assert {finding.line for finding in result.findings} == {row["line"] for row in expected if row["leak"]}
    clean = shared / "data" / "intent" / "banking77.validation.jsonl"
    assert not check([DataFile(clean)], CheckSettings(select=("LEAK003",), data=data)).findings
