from __future__ import annotations

import subprocess
import sys

import pytest

from tunegate.cli import main as entry
from tunegate.cli.main import COMMANDS, main
from tunegate.core.errors import InputError


def test_every_command_helps_with_examples(capsys: pytest.CaptureFixture[str]) -> None:
    for name in COMMANDS:
        assert main([name, "--help"]) == 0
        text = capsys.readouterr().out
        assert "Examples:" in text, name
        assert max(map(len, text.splitlines())) <= 100, name


@pytest.mark.parametrize("arguments", [["chek"], ["check", "--no-such"], ["--no-such"]])
def test_a_wrong_call_is_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_misspelt_command_is_corrected(capsys: pytest.CaptureFixture[str]) -> None:
    main(["chek"])
    assert "did you mean 'check'?" in capsys.readouterr().err


def caused_by(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (InputError("a.jsonl: gone"), 4, "tunegate: a.jsonl: gone"),
        (KeyboardInterrupt(), 130, "start the same command again"),
        (caused_by(RuntimeError("set_name"), KeyboardInterrupt()), 130, "start the same command again"),
        (OSError(28, "No space left", "x"), 4, "the disk is full"),
        (RuntimeError("odd"), 4, "an error in tunegate itself: RuntimeError: odd"),
    ],
)
def test_errors_become_a_message_and_a_code(
    error: BaseException,
    code: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(entry.tunegate, "main", fail)
    assert main(["check", "a.jsonl"]) == code
    captured = capsys.readouterr()
    assert words in captured.err
    assert "Traceback" not in captured.err


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise InputError("gone")

    monkeypatch.setattr(entry.tunegate, "main", fail)
    with pytest.raises(InputError):
        main(["--debug", "check"])


def test_a_closed_pipe_is_no_error() -> None:
    command = f"{sys.executable} -m tunegate.cli.main explain CHAT010 | head -c 1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
