from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import threading
from datetime import date
from pathlib import Path

import pytest

from tunegate.cli.main import main

CHAT = '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}'
OTHER = (
    '{"messages": [{"role": "user", "content": "Where is my bill?"}, {"role": "assistant", "content": "There."}]}'
)
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, *lines: str) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def test_text_is_grouped_by_file_and_the_summary_comes_last(here: Path, capsys: Captured) -> None:
    write(here / "a.jsonl", CHAT, "", "x")
    write(here / "b.jsonl", OTHER)

    code = main(["check", "a.jsonl", "b.jsonl", "--select", "FILE", "--ignore", "FILE012"])

    assert code == 1
    assert capsys.readouterr().out.splitlines() == [
        "a.jsonl",
        "         2:1  error    FILE005  the line is blank: take it out [--fix]",
        "         3:1  error    FILE006  the line is no JSON: expecting value",
        "",
        "2 errors, 0 warnings, 0 notes; 1 row failed: 3 rows in 2 files, sft, target hf",
        "1 finding can be mended with --fix",
    ]


def test_a_clean_file_passes(here: Path, capsys: Captured) -> None:
    write(here / "a.jsonl", CHAT)
    assert main(["check", "a.jsonl", "--select", "FILE", "--ignore", "FILE012"]) == 0
    assert capsys.readouterr().out == "no findings: 1 row in 1 file, sft, target hf\n"


def test_json_is_as_documented(here: Path, capsys: Captured) -> None:
    write(here / "a.jsonl", CHAT, "x")

    assert main(["check", "a.jsonl", "--format", "json", "--target", "openai", "--select", "FILE006"]) == 1

    made = json.loads(capsys.readouterr().out)
    assert list(made) == ["schema", "tool", "target", "files", "problems", "findings", "not_run", "summary"]
    assert made["schema"] == "tunegate.check/1"
    assert made["problems"] == []
    assert set(made["tool"]) == {"name", "version"}
    assert made["target"] == "openai"
    (file,) = made["files"]
    assert list(file) == ["path", "sha256", "bytes", "rows", "kind"]
    assert (file["path"], file["bytes"], file["rows"]) == ("a.jsonl", len(CHAT) + 3, 2)
    assert made["findings"] == [
        {
            "rule": "FILE006",
            "severity": "error",
            "path": "a.jsonl",
            "line": 2,
            "column": 1,
            "json_path": "$",
            "message": "the line is no JSON: expecting value",
            "fix": None,
            "partner": None,
            "row_id": "2d711642b726b044",
        }
    ]
    assert made["summary"] == {"errors": 1, "warnings": 0, "infos": 0, "rows": 2, "rows_failed": 1}


@pytest.mark.parametrize(
    ("severity", "fail_at", "code"),
    [
        ("error", "error", 1),
        ("warning", "error", 0),
        ("warning", "warning", 1),
        ("info", "warning", 0),
        ("info", "info", 1),
    ],
)
def test_the_bar(severity: str, fail_at: str, code: int, here: Path) -> None:
    rule = {"error": "FILE006", "warning": "FILE004", "info": "FILE012"}[severity]
    (here / "a.jsonl").write_bytes(CHAT.encode() + b"\r\nx\n")
    assert main(["check", "a.jsonl", "--select", rule, "--fail-at", fail_at]) == code


@pytest.mark.parametrize("name", ["missing.jsonl", "empty.jsonl", "binary.jsonl"])
def test_what_cannot_be_read_ends_with_4_and_the_rest_is_checked(name: str, here: Path, capsys: Captured) -> None:
    (here / "empty.jsonl").touch()
    (here / "binary.jsonl").write_bytes(os.urandom(4000))
    write(here / "a.jsonl", "x")

    assert main(["check", name, "a.jsonl"]) == 4

    captured = capsys.readouterr()
    assert captured.err.startswith("tunegate: ")
    assert name in captured.err
    assert "FILE006" in captured.out
    assert "Traceback" not in captured.err


def test_nothing_readable_is_not_called_free_of_findings(here: Path, capsys: Captured) -> None:
    (here / "empty.jsonl").touch()

    assert main(["check", "missing.jsonl", "empty.jsonl"]) == 4
    assert capsys.readouterr().out.splitlines() == [
        "not read: missing.jsonl",
        "not read: empty.jsonl",
        "nothing was checked: 2 files could not be read, target hf",
    ]


def test_the_summary_names_what_was_not_read(here: Path, capsys: Captured) -> None:
    write(here / "a.jsonl", CHAT)

    assert main(["check", "a.jsonl", "missing.jsonl", "--select", "FILE", "--ignore", "FILE012"]) == 4
    assert capsys.readouterr().out.splitlines() == [
        "not read: missing.jsonl",
        "no findings: 1 row in 1 file, 1 file not read, sft, target hf",
    ]


def test_json_names_what_was_not_read_and_why(here: Path, capsys: Captured) -> None:
    write(here / "a.jsonl", CHAT)

    assert main(["check", "missing.jsonl", "a.jsonl", "--format", "json"]) == 4
    made = json.loads(capsys.readouterr().out)
    assert made["problems"] == [
        {"path": "missing.jsonl", "message": "cannot read missing.jsonl: it does not exist: check the path"}
    ]
    assert [file["path"] for file in made["files"]] == ["a.jsonl"]


def test_an_unreadable_file_ends_with_4(here: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    write(here / "a.jsonl", CHAT)

    def refuse(self: Path, *mode: str) -> None:  # chmod would not stop root
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", refuse)
    assert main(["check", "a.jsonl"]) == 4
    assert "no permission" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["a.jsonl", "--select", "CHAT12"], "no rule 'CHAT12': did you mean 'CHAT012'?"),
        (["a.jsonl", "--ignore", "PII,FLIE"], "no rule 'FLIE': did you mean 'FILE'?"),
        (["a.jsonl", "--target", "azure-openal"], "no target 'azure-openal': did you mean 'azure-openai'?"),
        (["a.jsonl", "--format", "sarf"], "'sarf' is not one of"),
        (["a.jsonl", "--diff", "--format", "json"], "--diff prints a diff and no json"),
        ([], "no file is named: give FILE..."),
        (["a.jsonl", "--config", "none.toml"], "there is no configuration none.toml"),
    ],
)
def test_a_wrong_call_says_what_is_right(arguments: list[str], words: str, here: Path, capsys: Captured) -> None:
    write(here / "a.jsonl", CHAT)
    assert main(["check", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_the_configuration_names_files_target_and_rules(here: Path, capsys: Captured) -> None:
    write(here / "a.jsonl", CHAT, "x", "")
    write(here / "held.jsonl", OTHER)
    (here / "tunegate.toml").write_text(
        '[data]\nfiles = ["*a.jsonl"]\nvalidation = "held.jsonl"\ntarget = "azure-phi"\nselect = ["FILE"]\n'
        'ignore = ["FILE012"]\n'
    )
    (here / "below").mkdir()
    os.chdir(here / "below")

    assert main(["check", "--format", "json"]) == 1

    made = json.loads(capsys.readouterr().out)
    assert made["target"] == "azure-phi"
    assert [Path(file["path"]).name for file in made["files"]] == ["a.jsonl", "held.jsonl"]
    assert {found["rule"] for found in made["findings"]} == {"FILE005", "FILE006"}
    assert main(["check", "--format", "json", "--select", "FILE006", "--target", "hf"]) == 1
    made = json.loads(capsys.readouterr().out)
    assert (made["target"], [found["rule"] for found in made["findings"]]) == ("hf", ["FILE006"])


def test_files_of_a_set_are_checked_against_each_other(here: Path, capsys: Captured) -> None:
    write(here / "train.jsonl", OTHER, CHAT)
    write(here / "test.jsonl", OTHER)
    assert (
        main(["check", "--train", "train.jsonl", "--test", "test.jsonl", "--select", "LEAK", "--format", "json"])
        == 1
    )
    (found,) = json.loads(capsys.readouterr().out)["findings"]
    assert (found["rule"], found["path"], found["line"]) == ("LEAK001", "train.jsonl", 1)
    assert found["partner"] == {"path": "test.jsonl", "line": 1, "similarity": 1.0}


def test_fix_mends_in_place_and_says_what_is_left(here: Path, capsys: Captured) -> None:
    (here / "a.jsonl").write_bytes(f"{CHAT}\r\n\nx\n{OTHER}".encode())

    assert main(["check", "a.jsonl", "--fix", "--select", "FILE", "--ignore", "FILE012"]) == 1

    captured = capsys.readouterr()
    assert captured.err == "mended a.jsonl: FILE004 1, FILE005 1, FILE009 1\n"
    assert "FILE005" not in captured.out
    assert (here / "a.jsonl").read_text() == f"{CHAT}\nx\n{OTHER}\n"
    assert main(["check", "a.jsonl", "--fix", "--select", "FILE", "--ignore", "FILE012"]) == 1
    assert capsys.readouterr().err == ""


def test_unsafe_fixes_mask_personal_data(here: Path, capsys: Captured) -> None:
    write(here / "a.jsonl", CHAT.replace("Hi", "I am erika@firma.de"))
    assert main(["check", "a.jsonl", "--fix", "--select", "PII"]) == 0
    assert "erika@firma.de" in (here / "a.jsonl").read_text()
    assert main(["check", "a.jsonl", "--unsafe-fixes", "--select", "PII"]) == 0
    assert "erika@firma.de" not in (here / "a.jsonl").read_text()
    assert "erika" not in capsys.readouterr().out


def test_diff_writes_nothing(here: Path, capsys: Captured) -> None:
    (here / "a.jsonl").write_bytes(f"{CHAT}\n\n".encode())
    assert main(["check", "a.jsonl", "--diff", "--select", "FILE005"]) == 1
    captured = capsys.readouterr()
    assert captured.out.splitlines() == ["--- a/a.jsonl", "+++ b/a.jsonl", "@@ -2 +1,0 @@", "-"]
    assert "1 error" in captured.err
    assert (here / "a.jsonl").read_bytes() == f"{CHAT}\n\n".encode()


def test_a_read_only_folder_leaves_the_file_and_ends_with_4(
    here: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "a.jsonl").write_bytes(CHAT.encode())

    def refuse(self: Path, mode: str = "r", *rest: object) -> io.BytesIO:
        if "w" in mode:
            raise OSError(30, "Read-only file system", str(self))
        return original(self, mode, *rest)

    original = Path.open
    monkeypatch.setattr(Path, "open", refuse)
    assert main(["check", "a.jsonl", "--fix"]) == 4
    assert "the file system is read-only" in capsys.readouterr().err
    monkeypatch.undo()
    assert (here / "a.jsonl").read_bytes() == CHAT.encode()


def test_a_baseline_hides_what_is_known_and_nothing_else(here: Path, capsys: Captured) -> None:
    write(here / "a.jsonl", CHAT, "x", "[1]", "[1]")
    select = ["--select", "FILE006,FILE007"]

    assert main(["check", "a.jsonl", *select, "--write-baseline", "known.json"]) == 0
    assert "wrote 3 findings as known to known.json" in capsys.readouterr().err
    assert main(["check", "a.jsonl", *select, "--baseline", "known.json"]) == 0
    assert "left out 3 findings" in capsys.readouterr().err

    write(here / "a.jsonl", OTHER, "[1]", CHAT, "x", "[1]", "[1]", "[2]")
    assert main(["check", "a.jsonl", *select, "--baseline", "known.json", "--format", "json"]) == 1
    made = json.loads(capsys.readouterr().out)
    assert [found["line"] for found in made["findings"]] == [6, 7], "one [1] more than is known, and a new row"
    assert made["summary"]["errors"] == 2
    os.chdir("/")
    assert main(["check", str(here / "a.jsonl"), *select, "--baseline", str(here / "known.json")]) == 1
    assert "left out 3 findings" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", "{}", '{"schema": "tunegate.baseline/1", "findings": [{}]}'])
def test_a_damaged_baseline_is_no_pass(content: str, here: Path, capsys: Captured) -> None:
    write(here / "a.jsonl", CHAT)
    (here / "known.json").write_text(content)
    assert main(["check", "a.jsonl", "--baseline", "known.json"]) == 4
    assert "known.json" in capsys.readouterr().err
    assert main(["check", "a.jsonl", "--baseline", "none.json"]) == 4


def test_standard_input(here: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"{CHAT}\nx\n".encode())))
    assert main(["check", "-", "--select", "FILE006"]) == 1
    assert capsys.readouterr().out.splitlines()[:2] == [
        "-",
        "         2:1  error    FILE006  the line is no JSON: expecting value",
    ]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\n" + CHAT.encode())))
    assert main(["check", "-", "--fix"]) == 2
    assert "cannot be mended in its place" in capsys.readouterr().err


def test_a_pipe_is_read_to_its_end(here: Path, capsys: Captured) -> None:
    os.mkfifo("pipe")
    writer = threading.Thread(target=lambda: (here / "pipe").write_text(f"{CHAT}\nx\n"))
    writer.start()
    assert main(["check", "pipe", "--select", "FILE006"]) == 1
    writer.join()
    assert "2:1  error    FILE006" in capsys.readouterr().out


def test_no_control_character_of_the_data_reaches_the_terminal(here: Path, capsys: Captured) -> None:
    row = {"messages": [{"role": "\x1b[31mred\u202e", "content": "Hi", "\x9b2J": 1}], "\x07": 1}
    write(here / "a\x1b[1m.jsonl", json.dumps(row, ensure_ascii=False), json.dumps(row)[:-1] + ', "\x07": 2}')
    main(["check", "a\x1b[1m.jsonl"])
    main(["check", "a\x1b[1m.jsonl", "--format", "json"])
    main(["check", "a\x1b[1m.jsonl", "--diff", "--unsafe-fixes"])
    captured = capsys.readouterr()
    assert re.findall(r"[^\n\x20-\x7e]", captured.out) == []


def test_colour_only_on_a_terminal(here: Path) -> None:
    import pty

    write(here / "a.jsonl", "x")
    command = [sys.executable, "-m", "tunegate.cli.main", "check", "a.jsonl", "--select", "FILE006"]
    piped = subprocess.run(command, capture_output=True, check=False).stdout
    assert b"\x1b[" not in piped

    for variables, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        control, terminal = pty.openpty()
        subprocess.run(command, stdout=terminal, check=False, env={**os.environ, **variables, "TERM": "xterm"})
        os.close(terminal)
        assert (b"\x1b[31m" in os.read(control, 100_000)) is coloured
        os.close(control)


def test_equal_input_gives_equal_bytes(here: Path) -> None:
    write(here / "a.jsonl", *[CHAT.replace("Hi", f"Hi {number % 7}") for number in range(40)], "x")
    command = [sys.executable, "-m", "tunegate.cli.main", "check", "a.jsonl", "--format", "json"]
    runs = [
        subprocess.run(
            command, capture_output=True, check=False, env={**os.environ, "PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1] != b""


@pytest.mark.parametrize("form", ["json", "sarif", "junit", "github", "gitlab", "markdown"])
def test_standard_output_holds_the_form_and_nothing_else(form: str, here: Path, capsys: Captured) -> None:
    import xml.etree.ElementTree as ET

    def read(text: str) -> None:
        if form == "junit":
            ET.fromstring(text)
        elif form in ("json", "sarif", "gitlab"):
            json.loads(text)
        elif form == "github":
            assert all(line.startswith("::") for line in text.splitlines())
        else:
            assert text.startswith("## ")

    write(here / "a.jsonl", CHAT)
    write(here / "b.jsonl", "x", "")
    for files, code in ((["a.jsonl"], 0), (["b.jsonl"], 1), (["b.jsonl", "none.jsonl"], 4), (["none.jsonl"], 4)):
        assert main(["check", *files, "--format", form, "--select", "FILE006"]) == code
        read(capsys.readouterr().out)


def test_other_forms_are_saved_beside_it(here: Path, capsys: Captured) -> None:
    write(here / "a.jsonl", "x")
    forms = ["--save", "sarif=out/a.sarif", "--save", "markdown=a=1.md"]
    assert main(["check", "a.jsonl", "none.jsonl", *forms, "--select", "FILE006"]) == 4
    assert capsys.readouterr().out.startswith("a.jsonl\n")
    assert json.loads((here / "out/a.sarif").read_text())["version"] == "2.1.0"
    assert (here / "a=1.md").read_text().startswith("## ❌ tunegate check: 1 error")
    (here / "folder").mkdir()
    assert main(["check", "a.jsonl", "--save", "sarif=folder"]) == 4
    capsys.readouterr()
    assert main(["check", "a.jsonl", "--save", "sarif=./a.jsonl"]) == 2
    assert "would write over a.jsonl" in capsys.readouterr().err
    for wrong in ("sarif", "sarf=x", "sarif=", "=x"):
        assert main(["check", "a.jsonl", "--save", wrong]) == 2
        assert "name a form and a file" in capsys.readouterr().err


def test_splits_are_inferred_from_names_and_said(here: Path, capsys: Captured) -> None:
    write(here / "train.jsonl", OTHER, CHAT)
    write(here / "dev.jsonl", OTHER)
    select = ["--select", "LEAK", "--format", "json"]
    for files in (["dev.jsonl", "train.jsonl"], ["*.jsonl"]):
        assert main(["check", *files, *select]) == 1
        captured = capsys.readouterr()
        assert "taken by their names as train: train.jsonl; validation: dev.jsonl" in captured.err
        (found,) = json.loads(captured.out)["findings"]
        assert (found["rule"], found["path"], found["partner"]["path"]) == ("LEAK001", "train.jsonl", "dev.jsonl")
    for files in (
        ["--train", "train.jsonl", "--train", "dev.jsonl"],
        ["dev.jsonl", "--train", "train.jsonl"],
        ["train.jsonl", "dev.jsonl", "--each"],
    ):
        assert main(["check", *files, *select]) == 0
        assert "taken by their names" not in capsys.readouterr().err
    (here / "dev.jsonl").rename(here / "held.jsonl")
    assert main(["check", "train.jsonl", "held.jsonl", *select]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl.zst"])
def test_packed_files_are_read_to_their_end(name: str, here: Path, capsys: Captured) -> None:
    import gzip

    zstandard = pytest.importorskip("zstandard")
    pack = gzip.compress if name.endswith(".gz") else zstandard.ZstdCompressor().compress
    rows = "".join(CHAT.replace("Hi", f"Hi {number}") + "\n" for number in range(5000)).encode()
    second = pack(b"x\n")
    packed = pack(rows) + second  # two frames, as when files are joined
    (here / name).write_bytes(packed)
    assert main(["check", name, "--select", "FILE006", "--format", "json"]) == 1
    made = json.loads(capsys.readouterr().out)
    assert [found["line"] for found in made["findings"]] == [5001]
    assert made["summary"]["rows"] == 5001

    for damaged in (packed[: len(packed) // 2], packed[:-3], packed[: -len(second)] + b"\xff" * 9):
        (here / name).write_bytes(damaged)
        assert main(["check", name]) == 4
        captured = capsys.readouterr()
        assert name in captured.err
        assert "1 file could not be read" in captured.out


def test_levels_of_the_call(here: Path, capsys: Captured) -> None:
    write(here / "a.jsonl", "x", "")
    assert main(["check", "a.jsonl", "--severity", "FILE006=warning,", "--select", "FILE006"]) == 2
    assert "--severity FILE006=warning,: one level an option" in capsys.readouterr().err
    assert main(["check", "a.jsonl", "--severity", "FILE006,FILE005=warning", "--select", "FILE00"]) == 0
    assert main(["check", "a.jsonl", "--severity", "CHAT018=off,TXT=info"]) == 2
    assert "so repeat it: --severity CHAT018=off --severity TXT=info" in capsys.readouterr().err
    assert main(["check", "a.jsonl", "--severity", "FLIE=off"]) == 2
    assert "--severity: no rule 'FLIE': did you mean 'FILE'" in capsys.readouterr().err


def test_a_baseline_tells_what_no_longer_holds(here: Path, capsys: Captured) -> None:
    write(here / "a.jsonl", "x", "[1]")
    select = ["--select", "FILE006,FILE007"]
    assert main(["check", "a.jsonl", *select, "--write-baseline", "known.json", "--expires", "2020-02-30"]) == 2
    assert main(["check", "a.jsonl", *select, "--write-baseline", "known.json", "--expires", "2020-02-28"]) == 2
    assert "--expires 2020-02-28 is over" in capsys.readouterr().err
    today = date.today().isoformat()
    assert main(["check", "a.jsonl", *select, "--write-baseline", "known.json", "--expires", today]) == 0
    known = here / "known.json"
    known.write_text(known.read_text().replace(today, "2020-02-28"))
    capsys.readouterr()
    assert main(["check", "a.jsonl", *select, "--baseline", "known.json"]) == 1
    told = capsys.readouterr().err
    assert "past the date, and shown again: 2 entries (FILE006 in a.jsonl, FILE007 in a.jsonl)" in told
    write(here / "a.jsonl", CHAT)
    assert main(["check", "a.jsonl", *select, "--baseline", "known.json"]) == 0
    told = capsys.readouterr().err
    assert "no longer found: 2 entries (FILE006 in a.jsonl, FILE007 in a.jsonl)" in told
    assert "--write-baseline known.json" in told


def test_a_file_that_is_read_only_is_not_replaced(here: Path, capsys: Captured) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        write(here / name, CHAT, "")
    before = (here / "a.jsonl").read_bytes()
    (here / "a.jsonl").chmod(0o444)
    assert main(["check", "a.jsonl", "b.jsonl", "--select", "FILE005", "--fix"]) == 4
    captured = capsys.readouterr()
    assert "a.jsonl is not mended: it is read-only: make it writable" in captured.err
    assert "mended b.jsonl: FILE005 1" in captured.err
    assert (here / "a.jsonl").read_bytes() == before
    assert main(["check", "a.jsonl", "--select", "FILE006", "--fix"]) == 0


def test_a_baseline_is_not_written_of_half_the_data(here: Path, capsys: Captured) -> None:
    write(here / "a.jsonl", "x")
    (here / "known.json").write_text("before")
    assert main(["check", "a.jsonl", "none.jsonl", "--write-baseline", "known.json"]) == 4
    assert "known.json is not written" in capsys.readouterr().err
    assert (here / "known.json").read_text() == "before"
    assert main(["check", "a.jsonl", "--expires", "2030-01-01"]) == 2


def test_packed_standard_input_is_unpacked_and_an_empty_one_has_its_name(
    here: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    import gzip

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(f"{CHAT}\nx\n".encode()))))
    assert main(["check", "-", "--select", "FILE006", "--format", "sarif"]) == 1
    (found,) = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    assert found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "-"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    assert main(["check", "-"]) == 4
    assert (
        capsys.readouterr().err
        == "tunegate: - is empty: it holds no chat; check the path, or how the file was made\n"
    )


PAIR = (
    '{"input": {"messages": [{"role": "user", "content": "Hi"}]}, '
    '"preferred_output": [{"role": "assistant", "content": " "}], '
    '"non_preferred_output": [{"role": "assistant", "content": "What?"}]}'
)


def test_the_kind_of_rows_is_found_out_or_said(here: Path, capsys: Captured) -> None:
    write(here / "a.jsonl", PAIR)

    assert main(["check", "a.jsonl", "--select", "CHAT"]) == 1
    assert "preferred_output[0].content is blank" in capsys.readouterr().out
    assert main(["check", "a.jsonl", "--select", "CHAT", "--kind", "sft"]) == 1
    assert "CHAT001" in capsys.readouterr().out

    write(here / "tunegate.toml", '[data]\nkind = "rft"')
    write(here / "a.jsonl", '{"messages": [{"role": "user", "content": "Hi"}]}')
    assert main(["check", "a.jsonl", "--select", "CHAT"]) == 0
    assert main(["check", "a.jsonl", "--select", "CHAT", "--kind", "auto"]) == 1
    assert main(["check", "a.jsonl", "--kind", "grpo"]) == 2


def test_epochs_come_from_the_configuration(here: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from tunegate.dataqa.targets import TARGETS

    monkeypatch.setitem(TARGETS, "openai", replace(TARGETS["openai"], job_tokens=1000))
    write(here / "a.jsonl", *[CHAT] * 50)
    call = ["check", "a.jsonl", "--select", "FILE018", "--target", "openai"]

    assert main(call) == 0
    write(here / "tunegate.toml", "[train]\nepochs = 3")
    assert main(call) == 1
    assert "in 3 epochs" in capsys.readouterr().out


def test_without_a_configuration_a_row_may_be_as_long_as_the_target_takes(here: Path, capsys: Captured) -> None:
    def long(words: int) -> str:
        return CHAT.replace("Hello", "word " * words)

    write(here / "a.jsonl", long(3000), long(9000))
    call = ["check", "a.jsonl", "--select", "TOK001", "--fail-at", "warning"]
    assert main(call) == 1
    told = capsys.readouterr().out
    assert "over the limit of 8,192" in told
    assert "1 warning" in told
    assert main([*call, "--target", "azure-openai"]) == 0
    assert main([*call, "--target", "mistral"]) == 0
    write(here / "tunegate.toml", "[data]\n")
    capsys.readouterr()
    assert main(call) == 1
    assert "over the limit of 1,024" in capsys.readouterr().out


def test_benchmarks_and_languages_of_the_configuration(here: Path, capsys: Captured, tmp_path: Path) -> None:
    item = "How many legs do nine spiders have together when two of them have lost one leg each?"
    project = here / "project"
    project.mkdir()
    write(project / "evaluation.jsonl", json.dumps({"question": item}))
    write(project / "a.jsonl", CHAT.replace("Hi", f"Tell me: {item}"), CHAT)
    write(
        project / "tunegate.toml",
        "[data]",
        'benchmarks = ["evaluation.jsonl"]',
        'languages = ["de"]',
        'select = ["LEAK003", "QUAL007"]',
    )
    assert main(["check", "project/a.jsonl", "--config", "project/tunegate.toml"]) == 1
    printed = capsys.readouterr().out
    assert "LEAK003  the prompt holds 100% of an item of evaluation.jsonl (line 1, question)" in printed
    assert "QUAL007  the row is English ('en'), which languages = ['de'] does not name" in printed

    (project / "evaluation.jsonl").unlink()
    assert main(["check", "project/a.jsonl", "--config", "project/tunegate.toml"]) == 4
    assert "cannot read project/evaluation.jsonl" in capsys.readouterr().err


def test_a_baseline_is_never_written_over_the_data(here: Path, capsys: Captured) -> None:
    path = here / "a.jsonl"
    write(path, "x")
    before = path.read_bytes()
    assert main(["check", "a.jsonl", "--write-baseline", "./a.jsonl"]) == 2
    assert "would write over a.jsonl" in capsys.readouterr().err
    assert path.read_bytes() == before
