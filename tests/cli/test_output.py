"""Real processes whose reader goes away: the exit code stays that of the work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="closes POSIX pipes")

TUNEGATE = [sys.executable, "-c", "import sys; from tunegate.cli.entry import main; sys.exit(main())"]
GOOD = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}


def unread(*arguments: str, both: bool = False, **environment: str) -> tuple[int, str]:
    """Run a command of which nobody reads the output, nor the messages where `both` are unread."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*TUNEGATE, *arguments],
        stdout=writing,
        stderr=writing if both else subprocess.PIPE,
        text=True,
        check=False,
        env=os.environ | environment,
    )
    os.close(writing)
    return done.returncode, done.stderr or ""


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    """Far more findings than a pipe holds."""
    path = tmp_path / "faulty.jsonl"
    path.write_text("".join(json.dumps({"messages": [], "number": number}) + "\n" for number in range(3000)))
    return path


@pytest.mark.parametrize("form", ["text", "json", "github"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_findings_that_nobody_reads_still_count(faulty: Path, form: str, unbuffered: str) -> None:
    code, said = unread("check", str(faulty), "--format", form, PYTHONUNBUFFERED=unbuffered)
    assert (code, said) == (1, "")


def test_a_reader_that_leaves_early_changes_nothing(faulty: Path) -> None:
    quoted = " ".join(f"'{part}'" for part in [*TUNEGATE, "check", str(faulty)])
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{quoted} | head -n 1"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


def test_messages_that_nobody_reads_change_nothing_either(faulty: Path, tmp_path: Path) -> None:
    assert unread("check", str(faulty), both=True)[0] == 1
    assert unread("check", str(tmp_path / "missing.jsonl"), both=True)[0] == 4
    assert unread("check", "--no-such-option", both=True)[0] == 2


def test_what_is_clean_passes_unread(tmp_path: Path) -> None:
    path = tmp_path / "good.jsonl"
    path.write_text(json.dumps(GOOD) + "\n")
    assert unread("check", str(path)) == (0, "")
    assert unread("explain", "CHAT010") == (0, "")


def test_a_verdict_that_nobody_reads_is_no_pass(tmp_path: Path) -> None:
    """Here an error: without evidence. `test_run.py` has runs that fail."""
    folder = tmp_path / "run"
    (folder / ".stages").mkdir(parents=True)
    (folder / "result.json").write_text(json.dumps({"schema": "tunegate.result/1"}))
    (tmp_path / "tunegate.toml").write_text("[gate]\naccuracy = { min = 0.5 }\n")
    code, said = unread("gate", str(folder), "--config", str(tmp_path / "tunegate.toml"))
    assert (code, said) == (4, "")


def test_where_the_output_cannot_outlive_its_reader_the_code_is_no_pass(tmp_path: Path) -> None:
    code = "import sys; from tunegate.cli.main import main; sys.exit(main(['explain', 'CHAT010']))"
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([sys.executable, "-c", code], stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")
