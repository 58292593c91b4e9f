"""What may not be read: our own message, with the file and the repair, and exit code 4; never a usage error."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TUNEGATE = [sys.executable, "-c", "import sys; from tunegate.cli.entry import main; sys.exit(main())"]
TOML = '[data]\ntokens = { tokenizer = "%s" }\n[train]\nmodel = "tiny-phi3"\n[gate]\naccuracy = { min = 0.5 }\n'

# From linux/prctl.h and linux/capability.h: what lets root read and write whatever the permissions say.
PR_CAPBSET_DROP = 24
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2


def lose_rights() -> None:
    """Make root an owner like any other. Another user might not even reach the Python that runs this."""
    if os.geteuid() == 0 and sys.platform == "linux":
        prctl = ctypes.CDLL(None).prctl
        prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)
        prctl(PR_CAPBSET_DROP, CAP_DAC_READ_SEARCH, 0, 0, 0)


def unprivileged(folder: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in `folder` for which permissions hold."""
    return subprocess.run(
        command,
        cwd=folder,
        env=os.environ | environment,
        preexec_fn=lose_rights,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with chats and a configuration; the test is skipped where permissions hold for nobody."""
    if os.name == "nt":
        pytest.skip("Windows has other permissions")
    (tmp_path / "closed").touch(mode=0)
    if unprivileged(tmp_path, "cat", "closed").returncode == 0:
        pytest.skip("this user reads what is closed, and cannot be kept from it")
    row = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}
    (tmp_path / "chats.jsonl").write_text(json.dumps(row) + "\n")
    (tmp_path / "tunegate.toml").write_text(TOML % "o200k")
    yield tmp_path
    for path in tmp_path.iterdir():
        path.chmod(0o700)


@pytest.mark.parametrize(
    ("closed", "arguments"),
    [
        ("chats.jsonl", ["check", "chats.jsonl"]),
        ("chats.jsonl", ["check", "--test", "chats.jsonl"]),
        ("chats.jsonl", ["screen", "chats.jsonl", "--no-out"]),
        ("chats.jsonl", ["prepare", "chats.jsonl", "--out", "out"]),
        ("chats.jsonl", ["check", "other.jsonl", "--baseline", "chats.jsonl"]),
        ("tunegate.toml", ["check", "chats.jsonl"]),
        ("tunegate.toml", ["check", "chats.jsonl", "--config", "tunegate.toml"]),
        ("tunegate.toml", ["run", "tunegate.toml"]),
        ("run", ["gate", "run"]),
        ("run", ["gate", "other", "--baseline", "run"]),
        ("run", ["report", "run"]),
        ("run", ["evaluate", "run"]),
        ("run", ["train", "run"]),
        ("run", ["screen", "run"]),
        ("run", ["check", "run"]),
    ],
)
def test_what_may_not_be_read_is_named(folder: Path, closed: str, arguments: list[str]) -> None:
    shutil.copy(folder / "chats.jsonl", folder / "other.jsonl")
    for name in ("run", "other"):
        (folder / name / ".stages").mkdir(parents=True)
        (folder / name / "result.json").write_text('{"schema": "tunegate.result/1"}')
    (folder / closed).chmod(0)

    done = unprivileged(folder, *TUNEGATE, *arguments, TUNEGATE_CACHE=str(folder / "cache"))

    assert done.returncode == 4, done.stderr
    assert closed in done.stderr
    assert "no permission" in done.stderr
    assert "Usage:" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("part", ["", "models", "models/tiny-phi3", "models/tiny-phi3/tokenizer.json"])
def test_a_cache_that_may_not_be_read_leaves_an_estimate(folder: Path, part: str) -> None:
    from tunegate.finetune.tiny import make

    cache = folder / "cache"
    cache.mkdir()
    (folder / "tunegate.toml").write_text(TOML % "model")
    if part:
        make(cache / "models" / "tiny-phi3")
    (cache / part).chmod(0)
    try:
        done = unprivileged(
            folder, *TUNEGATE, "check", "chats.jsonl", "--select", "TOK", TUNEGATE_CACHE=str(cache)
        )
    finally:
        (cache / part).chmod(0o755)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("no findings: 1 row")
