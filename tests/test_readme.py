"""What the README shows of `tunegate check` is what it prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunegate.cli.main import main

TOP = Path(__file__).resolve().parent.parent


def test_the_check_of_the_example_prints_what_the_readme_shows(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(TOP)
    text = (TOP / "README.md").read_text(encoding="utf-8")
    command, _, rest = text.partition("$ tunegate check examples/support/chats.jsonl\n")
    assert command
    shown = rest.partition("```")[0].splitlines()
    assert main(["check", "examples/support/chats.jsonl"]) == 1
    printed = capsys.readouterr().out.splitlines()
    assert [line for line in shown if line not in printed] == ["       ..."]
