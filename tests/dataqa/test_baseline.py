from __future__ import annotations

import json
import random
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.core.errors import InputError
from tunegate.core.findings import Finding, Severity
from tunegate.dataqa.baseline import Compared, without_known, write_baseline
from tunegate.dataqa.check import DataFile, check
from tunegate.dataqa.check_result import CheckResult, FileReport

TODAY = date(2026, 6, 15)


def finding(row_id: str = "aa", rule: str = "CHAT010", path: str = "a.jsonl", line: int = 1) -> Finding:
    return Finding(rule, Severity.ERROR, path, line, 1, "$", "", None, None, row_id)


def result(*findings: Finding, files: tuple[str, ...] = ("a.jsonl",)) -> CheckResult:
    return CheckResult("hf", tuple(FileReport(name, "", 1, 1) for name in files), findings, ())


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jsonl").touch()
    return tmp_path / "known.json"


def compared(known: Path, *findings: Finding, today: date = TODAY, **options: Any) -> Compared:
    return without_known(result(*findings, **options), known, today)


def test_an_entry_holds_through_its_last_day(known: Path) -> None:
    assert write_baseline(known, result(finding(), finding("bb")), date(2026, 6, 15)) == 2
    assert compared(known, finding(), finding("bb")).left_out == 2

    after = compared(known, finding(), finding("cc"), today=date(2026, 6, 16))
    assert [found.row_id for found in after.result.findings] == ["aa", "cc"]
    assert [entry.row_id for entry in after.expired] == ["aa"]
    assert [entry.row_id for entry in after.unused] == ["bb"]


def test_writing_again_keeps_the_dates_and_drops_what_is_gone(known: Path) -> None:
    write_baseline(known, result(finding(), finding("bb")), date(2026, 1, 1))
    write_baseline(known, result(finding(), finding("cc")), date(2027, 1, 1))
    entries = json.loads(known.read_text())["findings"]
    assert [(entry["row_id"], entry["expires"]) for entry in entries] == [
        ("aa", "2026-01-01"),
        ("cc", "2027-01-01"),
    ]
    write_baseline(known, result())
    assert json.loads(known.read_text())["findings"] == []
    assert compared(known).unused == ()


def test_what_was_not_looked_at_is_not_unused(known: Path) -> None:
    write_baseline(known, result(finding(), finding(path="b.jsonl"), finding(path="gone.jsonl")))
    (known.parent / "b.jsonl").touch()
    assert [entry.path for entry in compared(known).unused] == ["a.jsonl", "gone.jsonl"]
    assert [entry.path for entry in compared(known, files=("b.jsonl",)).unused] == ["b.jsonl", "gone.jsonl"]


def test_fewer_than_known_are_unused_and_more_are_shown(known: Path) -> None:
    write_baseline(known, result(finding(), finding()))
    assert compared(known, finding(), finding()).unused == ()
    assert len(compared(known, finding()).unused) == 1
    assert len(compared(known, *[finding()] * 3).result.findings) == 1


def test_the_same_row_in_another_file_is_news(known: Path) -> None:
    write_baseline(known, result(finding()))
    assert len(compared(known, finding(path="b.jsonl")).result.findings) == 1
    assert compared(known, finding(line=77)).left_out == 1


def test_merged_entries_promise_the_least(known: Path) -> None:
    entry = {"rule": "CHAT010", "path": "a.jsonl", "row_id": "aa", "json_path": "$"}
    both = [{**entry, "count": 1, "expires": "2026-06-01"}, {**entry, "count": 1}]
    for entries in (both, both[::-1]):
        known.write_text(json.dumps({"schema": "tunegate.baseline/1", "findings": entries}))
        assert compared(known, finding(), today=date(2026, 5, 1)).left_out == 1
        assert len(compared(known, finding(), finding(), today=date(2026, 5, 1)).result.findings) == 1
        assert len(compared(known, finding()).expired) == 1


def test_branches_merge_line_by_line(known: Path) -> None:
    write_baseline(known, result(finding("aa"), finding("bb")))
    lines = known.read_text().splitlines()
    assert len(lines) == 4
    assert json.loads(lines[1].rstrip(","))["row_id"] == "aa"


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["CHAT010", "DUP003"])), max_size=12), st.randoms()
)
def test_what_was_written_is_known_in_any_order(rows: list[tuple[str, str]], order: random.Random) -> None:
    import tempfile

    findings = [finding(row, rule, line=number) for number, (row, rule) in enumerate(rows)]
    shuffled = order.sample(findings, len(findings))
    with tempfile.TemporaryDirectory() as folder:
        known = Path(folder) / "known.json"
        write_baseline(known, result(*findings))
        once = known.read_bytes()
        after = compared(known, *shuffled)
        assert (after.result.findings, after.unused, after.expired) == ((), (), ())
        write_baseline(known, result(*shuffled))
        assert known.read_bytes() == once


ENTRY = '{"rule": "CHAT010", "path": "a", "row_id": "b", "json_path": "$", "count": 1}'


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is not JSON"),
        ("[]", "is no baseline"),
        ('{"schema": "tunegate.baseline/2", "findings": []}', "is of schema 'tunegate.baseline/2'"),
        ('{"schema": "tunegate.baseline/1"}', "is damaged"),
        ('{"schema": "tunegate.baseline/1", "findings": [1]}', "is damaged"),
        ('{"schema": "tunegate.baseline/1", "findings": [{}]}', "is damaged"),
        (f'{{"schema": "tunegate.baseline/1", "findings": [{ENTRY.replace("1}", "-1}")}]}}', "a count from 1"),
        (f'{{"schema": "tunegate.baseline/1", "findings": [{ENTRY.replace("1}", "true}")}]}}', "a count from 1"),
        (
            f'{{"schema": "tunegate.baseline/1", "findings": [{ENTRY[:-1]}, "expires": "soon"}}]}}',
            "Invalid isoformat string: 'soon'",
        ),
        (f'{{"schema": "tunegate.baseline/1", "findings": [{ENTRY[:-1]}, "expires": 7}}]}}', "is damaged"),
        (b"\xff\xfe", "is not JSON"),
    ],
)
def test_a_damaged_one_is_refused_and_can_be_written_again(content: str | bytes, words: str, known: Path) -> None:
    known.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=words) as error:
        compared(known, finding())
    assert "known.json" in str(error.value)
    write_baseline(known, result(finding()))
    assert compared(known, finding()).left_out == 1


def test_a_missing_one_is_an_error(known: Path) -> None:
    with pytest.raises(InputError, match=r"known\.json"):
        compared(known)


def turns(user: str, answer: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": user}, {"role": "assistant", "content": answer}]


def row(user: str, answer: str, **more: Any) -> str:
    return json.dumps({"messages": turns(user, answer), **more})


def defining(name: str, text: str) -> str:
    tool = {"type": "function", "function": {"name": "rate", "description": text}}
    return row(f"Ask {name}", f"{name} has been told today.", tools=[tool])


LONG = "Hello, I ordered two weeks ago and have not heard from you since, so can you tell me where my parcel"
OPEN = turns("Is the shop open?", "Until six.")
SYSTEM = {"role": "system", "content": "Be brief."}
TRAIN = [
    *[row("Where is my card?", "It comes on Friday.", id=number) for number in (1, 1, 2)],
    row("Who pays for the stamp?", "You do."),
    row("who pays for the STAMP?", "You do."),
    row(f"{LONG} is?", "On its way to you."),
    row(f"{LONG} went?", "On its way to you."),
    row("May I have the bill again?", "Of course you may."),
    row("May I have the bill again?", "No, we never send it twice."),
    json.dumps({"messages": OPEN}),
    json.dumps({"messages": [*OPEN, *turns("On Sundays too?", "No, never then.")]}),
    json.dumps({"messages": [SYSTEM, *turns("How is it?", "It is good as it is.")]}),
    defining("Jane", "one"),
    defining("Joe", "other"),
    row("Can I have my money back?", "Within two weeks."),
]
TEST = [row("Can I have my money back?", "Within a month."), row("can i have my money back", "Never, I fear.")]
EXPECTED = {"DUP001", "DUP002", "DUP003", "DUP004", "DUP005", "LEAK001", "CHAT021", "TOOL017", "FILE012"}


@settings(deadline=None, max_examples=25)
@given(st.permutations(TRAIN), st.permutations(TEST))
def test_rows_may_move_and_nothing_is_new(train: list[str], test: list[str]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = [DataFile(folder / "train.jsonl"), DataFile(folder / "test.jsonl", "test")]
        known = folder / "known.json"
        for file, rows in zip(files, (TRAIN, TEST), strict=True):
            file.path.write_text("\n".join(rows) + "\n")
        before = check(files)
        assert {finding.rule for finding in before.findings} >= EXPECTED
        write_baseline(known, before)
        for file, rows in zip(files, (train, test), strict=True):
            file.path.write_text("\n".join(rows) + "\n")
        after = without_known(check(files), known, TODAY)
        assert [(found.rule, found.message) for found in after.result.findings] == []
        assert after.unused == ()


def test_another_copy_and_another_pair_are_news(tmp_path: Path) -> None:
    path, known = tmp_path / "a.jsonl", tmp_path / "known.json"
    path.write_text("\n".join([*TRAIN, ""]))
    write_baseline(known, check([DataFile(path)]))
    more = [TRAIN[0], row("May I have a look?", "Please do."), row("may i have a LOOK?", "Please do.")]
    path.write_text("\n".join([*TRAIN, *more, ""]))
    found = without_known(check([DataFile(path)]), known, TODAY).result.findings
    assert [finding.rule for finding in found] == ["DUP001", "DUP002"]
