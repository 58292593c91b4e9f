"""Ctrl-C at any moment of a real process: no traceback, and an exit code that says so."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="sends POSIX signals")

CONSOLE = "import sys; from tunegate.cli.entry import main; sys.exit(main())"
# The same, saying when Python itself is up: until then an interrupt is none of our business.
ANNOUNCED = (
    "import os, signal, sys, tunegate.cli.entry as entry\n"
    "signal.signal(signal.SIGINT, signal.SIG_DFL)\n"
    "os.write(1, b'.')\n"
    "sys.exit(entry.main())\n"
)
# Death by the signal is what a shell calls 130 too.
INTERRUPTED = (130, -signal.SIGINT)


@pytest.fixture(scope="module")
def chats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough chats to check for a second or so."""
    path = tmp_path_factory.mktemp("interrupted") / "chats.jsonl"
    with path.open("w") as stream:
        for number in range(20_000):
            asked = {"role": "user", "content": f"Where is parcel {number}, and when does it come?"}
            row = {"messages": [asked, {"role": "assistant", "content": f"It comes on day {number}."}]}
            stream.write(json.dumps(row) + "\n")
    return path


def start(code: str, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.parametrize("delay", [0.0, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.35])
def test_an_interrupt_leaves_no_traceback_once_python_is_up(chats: Path, delay: float) -> None:
    process = start(ANNOUNCED, "check", str(chats))
    assert process.stdout is not None
    assert process.stdout.read(1) == b"."
    time.sleep(delay)
    assert process.poll() is None, "more chats are needed to keep this machine busy"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)

    assert b"Traceback" not in said, said.decode()
    assert process.returncode in INTERRUPTED
    if process.returncode == INTERRUPTED[0]:
        assert said.decode().strip() in ("", "tunegate: interrupted: start the same command again to go on")


@pytest.mark.parametrize("delay", [0.02, 0.04, 0.07, 0.1, 0.15, 0.3])
def test_an_interrupt_from_the_first_moment_on(chats: Path, delay: float) -> None:
    process = start(CONSOLE, "check", str(chats))
    time.sleep(delay)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)

    shown = said.decode()
    assert "tunegate/cli" not in shown, "a traceback can only be that of Python's own start"
    if "Traceback" not in shown:
        assert process.returncode in INTERRUPTED


def test_where_interrupts_are_ignored_they_stay_so(chats: Path) -> None:
    ignoring = CONSOLE.replace(
        "sys;", "os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); os.write(1, b'.');"
    )
    process = start(ignoring, "check", "--select", "FILE006", str(chats))
    assert process.stdout is not None
    assert process.stdout.read(1) == b"."
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)

    assert process.returncode == 0
    assert out.startswith(b"no findings: 20,000 rows")


def test_an_interrupt_that_python_would_swallow_comes_again() -> None:
    code = """
import sys, time, tunegate.cli.main, tunegate.cli.entry as entry

class Stubborn:
    def __del__(self):
        raise KeyboardInterrupt

def work():
    Stubborn()
    time.sleep(30)

tunegate.cli.main.main = work
sys.exit(entry.main())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=20, check=False)

    assert done.returncode == INTERRUPTED[0]
    assert done.stderr == b""


def test_the_way_in_loads_nothing_that_takes_time() -> None:
    code = "import sys, tunegate.cli.entry; print('click' in sys.modules, 'tunegate.cli.main' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False False\n"


def test_a_request_to_end_is_told_as_an_interrupt_is() -> None:
    code = """
import os, signal, sys, time, click, tunegate.cli.main, tunegate.cli.entry as entry

def work(**_):
    os.write(1, b'.')
    time.sleep(30)

tunegate.cli.main.tunegate.get_command = lambda *_: click.Command("check", callback=work)
sys.argv = ["tunegate", "check"]
sys.exit(entry.main())
"""
    process = start(code)
    assert process.stdout is not None
    assert process.stdout.read(1) == b"."
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=20)

    assert said.decode().splitlines()[-1] == "tunegate: interrupted: start the same command again to go on"
    assert b"Traceback" not in said
    assert process.returncode == 143


@pytest.mark.parametrize("delay", [0.0, 0.05, 0.2, 0.35])
def test_work_that_is_shared_ends_on_request_without_a_traceback(chats: Path, delay: float) -> None:
    process = start(ANNOUNCED, "check", "--jobs", "2", str(chats))
    assert process.stdout is not None
    assert process.stdout.read(1) == b"."
    time.sleep(delay)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)

    assert b"Traceback" not in said, said.decode()
    assert process.returncode in (143, -signal.SIGTERM)
