"""`tunegate screen`: decisions in a file, a summary, and exit codes."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tunegate.cli.main import main

Captured = pytest.CaptureFixture[str]
HARM = "Honestly, I keep thinking about killing myself, I do not want to live any more."


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def chat(user: str) -> str:
    return json.dumps(
        {"messages": [{"role": "user", "content": user}, {"role": "assistant", "content": "Noted."}]}
    )


def write(path: Path, *lines: str) -> None:
    path.write_text("".join(f"{line}\n" for line in lines))


def decisions(path: Path) -> list[str]:
    return [json.loads(line)["decision"] for line in path.read_bytes().splitlines()]


def test_harmless_chats_pass(here: Path, capsys: Captured) -> None:
    write(here / "a.jsonl", chat("Where is my parcel?"), chat("Wo ist mein Paket?"))

    assert main(["screen", "a.jsonl"]) == 0
    said = capsys.readouterr()
    assert "2 rows screened by local: 0 blocked, 0 flagged, 0 could not be judged" in said.out
    assert "not proven clean" in said.out
    assert decisions(here / "safety.jsonl") == ["allow", "allow"]


def test_harm_fails_and_names_row_and_message_but_no_text(here: Path, capsys: Captured) -> None:
    write(here / "a.jsonl", chat("Where is my parcel?"), chat(HARM))

    assert main(["screen", "a.jsonl", "--out", "out/decisions.jsonl"]) == 1
    said = capsys.readouterr()
    assert said.out.startswith("a.jsonl:2: block: self_harm 0.99")
    assert "messages[0] (prompt)" in said.out
    assert "killing" not in said.out + said.err
    assert decisions(here / "out/decisions.jsonl") == ["allow", "block"]


def test_what_could_not_be_judged_outweighs_what_is_blocked(here: Path, capsys: Captured) -> None:
    write(here / "a.jsonl", chat(HARM), "{'messages': 1}")

    assert main(["screen", "a.jsonl"]) == 5
    assert "a.jsonl:2: error: single quotes are not JSON" in capsys.readouterr().out


def test_an_empty_answer_cannot_be_judged_and_is_named_with_its_line(here: Path, capsys: Captured) -> None:
    write(here / "a.jsonl", chat("Where is my parcel?"), chat("And now?").replace("Noted.", " \\u200b"))

    assert main(["screen", "a.jsonl"]) == 5
    assert "a.jsonl:2: error: messages[1] is an empty answer: there is no text to judge" in capsys.readouterr().out
    assert decisions(here / "safety.jsonl") == ["allow", "error"]


def test_many_rows_are_counted_and_not_listed(here: Path, capsys: Captured) -> None:
    write(here / "a.jsonl", *[chat(HARM)] * 30)

    assert main(["screen", "a.jsonl"]) == 1
    assert "... and 10 more rows" in capsys.readouterr().out


def test_decisions_are_packed_where_their_name_says_so(here: Path, capsys: Captured) -> None:
    write(here / "a.jsonl", chat("Where is my parcel?"), chat(HARM))
    assert main(["screen", "a.jsonl"]) == 1
    said = capsys.readouterr().out
    for name in ("one", "two"):
        assert main(["screen", "a.jsonl", "--out", f"{name}.jsonl.gz"]) == 1
        assert capsys.readouterr().out == said

    packed = (here / "one.jsonl.gz").read_bytes()
    assert packed.startswith(b"\x1f\x8b\x08\x00\x00\x00\x00\x00"), "neither time nor name"
    assert packed == (here / "two.jsonl.gz").read_bytes()
    assert gzip.decompress(packed) == (here / "safety.jsonl").read_bytes()


def test_what_cannot_be_packed_is_refused_and_nothing_is_written(here: Path, capsys: Captured) -> None:
    write(here / "a.jsonl", chat("Where is my parcel?"))

    assert main(["screen", "a.jsonl", "--out", "d.jsonl.zst"]) == 2
    assert "d.jsonl.zst would be packed with Zstandard, which is only read: name it .gz" in capsys.readouterr().err
    assert [path.name for path in here.iterdir()] == ["a.jsonl"]


def test_files_and_thresholds_come_from_the_configuration(here: Path, capsys: Captured) -> None:
    write(here / "a.jsonl", chat(HARM))
    (here / "tunegate.toml").write_text('[data]\nfiles = ["*.jsonl"]\n[safety]\nblock_at = { self_harm = 1.0 }\n')

    assert main(["screen", "--out", "decisions"]) == 0
    assert "1 flagged" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\x00\x01\x02\xff" * 50, "no text file"),
        (b'[{"messages": []}]', "one object a line"),
        ('{"messages": []}\n'.encode("utf-16"), "utf-16"),
    ],
)
def test_files_that_are_no_json_lines_are_refused(
    here: Path, capsys: Captured, content: bytes, words: str
) -> None:
    (here / "a.jsonl").write_bytes(content)

    assert main(["screen", "a.jsonl"]) == 4
    assert words in capsys.readouterr().err
    assert not (here / "safety.jsonl").exists()


def test_missing_files_and_missing_weights_are_errors(
    here: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["screen", "gone.jsonl"]) == 4
    write(here / "a.jsonl", chat("hello"))
    monkeypatch.setattr("tunegate.safety.weights.load.__defaults__", (here,))
    assert main(["screen", "a.jsonl"]) == 4
    assert "local.json" in capsys.readouterr().err
    assert not (here / "safety.jsonl").exists()


def test_the_data_are_never_overwritten(here: Path, capsys: Captured) -> None:
    write(here / "a.jsonl", chat("hello"))
    before = (here / "a.jsonl").read_bytes()

    assert main(["screen", "a.jsonl", "--out", "./a.jsonl"]) == 2
    assert "one of the files that are screened" in capsys.readouterr().err
    assert (here / "a.jsonl").read_bytes() == before


def test_it_imports_nothing_heavy_but_numpy(here: Path) -> None:
    write(here / "a.jsonl", chat("hello"))
    code = (
        "import sys; from tunegate.cli.main import main; assert main(['screen', 'a.jsonl']) == 0;"
        "heavy = {'torch', 'transformers', 'polars', 'sklearn', 'scipy'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, capture_output=True)


def test_the_files_of_the_configuration_are_known_by_their_paths_there(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    (here / "data").mkdir()
    (here / "elsewhere").mkdir()
    write(here / "data" / "a.jsonl", chat("Where is my parcel?"), chat(HARM))
    write(here / "elsewhere" / "b.jsonl", chat("Wo ist mein Paket?"))
    project = here / "project"
    project.mkdir()
    (project / "tunegate.toml").write_text(
        f'[data]\nfiles = ["../data/a.jsonl", "{(here / "elsewhere" / "b.jsonl").as_posix()}"]\n'
    )
    (project / "below").mkdir()
    monkeypatch.chdir(project / "below")

    assert main(["screen"]) == 1

    rows = [json.loads(line) for line in (project / "below" / "safety.jsonl").read_text().splitlines()]
    assert [row["path"] for row in rows] == [
        "../data/a.jsonl", "../data/a.jsonl", (here / "elsewhere" / "b.jsonl").as_posix(),
    ]  # fmt: skip
    said = capsys.readouterr().out
    shown = Path(said.partition(":2: block")[0])
    assert shown.samefile(here / "data" / "a.jsonl"), "a place on the screen is one that can be opened"


@pytest.mark.parametrize("content", ["[{rows}]", "[\n{rows}\n]"])
def test_an_array_is_told_the_same_by_every_command(here: Path, content: str, capsys: Captured) -> None:
    rows = f"{chat('Where is my parcel?')}, {chat('Is it late?')}"
    (here / "arr.jsonl").write_text(content.replace("{rows}", rows))
    words = "one JSON array: write one object a line, with `jq -c '.[]' FILE > FILE.jsonl`"

    assert main(["screen", "arr.jsonl"]) == 4
    assert words in capsys.readouterr().err
    assert main(["prepare", "arr.jsonl", "--out", "out"]) == 4
    assert words in capsys.readouterr().err
    assert main(["check", "arr.jsonl", "--select", "FILE008"]) == 1
    assert words in capsys.readouterr().out
