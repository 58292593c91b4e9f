from __future__ import annotations

from pathlib import Path

import pytest

from tunegate.cli.main import main
from tunegate.dataqa.catalog import FAMILIES, RULES
from tunegate.dataqa.rule_text import explain

Captured = pytest.CaptureFixture[str]


def test_a_rule_is_explained_with_severities_and_examples(capsys: Captured) -> None:
    assert main(["explain", "chat018"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("CHAT018  ")
    for line in ("  hf            error", "  together      error", "Bad:", "Good:"):
        assert line in text.splitlines()
    assert '"weight": ' in text
    assert "  -> " in text


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_explanation_is_readable_on_a_terminal(rule: object) -> None:
    lines = list(explain(rule))  # type: ignore[arg-type]
    assert all(line.isprintable() for line in lines)
    assert sum(map(len, lines)) < 8000


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_is_listed(family: str, capsys: Captured) -> None:
    assert main(["explain", family.lower()]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]]
    assert listed == [rule.id for rule in RULES if rule.id.startswith(family)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["CHAT12"], "no rule 'CHAT12': did you mean 'CHAT012'?"),
        (["nothing"], "valid are ids such as FILE006, and families: FILE, CHAT"),
    ],
)
def test_what_is_not_known_says_what_is(
    arguments: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["explain", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_a_run_without_a_row_asks_for_one(tmp_path: Path, capsys: Captured) -> None:
    assert main(["explain", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "name a row of that run too" in said
    assert f"`tunegate explain {tmp_path} chats.jsonl:17`" in said


def test_a_folder_does_not_hide_a_family(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    (tmp_path / "PII").mkdir()
    monkeypatch.chdir(tmp_path)
    assert main(["explain", "PII"]) == 0
    assert capsys.readouterr().out.startswith("PII: ")
