"""Whole commands where nothing can be written: the file is named, the old one stays, nothing half-written is left.

Processes of their own: a limit on the size of files stops a write like a full disk does, also for root, whom
permissions do not stop unless the right to pass over them is taken away.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tunegate.cli.main import main
from tunegate.core.runs import RESULT_SCHEMA

resource = pytest.importorskip("resource", reason="needs limits on processes")

COMMANDS = {
    "check --fix": (["check", "chats.jsonl", "--fix"], "chats.jsonl"),
    "check --write-baseline": (["check", "chats.jsonl", "--write-baseline", "old/known.json"], "old/known.json"),
    "prepare": (["prepare", "--out", "made"], "made"),
    "screen": (["screen", "chats.jsonl", "--out", "old/safety.jsonl"], "old/safety.jsonl"),
    "screen, packed": (["screen", "chats.jsonl", "--out", "old/safety.jsonl.gz"], "old/safety.jsonl.gz"),
    "report": (["report", "reported", "--out", "old/page.html"], "old/page.html"),
    "run": (["run", "--out", "made"], "made"),
}
TAKES_OUT = {name for name in COMMANDS if not name.startswith("check")}

EVERY_COMMAND = pytest.mark.parametrize("name", COMMANDS)
# Room for a lock, and for no file of data.
ROOM = 40


@pytest.fixture
def project(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small project after an earlier preparation, with a file in each place that is written to."""
    monkeypatch.chdir(project)
    toml = Path("tunegate.toml")
    toml.write_text(toml.read_text().replace('tokenizer = "model"', 'tokenizer = "o200k"'))
    assert main(["prepare", "--out", "made"]) == 0
    with Path("chats.jsonl").open("a") as stream:
        stream.write("\n" * 60)
    Path("old").mkdir()
    for _, name in COMMANDS.values():
        if name.startswith("old/"):
            Path(name).write_text("as it was")
    Path("reported").mkdir()
    Path("reported/result.json").write_text(json.dumps({"schema": RESULT_SCHEMA}))
    return project


def started(arguments: list[str], before: Callable[[], None], **options: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tunegate.cli.main", *arguments]
    return subprocess.run(
        command, preexec_fn=before, stderr=subprocess.PIPE, text=True, check=False, timeout=120,
        **{"stdout": subprocess.PIPE, **options},
    )  # fmt: skip


def files() -> dict[str, bytes]:
    """Return all files but the lock of a run, which holds nothing."""
    paths = sorted(Path().rglob("*"))
    return {path.as_posix(): path.read_bytes() for path in paths if path.is_file() and path.name != "lock"}


def check_refusal(done: subprocess.CompletedProcess[str], name: str, before: dict[str, bytes]) -> None:
    """Assert what holds wherever nothing can be written."""
    assert done.returncode == 4, done.stderr
    assert "Traceback" not in done.stderr
    assert name in done.stderr.splitlines()[-1]
    after, prepared = files(), "made/.stages/prepared/"
    if not any(
        path.startswith(prepared) for path in after
    ):  # what a new preparation begins with is made away with
        before = {path: content for path, content in before.items() if not path.startswith(prepared)}
    assert after == before


def no_room() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, ROOM))


@EVERY_COMMAND
def test_a_full_disk(project: Path, name: str) -> None:
    arguments, target = COMMANDS[name]
    before = files()
    done = started(arguments, no_room)

    check_refusal(done, target, before)
    assert "free some space" in done.stderr


@pytest.mark.parametrize("limit", [5_000, 12_000])
def test_a_disk_that_gets_full_on_the_way(project: Path, limit: int) -> None:
    before = files()
    done = started(["prepare", "--out", "made"], lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))

    check_refusal(done, "made", before)


def held_back_by_permissions() -> None:
    """Take away from root what passes over permissions; others do not have it."""
    if os.geteuid() == 0:
        import ctypes

        drop_from_bounding_set, pass_over_permissions = 24, 1
        ctypes.CDLL(None).prctl(drop_from_bounding_set, pass_over_permissions, 0, 0, 0)


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    places = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    for place in places:
        place.chmod(0o555)
    try:
        attempt = [sys.executable, "-c", "import pathlib; pathlib.Path('attempt').touch()"]
        tried = subprocess.run(
            attempt, cwd=folder, preexec_fn=held_back_by_permissions, capture_output=True, check=False
        )
        if tried.returncode == 0:
            pytest.skip("permissions hold nobody back here: root keeps its right to pass over them")
        yield
    finally:
        for place in places:
            place.chmod(0o755)


@EVERY_COMMAND
def test_a_read_only_folder(project: Path, name: str) -> None:
    arguments, target = COMMANDS[name]
    before = files()
    with read_only(project):
        done = started(arguments, held_back_by_permissions)

    check_refusal(done, target, before)
    assert "no permission: change the permissions, or take another place" in done.stderr
    assert ("--out" in done.stderr) == (name in TAKES_OUT), "named where there is such an option"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device /dev/full")
@pytest.mark.parametrize(
    "arguments", [["check", "chats.jsonl"], ["check", "chats.jsonl", "--format", "json"], ["explain", "CHAT010"]]
)
def test_output_that_finds_no_room(project: Path, arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = started(arguments, lambda: None, stdout=full.fileno())

    assert done.returncode == 4
    assert done.stderr.splitlines()[-1].startswith("tunegate: cannot write to standard output: the disk is full")


def test_input_from_a_pipe_that_finds_no_room(project: Path) -> None:
    command = [sys.executable, "-m", "tunegate.cli.main", "check", "-"]
    done = subprocess.run(
        command, input=Path("chats.jsonl").read_bytes(), preexec_fn=no_room, capture_output=True, check=False
    )
    assert done.returncode == 4
    assert b"what comes from -: the file would be larger than the system allows" in done.stderr
