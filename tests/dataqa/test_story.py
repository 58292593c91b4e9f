"""The story of a row, by every way of naming it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tunegate.core.configuration import Data, Split
from tunegate.core.errors import InputError, UsageError
from tunegate.core.jsonl import row_id, write_rows
from tunegate.core.ledger import Entry, read_ledger, write_ledger
from tunegate.core.lines import read_lines
from tunegate.core.runs import Run
from tunegate.dataqa.prepare import prepare
from tunegate.dataqa.story import story
from tunegate.dataqa.tokens import Estimate


def chat(user: str, assistant: str) -> bytes:
    messages = [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]
    return json.dumps({"messages": messages}).encode()


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run that was prepared and screened."""
    lines = [
        chat("Plain", "Yes."),
        chat("Mail max.mustermann@firma.de", "No."),
        chat("Plain", "Yes."),
        b"{",
        chat("I will hurt you\x1b[31m", "No!"),
    ]
    source = tmp_path / "data" / "chats.jsonl"
    source.parent.mkdir()
    source.write_bytes(b"\n".join(lines) + b"\n")
    run = Run(tmp_path / "runs" / "first")
    prepared = run.path(".stages", "prepared")
    nothing = Data(split=Split(validation=0.0, test=0.0))
    prepare([source], None, None, nothing, Estimate(), prepared, relative_to=tmp_path)
    shutil.copytree(prepared / "data", run.path("data"))
    path = run.path("data", "train.jsonl")
    kept = list(read_lines(path))
    blocked = row_id(kept[2].raw)
    path.write_bytes(b"".join(line.raw + b"\n" for line in kept[:2]))
    screened = Entry(blocked, "data/train.jsonl", 3, "dropped", "SAFE001", "screening: violence")
    write_ledger(run.path("ledger.jsonl"), [*read_ledger(prepared / "ledger.jsonl"), screened])
    scores = {"violence": {"band": "high"}, "hate": {"band": "none"}}
    row = {"row_id": blocked, "path": "data/train.jsonl", "line": 3, "decision": "block", "categories": scores}
    write_rows(run.path("safety.jsonl"), [row])
    return run


def test_a_row_that_was_left_alone(run: Run) -> None:
    assert story(run, "data/chats.jsonl:1").endswith("It stands in data/train.jsonl:1.")
    assert "dropped" not in story(run, "data/chats.jsonl:1")


def test_an_edited_row_is_the_same_by_all_its_names(run: Run) -> None:
    new = row_id(next(line.raw for line in read_lines(run.path("data", "train.jsonl")) if line.number == 2))
    (old,) = {entry.row_id for entry in read_ledger(run.path("ledger.jsonl")) if entry.rule == "PII001"}
    assert old != new
    for name in ("data/chats.jsonl:2", "chats.jsonl:2", old, new, "data/train.jsonl:2"):
        text = story(run, name)
        assert text.startswith(f"row {name}\n")
        assert "edited by PII001: personal data was masked" in text
        assert "[EMAIL]" in text
        assert "mustermann" not in text
        assert text.endswith("It stands in data/train.jsonl:2.")


def test_a_copy_names_the_row_that_stays(run: Run) -> None:
    text = story(run, "chats.jsonl:3")
    assert "dropped by DUP001" in text
    assert "the other row: data/chats.jsonl:1, similarity 1.00" in text
    assert text.endswith("It was dropped; a row of the same content stands in data/train.jsonl:1.")


def test_a_broken_line(run: Run) -> None:
    text = story(run, "chats.jsonl:4")
    assert "dropped by FILE" in text
    assert text.endswith("It was dropped.")


def test_a_blocked_row_tells_of_the_screening(run: Run) -> None:
    text = story(run, "chats.jsonl:5")
    assert "edited by TXT002" in text
    assert "dropped by SAFE001: screening: violence" in text
    assert "screened as data/train.jsonl:3: block (violence)" in text
    assert "\x1b" not in text
    assert text.endswith("It was dropped.")


@pytest.mark.parametrize(
    "name", ["chats.jsonl:99", "other.jsonl:1", "0123456789abcdef", "nonsense", "data/train.jsonl:9"]
)
def test_an_unknown_row_is_said(run: Run, name: str) -> None:
    with pytest.raises(UsageError, match="knows no row"):
        story(run, name)


def test_a_run_without_a_ledger(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"ledger\.jsonl"):
        story(Run(tmp_path), "chats.jsonl:1")


def test_control_codes_of_a_ledger_are_written_out(run: Run) -> None:
    entries = [replace(entry, reason="\x1b[2J" + entry.reason) for entry in read_ledger(run.path("ledger.jsonl"))]
    write_ledger(run.path("ledger.jsonl"), entries)
    assert "\x1b" not in story(run, "chats.jsonl:4")
