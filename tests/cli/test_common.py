"""Files, folders, globs and runs, named alike for every command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tunegate.cli.common import data_files, find_run
from tunegate.cli.main import main
from tunegate.core.configuration import Configuration
from tunegate.core.errors import InputError, UsageError

Captured = pytest.CaptureFixture[str]
TOML = """\
[data]
files = ["sub/deep"]
tokens = { tokenizer = "o200k" }
split = { validation = 0.0, test = 0.0 }
"""
CHAT = '{"messages": [{"role": "user", "content": "Hi %s"}, {"role": "assistant", "content": "Hello"}]}\n'


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with data of all kinds, things that are no data, and a run."""
    monkeypatch.chdir(tmp_path)
    for name in (
        "b.jsonl", "a.jsonl", "sub/deep/c.jsonl", "sub/d.jsonl.gz", "sub/e.jsonl.zst", "f.json", "notes.txt",
        ".hidden/g.jsonl", ".h.jsonl", "runs/one/data/train.jsonl", "safety.jsonl", "ledger.jsonl",
        "made/data/train.jsonl", "made/.stages/prepare.json",
    ):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(CHAT % name)
    (tmp_path / "empty" / "deep").mkdir(parents=True)
    (tmp_path / "tunegate.toml").write_text(TOML)
    return tmp_path


def names(*named: str) -> list[str]:
    return [path.as_posix() for path in data_files([Path(name) for name in named], None)]


def test_a_folder_stands_for_the_chat_files_below_it(here: Path) -> None:
    assert names(".") == ["a.jsonl", "b.jsonl", "sub/d.jsonl.gz", "sub/deep/c.jsonl", "sub/e.jsonl.zst"]
    assert names("sub", "sub/deep/c.jsonl", "a.jsonl") == [
        "sub/d.jsonl.gz", "sub/deep/c.jsonl", "sub/e.jsonl.zst", "a.jsonl",
    ]  # fmt: skip
    assert names(".hidden") == [".hidden/g.jsonl"], "what is named is looked into"
    assert names("runs/one") == ["runs/one/data/train.jsonl"]
    assert names("made") == ["made/data/train.jsonl"], "a run stands for its data, not for its ledger"


def test_globs_give_files_and_no_folders(here: Path) -> None:
    assert names("*.jsonl", "sub/*") == ["a.jsonl", "b.jsonl", "ledger.jsonl", "safety.jsonl", *names("sub/*")]
    assert names("sub/*") == ["sub/d.jsonl.gz", "sub/e.jsonl.zst"]
    assert "sub/deep/c.jsonl" in names("sub/**")


@pytest.mark.parametrize("named", ["empty", "*.parquet", "empty/*"])
def test_what_holds_no_file_is_missing_input(here: Path, named: str) -> None:
    with pytest.raises(InputError, match=r"no .*file"):
        data_files([Path(named)], None)


def test_nothing_named_is_a_wrong_call() -> None:
    with pytest.raises(UsageError):
        data_files([], None)


@pytest.mark.parametrize("command", ["check", "prepare", "screen"])
@pytest.mark.parametrize("named", ["empty", "*.parquet", "missing.jsonl"])
def test_every_command_ends_with_4_where_there_is_no_input(
    here: Path, capsys: Captured, command: str, named: str
) -> None:
    assert main([command, named]) == 4
    assert named in capsys.readouterr().err


def test_every_command_takes_a_folder(here: Path, capsys: Captured) -> None:
    assert main(["check", "sub/deep", "--select", "FILE", "--ignore", "FILE012", "--format", "json"]) == 0
    assert [file["path"] for file in json.loads(capsys.readouterr().out)["files"]] == ["sub/deep/c.jsonl"]
    assert main(["screen", "sub/deep"]) == 0
    assert json.loads((here / "safety.jsonl").read_bytes())["path"] == "sub/deep/c.jsonl"
    assert main(["prepare", "--out", "prepared"]) == 0
    assert main(["prepare", "sub/deep", "--out", "prepared"]) == 0
    assert (here / "prepared/data/train.jsonl").read_text() == CHAT % "sub/deep/c.jsonl"
    assert main(["screen", "prepared"]) == 0, "a run folder is screened as a run"
    assert (here / "prepared/safety.jsonl").exists()


@pytest.mark.parametrize("option", ["--validation", "--test"])
def test_a_folder_in_the_place_of_one_file_is_missing_input(here: Path, capsys: Captured, option: str) -> None:
    assert main(["prepare", "a.jsonl", option, "sub"]) == 4
    assert "it is a folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["gate"], ["report"], ["train"], ["evaluate"], ["explain"], ["gate", "made", "--baseline"]]
)
def test_a_run_folder_that_is_missing_is_missing_input(here: Path, capsys: Captured, arguments: list[str]) -> None:
    row = ["a.jsonl:1"] if arguments == ["explain"] else []
    assert main([*arguments, "runs/gone", *row]) == 4
    assert "there is no run folder runs/gone" in capsys.readouterr().err


def test_the_newest_run_has_done_something(here: Path) -> None:
    configuration = Configuration()
    (here / "runs/one/.stages").mkdir()
    (here / "runs/one/.stages/lock").touch()
    with pytest.raises(InputError, match="there is no run in"):
        find_run(None, configuration)
    (here / "runs/one/.stages/prepare.json").write_text("{}")
    assert find_run(None, configuration).folder.name == "one"
