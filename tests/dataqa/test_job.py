"""Tokens times epochs of a job: counted only where the size of a file allows so many."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tunegate.dataqa import job
from tunegate.dataqa.check import CheckSettings, DataFile, check
from tunegate.dataqa.row import Split
from tunegate.dataqa.targets import TARGETS
from tunegate.dataqa.tokens import Estimate


def chat(number: int) -> dict[str, Any]:
    answer = f"Parcel {number} is on its way. " * (1 + number % 7)
    return {"messages": [{"role": "user", "content": "Where is it?"}, {"role": "assistant", "content": answer}]}


def pair(number: int) -> dict[str, Any]:
    user, answer = chat(number)["messages"]
    other = {"role": "assistant", "content": "No."}
    return {"input": {"messages": [user]}, "preferred_output": [answer], "non_preferred_output": [other]}


CHATS = [chat(number) for number in range(400)]
TOKENS = sum(count or 0 for count in Estimate().rows(CHATS))


def write(path: Path, rows: list[Any]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def said(path: Path, epochs: int | None = None, target: str = "openai", split: Split = "train") -> list[str]:
    settings = CheckSettings(target, select=("FILE018",), epochs=epochs)
    return [found.message for found in check([DataFile(path, split)], settings).findings]


@pytest.fixture
def limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a job of openai train three times the tokens of the chats."""
    monkeypatch.setitem(TARGETS, "openai", replace(TARGETS["openai"], job_tokens=3 * TOKENS + 1000))


@pytest.mark.usefixtures("limited")
def test_epochs_make_a_file_too_much(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write(path, CHATS)

    assert said(path) == said(path, epochs=3) == []
    (message,) = said(path, epochs=4)
    assert message == (
        "the file has about 0.00 billion tokens, which is 0.00 billion in 4 epochs, and openai trains "
        "0.00 billion in a job: train fewer epochs, or take rows out"
    )
    assert said(path, epochs=4, target="together") == []
    assert said(path, epochs=4, split="validation") == [], "nothing of it is trained"


@pytest.mark.usefixtures("limited")
def test_a_sample_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.jsonl"
    write(path, CHATS)
    monkeypatch.setattr(job, "SAMPLE_ROWS", 40)
    facts: list[Any] = []

    def noted(*given: Any) -> Any:
        facts.append(job.with_tokens(*given))
        return facts[-1]

    monkeypatch.setattr("tunegate.dataqa.check.with_tokens", noted)

    said(path, epochs=9)

    assert facts[0].tokens == pytest.approx(TOKENS, rel=0.05)
    assert facts[0].epochs == 9


@pytest.mark.usefixtures("limited")
def test_pairs_are_counted_and_broken_rows_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write(path, [*map(pair, range(400)), *[{"messages": ["x"]}, [], {"a": 1}] * 100])
    assert len(said(path, epochs=9)) == 1
    write(path, [{"messages": [1]}] * 5000)
    assert said(path, epochs=99) == []


def test_small_files_are_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.jsonl"
    write(path, CHATS)
    monkeypatch.setattr(job, "begin", lambda *_: pytest.fail("it was read again"))
    assert said(path, epochs=1000) == []
