"""Every rule on whole files made of its examples: the fault is found among sound rows, its near miss is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunegate.core.findings import Finding, Severity
from tunegate.dataqa.catalog import RULES
from tunegate.dataqa.check import CheckSettings, DataFile, check
from tunegate.dataqa.example_files import can_be_written, sound_rows, write_files
from tunegate.dataqa.rule import Kind, Rule
from tunegate.dataqa.targets import TARGETS

WRITTEN = [rule for rule in RULES if can_be_written(rule)]

written_rule = pytest.mark.parametrize("rule", WRITTEN, ids=lambda rule: rule.id)


def found_in(files: list[DataFile], target: str) -> tuple[Finding, ...]:
    result = check(files, CheckSettings(target))
    assert result.problems == ()
    return result.findings


@written_rule
def test_the_violating_file_is_found(rule: Rule, tmp_path: Path) -> None:
    files = write_files(rule, "bad", tmp_path)
    found = [finding for finding in found_in(files, rule.example_target) if finding.rule == rule.id]
    assert found
    if rule.scope == "row":
        assert {finding.message for finding in found} == {rule.says}


@written_rule
def test_the_near_miss_raises_no_alarm(rule: Rule, tmp_path: Path) -> None:
    files = write_files(rule, "good", tmp_path)
    found = found_in(files, rule.example_target)
    assert [finding for finding in found if finding.rule == rule.id] == []
    assert [finding for finding in found if finding.severity is Severity.ERROR] == []


def test_only_a_size_is_not_written() -> None:
    unwritten = [rule for rule in RULES if rule not in WRITTEN]
    assert all(any("size" in facts for facts in rule.example_facts) for rule in unwritten)
    assert len(unwritten) <= 2


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.scope == "row"], ids=lambda rule: rule.id)
def test_a_row_stands_among_others(rule: Rule, tmp_path: Path) -> None:
    (bad,), (good,) = (write_files(rule, which, tmp_path) for which in ("bad", "good"))
    assert bad.path.read_bytes().count(b"\n") >= 12
    assert good.split == "train"


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("schema", "kind"), [("chat", "sft"), ("preference", "dpo"), ("chat", "rft")])
def test_the_rows_around_are_sound(target: str, schema: str, kind: Kind, tmp_path: Path) -> None:
    path = tmp_path / "sound.jsonl"
    path.write_bytes(b"".join(sound_rows(schema, kind)))
    alarms = {
        finding.rule
        for finding in found_in([DataFile(path)], target)
        if finding.severity is not Severity.INFO and finding.rule not in ("FILE002", "FILE012")
    }
    assert alarms == set()
