"""The prepare command: its words, its files, its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tunegate.cli.main import main
from tunegate.core.errors import ExitCode

TOML = '[data]\nfiles = ["chats.jsonl"]\ntokens = { tokenizer = "o200k", max = 60 }\n[train]\nname = "desk"\n'


def chat(user: str, assistant: str) -> str:
    messages = [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]
    return json.dumps({"messages": messages}) + "\n"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with chats and a configuration, and the current one."""
    words = [
        "parcel",
        "refund",
        "login",
        "courier",
        "bank",
        "reset",
        "code",
        "mail",
        "money",
        "order",
        "track",
        "return",
    ]
    rows = [
        chat(f"{one} and then {other} for me", "a" if len(one) > 4 else "b") for one in words for other in words
    ]
    (tmp_path / "chats.jsonl").write_text("".join([*rows, rows[0], "{\n"]))
    (tmp_path / "tunegate.toml").write_text(TOML)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_says_what_went_in_and_out(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prepare"]) == ExitCode.OK
    said = capsys.readouterr().out
    assert "rows in       146" in said
    assert "DUP001 1" in said
    assert "estimated with o200k" in said
    run = desk / "runs" / "desk"
    assert {path.name for path in (run / "data").iterdir()} == {"train.jsonl", "validation.jsonl", "test.jsonl"}
    ledger = [json.loads(line) for line in (run / "ledger.jsonl").read_text().splitlines()]
    assert {entry["path"] for entry in ledger} == {"chats.jsonl"}


def test_a_second_time_is_the_same(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prepare"]) == ExitCode.OK
    first = capsys.readouterr().out
    before = (desk / "runs" / "desk" / "data" / "train.jsonl").stat().st_mtime_ns
    assert main(["prepare"]) == ExitCode.OK
    assert capsys.readouterr().out == first
    assert (desk / "runs" / "desk" / "data" / "train.jsonl").stat().st_mtime_ns == before


def test_given_sets_and_another_folder(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (desk / "held.jsonl").write_text(chat("parcel and then refund for me", "a") + chat("What is new?", "b"))
    assert main(["prepare", "chats.jsonl", "--test", "held.jsonl", "--out", "made"]) == ExitCode.OK
    assert (desk / "made" / "data" / "test.jsonl").read_bytes() == (desk / "held.jsonl").read_bytes()
    assert "LEAK001 1" in capsys.readouterr().out


def test_notes_go_to_standard_error(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (desk / "chats.jsonl").open("a") as stream:
        stream.write(chat("Do you sell tents?", "sales"))
    assert main(["prepare"]) == ExitCode.OK
    assert "note: the label 'sales' occurs once" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "code", "says"),
    [
        (["prepare", "missing.jsonl"], ExitCode.INPUT, "check the path"),
        (["prepare", "empty.jsonl"], ExitCode.INPUT, "is empty"),
        (["prepare", "array.jsonl"], ExitCode.INPUT, "one JSON array"),
        (["prepare", "broken.jsonl"], ExitCode.INPUT, "no row of"),
        (["prepare", "long.jsonl"], ExitCode.INPUT, 'tokens.too_long = "drop"'),
        (["prepare", "--config", "missing.toml"], ExitCode.USAGE, "missing.toml"),
    ],
)
def test_wrong_input_writes_no_data(
    desk: Path, capsys: pytest.CaptureFixture[str], argv: list[str], code: ExitCode, says: str
) -> None:
    (desk / "empty.jsonl").write_text("")
    (desk / "array.jsonl").write_text("[" + chat("Hi", "Hello") + "]")
    (desk / "broken.jsonl").write_text('{"messages": []}\n{"messages": []}\n')
    (desk / "long.jsonl").write_text(chat("word " * 100, "Hello") + chat("Hi", "Hello"))
    assert main(argv) == code
    assert says in capsys.readouterr().err
    assert not list((desk / "runs").rglob("*.jsonl"))


def test_a_full_disk_leaves_nothing_half_written(
    desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno
    import os

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert main(["prepare"]) == ExitCode.INPUT
    assert "the disk is full" in capsys.readouterr().err
    assert not list((desk / "runs").rglob("*.jsonl"))
    assert not list((desk / "runs").rglob("*.tmp"))


EMPTY = chat("What about an empty answer?", " \u200b")


def test_empty_answers_leave_the_data_so_that_screening_goes_on(desk: Path) -> None:
    with (desk / "chats.jsonl").open("a") as stream:
        stream.write(EMPTY)
    assert main(["prepare"]) == ExitCode.OK
    ledger = [json.loads(line) for line in (desk / "runs/desk/ledger.jsonl").read_text().splitlines()]
    assert [entry["line"] for entry in ledger if entry["rule"] == "CHAT010"] == [147]
    assert main(["screen", "runs/desk"]) == ExitCode.OK


def test_an_empty_answer_that_was_let_in_stops_screening_with_file_and_line(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (desk / "chats.jsonl").write_text("".join(chat(f"Question {number}?", "a") for number in range(30)) + EMPTY)
    split = "split = { validation = 0.0, test = 0.1 }\n"
    (desk / "tunegate.toml").write_text(TOML.replace("[train]", f'{split}ignore = ["CHAT010"]\n[train]'))
    assert main(["prepare"]) == ExitCode.OK
    assert main(["screen", "runs/desk"]) == ExitCode.PROVIDER
    said = capsys.readouterr().err
    assert "train.jsonl:" in said or "test.jsonl:" in said
    assert "messages[1] is an empty answer: there is no text to judge; mend or take out the row" in said
    assert "\u200b" not in (desk / "runs/desk/data/train.jsonl").read_text()
