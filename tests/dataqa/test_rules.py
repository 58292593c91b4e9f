"""Every rule against its own examples, and what all rules have in common."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

import pytest

from tunegate.core.errors import UsageError
from tunegate.core.findings import Severity
from tunegate.dataqa.catalog import BY_ID, FAMILIES, RULES, choose, family_of, rule_named
from tunegate.dataqa.check import CheckSettings, DataFile, check
from tunegate.dataqa.examples import hits_of
from tunegate.dataqa.fix import fix
from tunegate.dataqa.row import Row
from tunegate.dataqa.rule import Rule
from tunegate.dataqa.targets import TARGETS

DOCS = Path(__file__).parents[2] / "docs" / "rules"
# fix.py mends these itself: byte-order mark and encoding belong to no line.
MENDED_BY_FILE = {"FILE002", "FILE003"}

every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)


@every_rule
def test_the_bad_example_gives_one_hit_with_the_whole_message(rule: Rule) -> None:
    assert [hit.message for hit in hits_of(rule, "bad")] == [rule.says]


@every_rule
def test_the_good_example_gives_none(rule: Rule) -> None:
    assert hits_of(rule, "good") == []


@every_rule
def test_the_good_example_is_like_the_bad_one(rule: Rule) -> None:
    bad, good = b"\n".join(rule.bad), b"\n".join(rule.good)
    assert bad != good or rule.example_facts != ({}, {})
    if rule.scope != "file" and max(len(bad), len(good)) < 5000 and rule.bad[0].strip():
        alike = difflib.SequenceMatcher(None, bad.decode("latin-1"), good.decode("latin-1"), False).ratio()
        assert alike > 0.25, "the good example differs by more than the fault"


@every_rule
def test_the_good_example_is_sound_by_every_rule_about_rows(rule: Rule) -> None:
    if rule.scope == "file":
        return
    for line in rule.good:
        row = Row(line.removesuffix(b"\n"), target=rule.example_target, kind=rule.example_kind)
        for other in RULES:
            severity = other.severity_for(row.target, row.kind)
            asked = not other.needs or any(need in row.raw for need in other.needs)
            if other.scope == "row" and severity is Severity.ERROR and asked:
                hits = [hit.message for hit in other.check(row) if hit.severity in (None, Severity.ERROR)]
                assert hits == [], other.id


@every_rule
def test_the_bad_line_holds_what_the_rule_needs(rule: Rule) -> None:
    if rule.needs:
        assert any(need in line for need in rule.needs for line in rule.bad)


@every_rule
def test_a_fix_is_promised_only_where_there_is_one(rule: Rule) -> None:
    assert (rule.fix is not None) == (
        rule.repair is not None or rule.repair_line is not None or rule.id in MENDED_BY_FILE
    )


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.repair is not None], ids=lambda rule: rule.id)
def test_a_repair_that_is_made_leaves_no_hit(rule: Rule, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    settings = CheckSettings(rule.example_target, select=(rule.id,))
    for line in rule.bad:
        path.write_bytes(line + b"\n")
        promised = [found.fix for found in check([DataFile(path)], settings).findings]
        fix(DataFile(path), settings, unsafe=True)
        left = [found.fix for found in check([DataFile(path)], settings).findings]
        assert left == [mend for mend in promised if mend is None]


@every_rule
def test_what_it_says_is_a_sentence_with_a_repair(rule: Rule) -> None:
    assert re.match(r"[A-Z]+\d{3}\Z", rule.id)
    assert family_of(rule.id) in FAMILIES
    assert rule.title[0].isupper() or rule.title[0] == "`"
    assert 10 <= len(rule.title) <= 100
    assert ": " in rule.says or "; " in rule.says, "the message names no repair"


@every_rule
def test_it_is_documented(rule: Rule) -> None:
    page = (DOCS / f"{family_of(rule.id).lower()}.md").read_text(encoding="utf-8")
    assert f"## {rule.id}" in page


@every_rule
def test_severities_name_targets_and_kinds(rule: Rule) -> None:
    assert set(rule.severities) <= {*TARGETS, "sft", "dpo", "rft"}


def test_ids_are_unique_and_families_in_order() -> None:
    assert len(BY_ID) == len(RULES)
    numbers = [(list(FAMILIES).index(family_of(rule.id)), rule.id) for rule in RULES]
    assert numbers == sorted(numbers)
    assert {family_of(rule.id) for rule in RULES} == set(FAMILIES)


def test_rules_are_found_by_id_and_prefix() -> None:
    assert rule_named("file006").id == "FILE006"
    assert {rule.id for rule in choose(["FILE01"])} == {f"FILE01{digit}" for digit in range(10)}
    assert choose() == tuple(rule for rule in RULES if rule.default)
    assert {"QUAL010", "QUAL011"} <= {rule.id for rule in choose(["QUAL"])}
    assert [rule.id for rule in choose(["QUAL010"], ["QUAL011"])] == ["QUAL010"]
    with pytest.raises(UsageError, match=r"did you mean 'CHAT012'\?"):
        rule_named("CAHT012")
    with pytest.raises(UsageError, match="valid are ids such as"):
        rule_named("ZZZ")
