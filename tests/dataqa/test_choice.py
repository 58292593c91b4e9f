from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tunegate.core.configuration import load
from tunegate.core.errors import UsageError
from tunegate.core.findings import Severity
from tunegate.dataqa.catalog import RULES
from tunegate.dataqa.check import CheckSettings, DataFile, check, settings_of
from tunegate.dataqa.choice import Choice, level_of, with_levels
from tunegate.dataqa.fix import fix

BROKEN = b'{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": " "}]}\r\nx\n'


def configured(folder: Path, text: str, **changes: Any) -> CheckSettings:
    (folder / "tunegate.toml").write_text(text)
    configuration = load(folder / "tunegate.toml")
    settings = settings_of(configuration.data, None, configuration.folder)
    from dataclasses import replace

    return replace(settings, **changes)


@pytest.fixture
def tmp_path(tmp_path: Path) -> Path:
    """A folder with a name that a pattern would not match."""
    folder = tmp_path / "data [1]"
    folder.mkdir()
    return folder


@pytest.fixture
def files(tmp_path: Path) -> list[DataFile]:
    (tmp_path / "legacy").mkdir(parents=True)
    paths = [tmp_path / "new.jsonl", tmp_path / "legacy" / "old.jsonl"]
    for path in paths:
        path.write_bytes(BROKEN)
    return [DataFile(path) for path in paths]


def found(files: list[DataFile], settings: CheckSettings) -> set[tuple[str, str, str]]:
    return {(each.rule, Path(each.path).stem, each.severity.value) for each in check(files, settings).findings}


def test_the_longest_name_wins() -> None:
    levels = {"CHAT": "off", "CHAT01": "info", "CHAT012": "error"}
    assert [level_of(rule, levels) for rule in ("CHAT012", "CHAT013", "CHAT020", "DUP001")] == [
        "error",
        "info",
        "off",
        None,
    ]


def test_severities_by_id_and_by_family(tmp_path: Path, files: list[DataFile]) -> None:
    select = ("CHAT010", "FILE004", "FILE006")
    assert found(files[:1], CheckSettings(select=select)) == {
        ("CHAT010", "new", "error"),
        ("FILE004", "new", "warning"),
        ("FILE006", "new", "error"),
    }
    text = '[data.severity]\nFILE = "off"\nfile006 = "warning"\nCHAT010 = "info"\n'
    settings = configured(tmp_path, text, select=("CHAT010", "FILE"))
    assert found(files[:1], settings) == {("CHAT010", "new", "info"), ("FILE006", "new", "warning")}
    assert not check(files[:1], settings).fails_at(Severity.ERROR)


def test_paths_have_their_own(tmp_path: Path, files: list[DataFile], monkeypatch: pytest.MonkeyPatch) -> None:
    text = """
[data.severity]
FILE006 = "warning"
FILE004 = "off"
[[data.paths]]
path = "legacy/*.jsonl"
ignore = ["CHAT010", "FILE"]
severity = { FILE006 = "info", FILE004 = "error" }
"""
    settings = configured(tmp_path, text, select=("CHAT010", "FILE00"))
    monkeypatch.chdir(tmp_path / "legacy")  # patterns start from the configuration, not from here
    relative = [DataFile(Path("../new.jsonl")), DataFile(Path("old.jsonl"))]
    expected = {
        ("CHAT010", "new", "error"),
        ("FILE006", "new", "warning"),
        ("FILE006", "old", "info"),
        ("FILE004", "old", "error"),
    }
    assert found(files, settings) == expected
    assert found(relative, settings) == expected


def test_a_later_table_goes_before_an_earlier_one(tmp_path: Path, files: list[DataFile]) -> None:
    text = """
[[data.paths]]
path = "**/*.jsonl"
ignore = ["CHAT", "FILE", "DUP"]
[[data.paths]]
path = "new.jsonl"
severity = { FILE006 = "info" }
"""
    assert found(files, configured(tmp_path, text)) == {("FILE006", "new", "info")}


def test_what_the_call_says_goes_before_all(tmp_path: Path, files: list[DataFile]) -> None:
    text = '[data.severity]\nCHAT = "off"\nFILE006 = "off"\n[[data.paths]]\npath = "*.jsonl"\nignore = ["FILE"]\n'
    settings = configured(tmp_path, text, severity={"FILE006": "info", "FILE004": "off", "chat010": "warning"})
    assert found(files[:1], settings) == {("FILE006", "new", "info"), ("CHAT010", "new", "warning")}
    assert "FILE004" not in {rule.id for rule in Choice(settings).rules}


def test_what_is_off_is_not_mended(tmp_path: Path, files: list[DataFile]) -> None:
    text = '[data]\nselect = ["FILE004"]\n[[data.paths]]\npath = "legacy/*"\nignore = ["FILE004"]\n'
    settings = configured(tmp_path, text)
    assert [fix(file, settings).applied for file in files] == [{"FILE004": 1}, {}]
    assert b"\r\n" in files[1].path.read_bytes()


def test_rules_that_are_off_everywhere_are_not_asked(tmp_path: Path) -> None:
    text = (
        '[data.severity]\nDUP = "off"\nLEAK = "off"\n[[data.paths]]\npath = "a"\nseverity = { LEAK001 = "info" }\n'
    )
    asked = {rule.id for rule in Choice(configured(tmp_path, text)).rules}
    assert "LEAK001" in asked
    assert not {name for name in asked if name.startswith(("DUP", "LEAK002"))}


def test_each_file_by_itself_asks_no_rule_over_the_set() -> None:
    assert {rule.scope for rule in Choice(CheckSettings(over_set=False)).rules} == {"row", "file"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[data.severity]\nCHAT12 = "off"', r"\[data.severity\]: no rule 'CHAT12': did you mean 'CHAT012'"),
        ('[[data.paths]]\npath = "a"\nignore = ["DUB"]', r"path = 'a': no rule 'DUB': did you mean 'DUP'"),
        ('[[data.paths]]\npath = "a"\nseverity = { FLIE = "off" }', "no rule 'FLIE': did you mean 'FILE'"),
        ('[data.severity]\nCHAT = "of"', r"\[data.severity\] CHAT = 'of': did you mean 'off'"),
        ('[[data.paths]]\npath = "a"\nignroe = ["DUP"]', "unknown key 'ignroe': did you mean 'ignore'"),
        ('[[data.paths]]\nignore = ["DUP"]', "path"),
    ],
)
def test_wrong_names_are_said_with_the_nearest(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=words):
        check([], configured(tmp_path, text))


def test_prepare_asks_rules_at_the_level_that_is_set() -> None:
    levels = {"chat": "off", "CHAT010": "warning", "BAL002": "error"}
    rules = {rule.id: rule for rule in with_levels(RULES, levels)}
    assert {name for name in rules if name.startswith("CHAT")} == {"CHAT010"}
    assert rules["CHAT010"].severity is Severity.WARNING
    never = [rule for rule in RULES if None in rule.severities.values()]
    for rule in with_levels(never, {"": "error"}):
        (before,) = [each for each in never if each.id == rule.id]
        for name, severity in before.severities.items():
            assert (rule.severity_for(name) is None) == (severity is None)
