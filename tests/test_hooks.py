"""The hooks that this repository offers, installed by pre-commit itself into a repository that commits data."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tunegate.cli.main import main

TOP = Path(__file__).resolve().parent.parent
HOOKS = {hook["id"]: hook for hook in yaml.safe_load((TOP / ".pre-commit-hooks.yaml").read_text())}


def chat(user: str, assistant: str = "Yes, gladly.") -> str:
    turns = [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]
    return json.dumps({"messages": turns}) + "\n"


def test_pre_commit_takes_the_list() -> None:
    from pre_commit.clientlib import load_manifest

    hooks = load_manifest(str(TOP / ".pre-commit-hooks.yaml"))
    assert [hook["id"] for hook in hooks] == ["tunegate-check", "tunegate-check-set", "tunegate-screen"]
    assert all(hook["language"] == "python" for hook in hooks)
    assert not HOOKS["tunegate-check-set"]["pass_filenames"]


@pytest.mark.parametrize("hook", HOOKS)
def test_entries_are_calls_that_exist(hook: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jsonl").write_text(chat("May I have the bill?"))
    (tmp_path / "tunegate.toml").write_text('[data]\nfiles = ["a.jsonl"]\n')
    _, *arguments = shlex.split(HOOKS[hook]["entry"])
    files = ["a.jsonl"] if HOOKS[hook].get("pass_filenames", True) else []
    assert main([*arguments, *files]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"a.jsonl", "tunegate.toml"}, "a hook writes nothing"


class Repository:
    """A repository in which somebody commits."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder = folder
        author = {f"GIT_{role}_{what}": "a@b" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        outside = {
            name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PYTHONPATH"))
        }
        self.environment = {**outside, **author, "PRE_COMMIT_HOME": str(cache)}

    def call(self, *command: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(word) for word in command],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def commit(self) -> tuple[bool, str]:
        """Commit everything, and return whether that went through, and what was said."""
        self.call("git", "add", "-A")
        done = self.call("git", "commit", "-m", "data")
        return done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.network
def test_a_commit_is_refused_and_once_repaired_accepted(tmp_path: Path) -> None:
    offered, folder = tmp_path / "tunegate", tmp_path / "data"
    folder.mkdir()
    repository = Repository(folder, tmp_path / "cache")
    assert repository.call("git", "clone", "--quiet", TOP, offered).returncode == 0
    revision = repository.call("git", "-C", offered, "rev-parse", "HEAD").stdout.strip()
    assert repository.call("git", "init", "--quiet").returncode == 0
    listed = "".join(f"      - id: {hook}\n" for hook in HOOKS)
    (folder / ".pre-commit-config.yaml").write_text(
        f"repos:\n  - repo: {offered.as_uri()}\n    rev: {revision}\n    hooks:\n{listed}"
    )
    (folder / "tunegate.toml").write_text('[data]\nfiles = ["train.jsonl"]\ntest = "test.jsonl"\n')
    installed = repository.call(sys.executable, "-m", "pre_commit", "install", "--install-hooks")
    assert installed.returncode == 0, installed.stdout + installed.stderr

    good = "".join(chat(f"Where is parcel {word}?", f"It is in {word}.") for word in ("Rome", "Oslo", "Bonn"))
    (folder / "train.jsonl").write_text(good + "{'messages': []}\n")
    (folder / "test.jsonl").write_text(chat("May I have the bill, please?"))
    accepted, said = repository.commit()
    assert not accepted
    assert "train.jsonl" in said
    assert "FILE006" in said

    (folder / "train.jsonl").write_text(good)
    accepted, said = repository.commit()
    assert accepted, said

    (folder / "train.jsonl").write_text(good + chat("May I have the bill, please?"))
    accepted, said = repository.commit()
    assert not accepted
    assert "LEAK001" in said

    (folder / "train.jsonl").write_text(good + chat("I want to kill myself tonight"))
    accepted, said = repository.commit()
    assert not accepted
    assert "block: self_harm" in said

    (folder / "train.jsonl").write_text(good)
    (folder / "broken.jsonl").write_bytes(b"\x00\x01\x02\xff" * 50)
    accepted, said = repository.commit()
    assert not accepted, "a file that is no text is not passed over"
    assert "no text file" in said
