from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.core.configuration import Data
from tunegate.core.errors import InputError, UsageError
from tunegate.core.findings import Severity
from tunegate.core.jsonl import row_id
from tunegate.dataqa.check import CheckSettings, DataFile, check, settings_of
from tunegate.dataqa.check_result import CheckResult, section
from tunegate.dataqa.settings import DEFAULTS

CHAT = b'{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}'
FILES_ONLY = CheckSettings(select=("FILE",))


def checked(path: Path, content: bytes, settings: CheckSettings = FILES_ONLY) -> CheckResult:
    path.write_bytes(content)
    return check([DataFile(path)], settings)


def rules_by_line(result: CheckResult) -> list[tuple[int, str]]:
    return [(found.line, found.rule) for found in result.findings if found.severity is not Severity.INFO]


def test_every_violation_is_found_in_one_pass(tmp_path: Path) -> None:
    bad = [
        CHAT,
        b"",
        b"{'a': 1}",
        b"[1]",
        b'{"a": 1, "a": 2}',
        b"caf\xe9",
        b'{"v": NaN}',
        b'{"v": "\\ud83d"}',
        CHAT,
    ]
    result = checked(tmp_path / "a.jsonl", b"\n".join(bad) + b"\n")

    assert rules_by_line(result) == [
        (2, "FILE005"),
        (3, "FILE006"),
        (4, "FILE007"),
        (5, "FILE010"),
        (6, "FILE001"),
        (7, "FILE011"),
        (8, "FILE014"),
    ]
    assert result.summary()["rows"] == 8
    assert result.summary()["rows_failed"] == 6, "a blank line is no row"


def test_a_finding_says_where_it_is(tmp_path: Path) -> None:
    content = CHAT + b"\n" + b'{"messages": [], "messages": []}\n'
    result = checked(tmp_path / "a.jsonl", content)

    (found,) = (item for item in result.findings if item.rule == "FILE010")
    assert (found.path, found.line, found.column, found.json_path) == (str(tmp_path / "a.jsonl"), 2, 18, "$")
    assert found.row_id == row_id(content.splitlines()[1])
    assert found.fix is None


def test_columns_count_bytes_and_point_at_the_value(tmp_path: Path) -> None:
    row = '{"messages": [{"role": "user", "content": "Grüße"}, {"role": "assistant", "content": "ma@firma.de"}]}'
    result = checked(tmp_path / "a.jsonl", row.encode() + b"\n", CheckSettings(select=("PII001",)))

    (found,) = result.findings
    assert found.json_path == "$.messages[1].content"
    assert row.encode()[found.column - 1 :].startswith(b'"ma@firma.de"')


def test_a_bad_file_is_a_problem_and_the_others_are_checked(tmp_path: Path) -> None:
    good, empty, binary = tmp_path / "good.jsonl", tmp_path / "empty.jsonl", tmp_path / "binary.jsonl"
    good.write_bytes(CHAT + b"\n\n")
    empty.write_bytes(b" \n\n")
    binary.write_bytes(bytes(range(256)) * 20)
    missing, folder = tmp_path / "missing.jsonl", tmp_path

    result = check([DataFile(path) for path in (missing, empty, binary, folder, good)], FILES_ONLY)

    assert [str(problem).replace(str(tmp_path), "") for problem in result.problems] == [
        "cannot read /missing.jsonl: it does not exist: check the path",
        "/empty.jsonl is empty: it holds no chat; check the path, or how the file was made",
        "/binary.jsonl is no text file but binary data; JSON lines are needed, one chat a line",
        "cannot read : it is a folder; name a file, or use a glob such as /*.jsonl",
    ]
    assert [file.path for file in result.files] == [str(good)]
    assert rules_by_line(result) == [(2, "FILE005")]
    with pytest.raises(InputError, match="does not exist"):
        section(result, relative_to=tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.jsonl", b"PAR1" + bytes(100), "a Parquet file"),
        ("a.jsonl", gzip.compress(CHAT, mtime=0), "compressed with gzip: name it .jsonl.gz"),
        ("a.jsonl", b"\x89PNG\r\n\x1a\n" + bytes(50), "an image"),
        ("a.jsonl.gz", CHAT, "its compressed data is damaged"),
        ("a.jsonl.gz", gzip.compress(CHAT * 5000)[:-50], "its compressed data is damaged or cut off"),
    ],
)
def test_what_is_no_text_is_named(name: str, content: bytes, words: str, tmp_path: Path) -> None:
    result = checked(tmp_path / name, content)
    assert words in str(result.problems[0])
    assert not result.findings


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe")
    (problem,) = check([DataFile(tmp_path / "pipe")]).problems
    assert "it is no ordinary file" in str(problem)


@pytest.mark.parametrize(
    "content",
    [
        b"[\n" + CHAT + b",\n" + CHAT + b"\n]\n",
        b"[" + CHAT + b"," + CHAT + b"]",
        json.dumps([json.loads(CHAT)] * 3000, indent=2).encode(),
        b"[\n" + CHAT + b",\n" + CHAT + b",\n",  # cut off
        b"[\n" + (CHAT + b",\n") * 20_000 + b"\n]\n",  # longer than the head that is looked at
    ],
)
def test_an_array_is_one_finding(content: bytes, tmp_path: Path) -> None:
    result = checked(tmp_path / "a.jsonl", content)
    assert [found.rule for found in result.findings] == ["FILE008"]
    assert "jq -c '.[]'" in result.findings[0].message


def test_objects_over_several_lines_are_one_finding(tmp_path: Path) -> None:
    result = checked(tmp_path / "a.jsonl", json.dumps(json.loads(CHAT), indent=2).encode() * 2)
    assert [found.message.partition(":")[0] for found in result.findings] == ["its objects go over several lines"]


def test_one_row_that_is_an_array_does_not_make_the_file_one(tmp_path: Path) -> None:
    result = checked(tmp_path / "a.jsonl", b'[{"role": "user"}]\n' + CHAT + b"\n")
    assert rules_by_line(result) == [(1, "FILE007")]
    result = checked(tmp_path / "b.jsonl", b'{"messages": [\n' + CHAT + b"\n")
    assert rules_by_line(result) == [(1, "FILE006")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_wide_files_are_named_and_their_rows_checked(encoding: str, tmp_path: Path) -> None:
    text = CHAT.decode() + "\n" + '{"a": "Grüße 😀", "a": 1}\n'
    result = checked(tmp_path / "a.jsonl", text.encode(encoding))
    assert rules_by_line(result) == [(1, "FILE003"), (2, "FILE010")]
    assert result.summary()["rows"] == 2


def test_a_file_that_only_begins_like_utf16_is_a_problem(tmp_path: Path) -> None:
    result = checked(tmp_path / "a.jsonl", b"\xff\xfe" + b"\x00\xd8" * 10)
    assert "begins like utf-16 and is not" in str(result.problems[0])


@pytest.mark.parametrize(
    ("target", "with_mark", "severity"),
    [
        ("hf", True, Severity.WARNING),
        ("hf", False, None),
        ("azure-openai", True, None),
        ("azure-openai", False, Severity.INFO),
        ("azure-phi", True, None),
        ("azure-phi", False, None),
        ("mistral", True, Severity.WARNING),
    ],
)
def test_the_byte_order_mark_is_judged_by_the_target(
    target: str, with_mark: bool, severity: Severity | None, tmp_path: Path
) -> None:
    content = (b"\xef\xbb\xbf" if with_mark else b"") + (CHAT + b"\n") * 60
    result = checked(tmp_path / "a.jsonl", content, CheckSettings(target=target, select=("FILE",)))
    assert [found.severity for found in result.findings] == ([severity] if severity else [])
    assert all(found.rule == "FILE002" for found in result.findings)


def test_line_ends_are_one_finding_a_file(tmp_path: Path) -> None:
    result = checked(
        tmp_path / "a.jsonl", (CHAT + b"\r\n") * 80 + CHAT.replace(b"Hi", "a\u2028b".encode()) + b"\n"
    )
    assert [found.message for found in result.findings] == [
        "80 of 81 lines end in CR LF: end lines with LF alone",
        "1 line holds U+2028, U+2029 or U+0085, where some readers cut it: write it as an escape",
    ]
    assert [found.line for found in result.findings] == [1, 81]


@pytest.mark.parametrize(
    ("rows", "target", "expected"),
    [
        (7, "openai", [Severity.ERROR]),
        (10, "openai", [Severity.INFO]),
        (50, "openai", []),
        (1, "hf", [Severity.INFO]),
    ],
)
def test_few_rows(rows: int, target: str, expected: list[Severity], tmp_path: Path) -> None:
    result = checked(
        tmp_path / "a.jsonl", (CHAT + b"\n") * rows, CheckSettings(target=target, select=("FILE012",))
    )
    assert [found.severity for found in result.findings] == expected
    held_out = check([DataFile(tmp_path / "a.jsonl", "validation")], CheckSettings(target, select=("FILE012",)))
    assert not held_out.findings


def test_the_last_line(tmp_path: Path) -> None:
    cut = checked(tmp_path / "a.jsonl", CHAT + b"\n" + CHAT[:40])
    assert [(found.rule, found.severity, found.fix) for found in cut.findings if found.rule != "FILE012"] == [
        ("FILE009", Severity.ERROR, None)
    ]
    whole = checked(tmp_path / "b.jsonl", CHAT + b"\n" + CHAT)
    assert [(found.rule, found.severity, found.fix) for found in whole.findings if found.rule != "FILE012"] == [
        ("FILE009", Severity.WARNING, "safe")
    ]


def test_compressed_files_are_read(tmp_path: Path) -> None:
    result = checked(tmp_path / "a.jsonl.gz", gzip.compress(CHAT + b"\nx\n"))
    assert rules_by_line(result) == [(2, "FILE006")]
    openai = CheckSettings("openai", select=("FILE016",))
    assert [found.rule for found in check([DataFile(tmp_path / "a.jsonl.gz")], openai).findings] == ["FILE016"]


def test_preference_and_reinforcement_rows_are_not_taken_for_broken_chats(tmp_path: Path) -> None:
    preference = {
        "input": {"messages": [{"role": "user", "content": "Hi"}]},
        "preferred_output": [{"role": "assistant", "content": "Hello"}],
        "non_preferred_output": [{"role": "assistant", "content": "What?"}],
    }
    graded = {"messages": [{"role": "developer", "content": "Add."}, {"role": "user", "content": "1+1"}], "sum": 2}
    shape = CheckSettings("azure-openai", select=("FILE", "CHAT", "TOOL"))
    for row in (preference, graded):
        content = b"".join(json.dumps(row).encode() + b"\n" for _ in range(60))
        result = checked(tmp_path / "a.jsonl", b"\xef\xbb\xbf" + content, shape)
        assert [found.message for found in result.findings if found.severity is Severity.ERROR] == []


def test_select_ignore_and_unknown_names(tmp_path: Path) -> None:
    content = b"\nx\n" + CHAT
    assert {
        found.rule for found in checked(tmp_path / "a", content, CheckSettings(select=("FILE00",))).findings
    } == {
        "FILE005",
        "FILE006",
        "FILE009",
    }
    chosen = CheckSettings(select=("FILE",), ignore=("file006", "FILE01"))
    assert {found.rule for found in checked(tmp_path / "a", content, chosen).findings} == {"FILE005", "FILE009"}
    with pytest.raises(UsageError, match=r"no rule 'FLIE006': did you mean 'FILE006'\?"):
        check([], CheckSettings(select=("FLIE006",)))
    with pytest.raises(UsageError, match=r"no target 'azure-openia': did you mean 'azure-openai'\?"):
        check([], CheckSettings("azure-openia"))


def test_what_is_personal_or_secret_is_in_no_finding(tmp_path: Path) -> None:
    secret = "sk-proj-" + "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7bC9dE1fG"
    mail = "erika.mustermann@firma.de"
    row = {"messages": [{"role": secret, "content": mail, mail: 1}, {"role": "assistant", "content": secret}]}
    result = checked(tmp_path / "a.jsonl", json.dumps(row).encode() + b"\n", CheckSettings())

    shown = json.dumps([found.as_json() for found in result.findings])
    assert {"SEC001", "PII001"} <= {found.rule for found in result.findings}
    assert mail not in shown
    assert secret not in shown


def test_a_secret_in_a_broken_line_is_found_and_cannot_be_masked(tmp_path: Path) -> None:
    secret = "sk-proj-" + "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7bC9dE1fG"
    result = checked(
        tmp_path / "a.jsonl", f"{{'key': '{secret}'}}\n".encode(), CheckSettings(select=("SEC", "FILE006"))
    )
    assert [(found.rule, found.line, found.fix) for found in result.findings] == [
        ("SEC001", 1, None),
        ("FILE006", 1, None),
    ]


def test_the_defaults_are_those_of_the_configuration() -> None:
    model = Data().model_dump()
    slots = {key: getattr(DEFAULTS, key) for key in model}
    for key in ("near_duplicate", "tokens", "split"):
        slots[key] = {name: getattr(slots[key], name) for name in slots[key].__slots__}
    assert slots == model
    assert settings_of(Data()).target == CheckSettings().target


def test_the_section_of_a_run(tmp_path: Path) -> None:
    made = section(checked(tmp_path / "a.jsonl", b"x\n" + CHAT + b"\n"), relative_to=tmp_path)
    assert made["files"][0]["path"] == "a.jsonl"
    assert made["by_rule"]["FILE006"] == {"count": 1, "severity": "error", "title": "A line is not JSON"}
    assert made["summary"]["rows_failed"] == 1


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    import tracemalloc

    peaks = []
    for rows in (2_000, 20_000):
        path = tmp_path / f"{rows}.jsonl"
        path.write_bytes((CHAT.replace(b"Hello", b"word " * 200) + b"\n") * rows)
        tracemalloc.start()
        check([DataFile(path)], CheckSettings(select=("FILE", "SEC")))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5 + 1_000_000


@settings(deadline=None, max_examples=60)
@given(st.lists(st.binary(max_size=60) | st.just(CHAT), max_size=8))
def test_any_bytes_are_read_to_the_end_the_same_way_each_time(lines: list[bytes]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.jsonl"
        path.write_bytes(b"\n".join([CHAT, *lines]))
        first, second = (check([DataFile(path)]) for _ in range(2))
    assert first == second or first.problems
    broken = {found.line for found in first.findings if found.severity is Severity.ERROR}
    for number, line in enumerate(b"\n".join([CHAT, *lines]).split(b"\n"), start=1):
        try:
            sound = isinstance(json.loads(line.decode()), dict)
        except (ValueError, RecursionError):
            sound = False
        last_is_nothing = not line and number == len(b"\n".join([CHAT, *lines]).split(b"\n"))
        if not sound and not first.problems and not last_is_nothing:
            assert number in broken


EXPECTED = Path(__file__).parents[1] / "data"


def verdicts(name: str, key: str) -> list[tuple[int, str, str]]:
    lines = (EXPECTED / f"{name}.expected.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    return [(row["line"], row[key], row.get("mutation") or row.get("case") or "") for row in rows]


def error_lines(path: Path) -> set[int]:
    # The verdicts are by the rules of OpenAI's and Azure's services; `hf` takes arguments that are objects.
    result = check([DataFile(path)], CheckSettings("azure-openai", select=("FILE", "CHAT", "TOOL")))
    assert not result.problems
    return {found.line for found in result.findings if found.severity is Severity.ERROR and found.row_id}


@pytest.mark.parametrize(
    ("name", "key", "bad"),
    [
        ("malformed/chats", "expect", ("invalid", "blank")),
        ("robust/json_suite", "expect_json", ("bad",)),
        ("robust/utf8", "expect", ("invalid",)),
    ],
)
def test_every_line_verdict_of_real_malformed_data(name: str, key: str, bad: tuple[str, ...]) -> None:
    found = error_lines(EXPECTED / f"{name}.jsonl")
    # A chat whose only answer has weight 0 is sound in form; that it teaches nothing is another error (CHAT020).
    judged = [item for item in verdicts(name, key) if item[1] != "policy" and item[2] != "weight-0"]
    assert [item for item in judged if (item[0] in found) != (item[1] in bad)] == []


def test_nothing_heavy_is_imported_for_a_plain_file(tmp_path: Path) -> None:
    import subprocess

    (tmp_path / "a.jsonl").write_bytes((CHAT + b"\n") * 60)
    code = (
        "import sys\nfrom tunegate.cli.main import main\ncode = main(['check', 'a.jsonl'])\n"
        "heavy = {'numpy', 'pydantic', 'rich', 'polars', 'torch', 'sklearn', 'scipy', 'jsonschema', 'ftfy'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "[]"


@pytest.mark.shared
def test_every_verdict_on_tool_calls_and_naughty_strings(shared: Path) -> None:
    data = shared / "data"
    # Line 260 gives a list where its tool declares a number (TOOL005), which the verdicts do not look at.
    assert error_lines(data / "toolcall" / "glaive_en.jsonl") == {260}
    assert error_lines(data / "robust" / "blns.jsonl") == set()


# Lines that data/README.md itself calls faulty: the chat of line 4 has no user turn.
FAULTY = {"toy_chat_fine_tuning.jsonl": {4}}


@pytest.mark.shared
@pytest.mark.parametrize("folder", ["chat", "intent"])
def test_real_chats_have_no_errors_of_shape(folder: str, shared: Path) -> None:
    for path in sorted((shared / "data" / folder).glob("*.jsonl")):
        if not path.name.endswith(".expected.jsonl"):
            assert error_lines(path) == FAULTY.get(path.name, set()), path.name


def test_the_result_does_not_depend_on_how_many_processes_share_the_work(tmp_path: Path) -> None:
    path = tmp_path / "many.jsonl"
    rows = [
        f'{{"messages": [{{"role": "user", "content": "Question {number % 700} about parcel {number} '
        f'and max.muster{number}@firma.example"}}, {{"role": "assistant", "content": "Answer {number % 300}"}}]}}'
        for number in range(3000)
    ]
    rows[1500:1500] = ["not json", "", "[1]", rows[3]]
    path.write_text("\n".join(rows), encoding="utf-8")
    alone, shared = (check([DataFile(path)], CheckSettings(jobs=jobs)) for jobs in (1, 3))
    assert len(alone.findings) > 3000
    assert shared == alone


def test_findings_before_the_damage_of_a_compressed_file_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "cut.jsonl.gz"
    rows = b"".join(b'{"messages": [], "number": %d}\n' % (number * 7919) for number in range(60_000))
    path.write_bytes(gzip.compress(rows)[:-2000])
    for jobs in (1, 2):
        result = check([DataFile(path)], CheckSettings(select=("CHAT002",), jobs=jobs))
        assert len(result.problems) == 1
        assert len(result.findings) > 40_000


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        (['{"text": "The sky is blue."}'] * 2, []),
        (['{"prompt": "The sky is", "completion": " blue."}'] * 2, []),
        (['{"text": "The sky is blue."}', '{"prompt": "The sky is", "completion": " blue."}'], ["FILE015"]),
        (['{"conversations": [{"from": "human", "value": "Hi"}]}'], ["CHAT023"]),
    ],
)
def test_files_of_texts_or_prompts_are_sound_with_hf_and_a_mix_is_not(
    rows: list[str], found: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(rows) + "\n")
    result = check([DataFile(path)], CheckSettings(ignore=("FILE012", "DUP")))
    assert [finding.rule for finding in result.findings] == found
