"""Every rule on whole files made of its examples: the fault is found among sound rows, its near miss is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunegate.core.findings import Finding, Severity
from tunegate.dataqa.catalog import RULES
from tunegate.dataqa.check import CheckSettings, DataFile, check
from tunegate.dataqa.example_files import can_be_written, settings_for, sound_rows, write_files
from tunegate.dataqa.row import Kind
from tunegate.dataqa.rule import Rule
from tunegate.dataqa.targets import TARGETS

WRITTEN = [rule for rule in RULES if can_be_written(rule)]

written_rule = pytest.mark.parametrize("rule", WRITTEN, ids=lambda rule: rule.id)


def found_in(files: list[DataFile], settings: CheckSettings) -> tuple[Finding, ...]:
    result = check(files, settings)
    assert result.problems == ()
    return result.findings


@written_rule
def test_the_violating_file_is_found(rule: Rule, tmp_path: Path) -> None:
    files = write_files(rule, "bad", tmp_path)
    found = [finding for finding in found_in(files, settings_for(rule, tmp_path)) if finding.rule == rule.id]
    assert found
    if rule.scope == "row":
        assert {finding.message for finding in found} == {rule.says}


@written_rule
def test_the_near_miss_raises_no_alarm(rule: Rule, tmp_path: Path) -> None:
    files = write_files(rule, "good", tmp_path)
    found = found_in(files, settings_for(rule, tmp_path))
    assert [finding for finding in found if finding.rule == rule.id] == []
    assert [finding for finding in found if finding.severity is Severity.ERROR] == []


def test_only_what_is_too_large_is_not_written() -> None:
    unwritten = [rule for rule in RULES if rule not in WRITTEN]
    counts = {"size", "tokens", "image_rows"}
    assert all(counts & facts.keys() for rule in unwritten for facts in rule.example_facts)
    assert len(WRITTEN) >= 130


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.scope == "row"], ids=lambda rule: rule.id)
def test_a_row_stands_among_others(rule: Rule, tmp_path: Path) -> None:
    (bad,), (good,) = (write_files(rule, which, tmp_path) for which in ("bad", "good"))
    assert bad.path.read_bytes().count(b"\n") >= 12
    assert good.split == "train"


SCHEMAS: dict[Kind, str] = {"sft": "chat", "dpo": "preference", "rft": "chat"}


@pytest.mark.parametrize(("target", "kind"), [(name, kind) for name in TARGETS for kind in TARGETS[name].kinds])
def test_the_rows_around_are_sound(target: str, kind: Kind, tmp_path: Path) -> None:
    path = tmp_path / "sound.jsonl"
    path.write_bytes(b"".join(sound_rows(SCHEMAS[kind], kind)))
    alarms = {
        finding.rule
        for finding in found_in([DataFile(path)], CheckSettings(target, kind=kind))
        if finding.severity is not Severity.INFO and finding.rule not in ("FILE002", "FILE012")
    }
    assert alarms == set()
