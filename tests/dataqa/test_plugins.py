"""Rules of someone else: a small package with its metadata, in a folder on the path of a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tunegate.core.errors import UsageError
from tunegate.core.findings import Severity
from tunegate.dataqa.plugins import load

CHAT = '{"messages": [{"role": "user", "content": "%s"}, {"role": "assistant", "content": "Hello"}]}'

RULES = '''
from tunegate.core.findings import Severity
from tunegate.dataqa.hit import Hit
from tunegate.dataqa.rule import rule

EXAMPLE = '{"messages": []}'

@rule("ACME001", Severity.WARNING, bad=EXAMPLE, good=EXAMPLE, says="")
def shouts(row):
    """A message is written in capitals.

    Nobody likes that.
    """
    for path, _, text in row.texts():
        if text == "BOOM":
            raise ValueError("boom at erika@firma.de")
        if text == "EXIT":
            raise SystemExit(0)
        if text == "WRONG":
            yield "no hit"
        if text.isupper():
            yield Hit(f"shouting: {text}", at=path)

@rule("ACME002", Severity.INFO, scope="set", bad=EXAMPLE, good=EXAMPLE, says="")
def twice(entries, data):
    """A prompt comes twice."""
    if entries[0].prompt == "SET":
        raise KeyError("set")
    seen = set()
    for entry in entries:
        if entry.prompt in seen:
            yield entry, Hit("comes twice")
        seen.add(entry.prompt)

@rule("ACME003", Severity.INFO, scope="file", bad=EXAMPLE, good=EXAMPLE, says="")
def small(facts):
    """A file is small."""
    if facts.rows == 3:
        raise RuntimeError
    if facts.rows < 2:
        yield Hit("the file is small")

@rule("ACME004", Severity.WARNING, bad=EXAMPLE, good=EXAMPLE, says="", fix="safe",
      repair=lambda row, hit: {1, 2} if "set" in hit.message else 1 // 0)
def broken_repair(row):
    """A repair that raises."""
    for path, _, text in row.texts():
        if text.startswith("mend"):
            yield Hit(text, at=path)

RULES = (shouts, twice, small, broken_repair)
'''


def package(folder: Path, name: str, code: str, entry: str = "RULES", group: str = "tunegate.rules") -> None:
    """Install a package of one module as an installer does: the module, and its metadata beside it."""
    (folder / f"{name}_rules.py").write_text(code)
    metadata = folder / f"{name}_rules-1.5.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-rules\nVersion: 1.5\n")
    (metadata / "entry_points.txt").write_text(f"[{group}]\n{name} = {name}_rules:{entry}\n")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    package(folder, "acme", RULES)
    return folder


def tunegate(site: Path, *arguments: str, expect: int) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "tunegate.cli.main", *arguments],
        cwd=site.parent,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == expect, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def write(site: Path, *texts: str) -> None:
    (site.parent / "a.jsonl").write_text("".join(CHAT % text + "\n" for text in texts))


def found(done: subprocess.CompletedProcess[str]) -> list[tuple[str, str, int, str]]:
    return [
        (each["rule"], each["severity"], each["line"], each["message"])
        for each in json.loads(done.stdout)["findings"]
        if each["rule"].startswith("ACME")
    ]


def test_its_rules_are_asked_only_when_it_is_named(site: Path) -> None:
    write(site, "HELP", "Hi")
    assert found(tunegate(site, "check", "a.jsonl", "--format", "json", expect=0)) == []
    done = tunegate(site, "check", "a.jsonl", "--plugin", "acme", "--format", "json", expect=0)
    assert found(done) == [("ACME001", "warning", 1, "shouting: HELP")]
    (site.parent / "tunegate.toml").write_text('[data]\nplugins = ["acme"]\nseverity = { ACME = "error" }\n')
    assert found(tunegate(site, "check", "a.jsonl", "--format", "json", expect=1))[0][1] == "error"
    tunegate(site, "check", "a.jsonl", "--ignore", "ACME001", expect=0)
    for form in ("text", "sarif", "junit", "github", "gitlab", "markdown"):
        assert "ACME001" in tunegate(site, "check", "a.jsonl", "--format", form, expect=1).stdout
    log = json.loads(tunegate(site, "check", "a.jsonl", "--format", "sarif", "--select", "ACME", expect=1).stdout)
    (rule,) = log["runs"][0]["tool"]["driver"]["rules"]
    assert rule["help"]["text"] == "A message is written in capitals.\n\nNobody likes that."
    assert "helpUri" not in rule


def test_set_and_file_rules_too(site: Path) -> None:
    write(site, "Hi", "Hi")
    arguments = ["check", "a.jsonl", "--plugin", "acme", "--format", "json"]
    assert found(tunegate(site, *arguments, expect=0)) == [("ACME002", "info", 2, "comes twice")]
    write(site, "Hi")
    assert found(tunegate(site, *arguments, expect=0)) == [("ACME003", "info", 1, "the file is small")]


@pytest.mark.parametrize(
    ("texts", "rule", "line", "told"),
    [
        (["Hi", "BOOM"], "ACME001", 2, "ValueError: boom at er***@***"),
        (["Hi", "EXIT"], "ACME001", 2, "SystemExit: 0"),
        (["Hi", "WRONG"], "ACME001", 2, "TypeError: a rule gives hits, and this is 'no hit'"),
        (["SET", "Hi"], "ACME002", 1, "KeyError: 'set'"),
        (["Hi", "b", "c"], "ACME003", 1, "RuntimeError"),
    ],
)
def test_a_rule_that_raises_is_an_error(texts: list[str], rule: str, line: int, told: str, site: Path) -> None:
    write(site, *texts)
    done = tunegate(site, "check", "a.jsonl", "--plugin", "acme", "--format", "json", expect=1)
    message = f"the rule {rule} of the plugin 'acme' failed here, so nothing is known: {told}"
    assert (rule, "error", line, message) in found(done)


def test_a_repair_that_raises_mends_nothing(site: Path) -> None:
    write(site, "mend", "mend set")
    before = (site.parent / "a.jsonl").read_bytes()
    done = tunegate(site, "check", "a.jsonl", "--plugin", "acme", "--fix", "--select", "ACME004", expect=0)
    assert done.stdout.count("ACME004") == 2
    assert "[--fix]" not in done.stdout
    assert (site.parent / "a.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("bad", "import not_there", "the plugin 'bad' cannot be loaded: ModuleNotFoundError: No module named"),
        ("bad", "raise SystemExit(0)", "the plugin 'bad' cannot be loaded: SystemExit"),
        ("bad", "RULES = 7", "the plugin 'bad' cannot be loaded: TypeError"),
        ("bad", "RULES = ['x']", "the plugin 'bad' offers 'x', and rules made with @rule are needed"),
        ("bad", RULES.replace("ACME001", "CHAT900"), "has the family CHAT of tunegate"),
        ("bad", RULES.replace("ACME001", "SEC900"), "has the family SEC of tunegate"),
        ("bad", RULES.replace("ACME001", "Acme1"), "a rule 'Acme1': an id is capital letters and three digits"),
        ("bad", RULES, "the rule ACME001 comes from the plugins 'acme' and 'bad'"),
        ("other", RULES, "no plugin 'bad': valid are acme, other"),
        ("bat", RULES, "no plugin 'bad': did you mean 'bat'?"),
    ],
)
def test_what_cannot_be_used_ends_with_2(name: str, code: str, words: str, site: Path) -> None:
    package(site, name, code)
    write(site, "Hi")
    done = tunegate(site, "check", "a.jsonl", "--plugin", "acme", "--plugin", "bad", expect=2)
    assert words in done.stderr
    assert done.stdout == ""


def test_two_rules_of_one_plugin_with_one_id(site: Path) -> None:
    package(site, "bad", RULES.replace("ACME", "EVIL").replace("EVIL002", "EVIL001"))
    write(site, "Hi")
    done = tunegate(site, "check", "a.jsonl", "--plugin", "bad", expect=2)
    assert "EVIL001" in done.stderr


def test_none_is_installed() -> None:
    with pytest.raises(UsageError, match="no plugin 'acme': no package with rules is installed"):
        load(["acme"])


def test_explain_tells_of_a_plugin(site: Path) -> None:
    done = tunegate(site, "explain", "ACME001", "--plugin", "acme", expect=0)
    assert "A message is written in capitals" in done.stdout
    assert Severity.WARNING.value in done.stdout
    assert "no rule 'ACME001'" in tunegate(site, "explain", "ACME001", expect=2).stderr


def test_prepare_asks_rules_about_rows_too(site: Path) -> None:
    write(site, *[f"hello {word}" for word in ("there", "you", "all")], "HELP")
    split = "split = { validation = 0.0, test = 0.0 }\ntokens = { tokenizer = 'o200k' }"
    text = f'[data]\nfiles = ["a.jsonl"]\nplugins = ["acme"]\nignore = ["ACME004"]\n{split}\n'
    (site.parent / "tunegate.toml").write_text(text + '[data.severity]\nACME001 = "error"\n')
    tunegate(site, "prepare", "--out", "runs/one", expect=0)
    (dropped,) = [json.loads(line) for line in (site.parent / "runs/one/ledger.jsonl").read_text().splitlines()]
    assert (dropped["action"], dropped["rule"], dropped["line"]) == ("dropped", "ACME001", 4)
