"""The summary: short enough for where it goes, and nothing in it acts."""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any

import pytest

from tunegate.core.markdown import MOST_BYTES
from tunegate.reports.markdown import NEWLY_FAILING, render

Rows = list[dict[str, Any]]


def test_verdict_and_rules(sample: ModuleType, rows: Rows) -> None:
    text = render(sample.failing(), rows, [], None)
    assert text.startswith("## ❌ Fail: support-intents\n")
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert "| Accuracy | at least 97\u00a0% | ❌ Fail |" in table[2]
    assert sum("Inconclusive" in line for line in table) == 1
    assert all(line.count(" | ") == table[0].count(" | ") for line in table[2:6])
    assert "the tokenizer changed" in text


def test_it_is_cut_at_a_line_and_says_so(sample: ModuleType, rows: Rows) -> None:
    result = sample.result(rows)
    result["checks"] = [result["checks"][0]] * 2_000
    text = render(result, rows, [], None)
    assert MOST_BYTES * 0.95 < len(text.encode()) <= MOST_BYTES
    assert text.endswith("\n\nCut here: report.html has the rest.\n")
    assert text.splitlines()[-3].endswith(" |")


def test_many_broken_rows_are_counted(sample: ModuleType) -> None:
    rows = sample.samples(100)
    for row in rows:
        row["base"]["correct"], row["cand"]["correct"] = True, False
    text = render(sample.result(rows), rows, [], None)
    assert text.count("| line ") == NEWLY_FAILING
    assert f"and {100 - NEWLY_FAILING} more" in text


def test_harmful_answers_are_not_repeated(sample: ModuleType) -> None:
    rows = sample.samples(10)
    for row in rows:
        row["base"]["correct"], row["cand"]["correct"] = True, False
        row["cand"]["answer"], row["flags"] = "vile words", ["harm:hate"]
    text = render(sample.result(rows), rows, [], None)
    assert "vile words" not in text
    assert text.count("found harmful") == 10


@pytest.mark.parametrize(
    "attack",
    [
        "<img src=x onerror=alert(1)>",
        "a | b | c",
        "`code` ``` fence",
        "[link](https://example.org) ![x](http://e.org)",
        "@everyone #12 www.example.org",
        "line\nbreak\r\n# heading",
        "**bold** _it_ ~~no~~ $x$",
        "\u202e\x1b[31m",
        "</details>",
    ],
)
def test_text_does_nothing(sample: ModuleType, rows: Rows, attack: str) -> None:
    result = sample.result(rows)
    result["verdict"]["reasons"] = [attack]
    result["subject"]["name"] = attack
    text = render(result, rows, [], None)
    assert not re.search(r"^# ", text, re.MULTILINE)


def test_nothing_at_all() -> None:
    assert "Not judged" in render({}, [], [], None)
