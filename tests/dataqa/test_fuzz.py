"""Any bytes give findings: examples with bytes changed, lines of odd sizes, and files that change meanwhile.

`benchmarks/fuzz_reader.py` does the same with a million inputs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.core.errors import InputError
from tunegate.core.files import sha256_bytes
from tunegate.core.lines import Block
from tunegate.dataqa.catalog import RULES
from tunegate.dataqa.check import CheckSettings, DataFile, check
from tunegate.dataqa.fix import fix
from tunegate.dataqa.row import Kind
from tunegate.dataqa.rowcheck import Part, RowCheck
from tunegate.dataqa.settings import DEFAULTS
from tunegate.dataqa.targets import TARGETS
from tunegate.dataqa.tokens import Lengths

CHAT = b'{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}'
EXAMPLES = sorted({line.strip(b"\n") for rule in RULES for line in rule.bad + rule.good if len(line) < 2000})
SIGNS = [
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\r",
    b"\x00",
    b"\xff",
    b"\\ud800",
    b"null",
    b"-0",
    b"1e999",
]
ROW_RULES = [rule for rule in RULES if rule.scope == "row"]
CHECKS = {
    target: RowCheck(ROW_RULES, target, DEFAULTS, Lengths(DEFAULTS.tokens.max), keeps_entries=True)
    for target in TARGETS
}


@st.composite
def changed_examples(draw: st.DrawFn) -> bytes:
    line = draw(st.sampled_from(EXAMPLES))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(line)))
        end = min(at + draw(st.sampled_from([0, 0, 1, 10])), len(line))
        line = line[:at] + draw(st.sampled_from(SIGNS) | st.binary(max_size=2)) + line[end:]
    return line.replace(b"\n", b" ")


lines = st.lists(changed_examples() | st.binary(max_size=40).map(lambda raw: raw.replace(b"\n", b"")), max_size=6)
targets, kinds = st.sampled_from(sorted(TARGETS)), st.sampled_from(("sft", "dpo", "rft"))


def found_in(content: list[bytes], target: str, kind: Kind) -> Iterator[tuple[str, int, str, str | None]]:
    part = Part("a.jsonl", "train", kind, Block(1, b"".join(line + b"\n" for line in content)))
    for found in CHECKS[target](part).findings:
        assert 1 <= found.column <= len(content[found.line - 1]) + 1
        assert found.message.isprintable()
        yield found.rule, found.column, found.message, found.fix


@settings(deadline=None, max_examples=100)
@given(lines, targets, kinds)
def test_lines_together_give_what_they_give_alone(content: list[bytes], target: str, kind: Kind) -> None:
    alone = [found for line in content for found in found_in([line], target, kind)]
    assert list(found_in(content, target, kind)) == alone


@settings(deadline=None, max_examples=50)
@given(lines, targets)
def test_what_is_mended_stays_mended(content: list[bytes], target: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = DataFile(Path(folder) / "a.jsonl")
        file.path.write_bytes(b"\n".join([CHAT, *content]))
        try:
            fix(file, CheckSettings(target), unsafe=True)
        except InputError:  # too many control characters to be text
            return
        once = file.path.read_bytes()
        fix(file, CheckSettings(target), unsafe=True)
        assert file.path.read_bytes() == once


@pytest.mark.parametrize(
    ("long", "rules"),
    [
        (CHAT.replace(b"Hello", b"Hello " * 8_750_000), {"FILE017"}),
        (CHAT.replace(b"Hello", b"Hello " * 8_750_000)[:-5], {"FILE006", "FILE017"}),
        (b'{"messages": ["' + b"\\" * 52_500_000, {"FILE006", "FILE017"}),
    ],
    ids=["a chat", "a chat that is cut off", "backslashes"],
)
def test_a_line_of_50_megabytes(long: bytes, rules: set[str], tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(CHAT + b"\n" + long + b"\n[1]\n")
    result = check([DataFile(path)], CheckSettings(select=("FILE",)))
    assert {found.rule for found in result.findings if found.line == 2} == rules
    assert "FILE007" in {found.rule for found in result.findings if found.line == 3}


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"messages":[', b'[{"messages":'])
@pytest.mark.parametrize("is_closed", [True, False])
def test_nesting_of_100000(opening: bytes, is_closed: bool, tmp_path: Path) -> None:
    closing = bytes({0x5B: b"]", 0x7B: b"}"}[sign][0] for sign in reversed(opening) if sign in b"[{")
    path = tmp_path / "a.jsonl"
    path.write_bytes(
        CHAT + b"\n" + opening * 100_000 + b"1" * is_closed + closing * (100_000 * is_closed) + b"\n[1]\n"
    )
    found = check([DataFile(path)]).findings
    assert "FILE006" in {each.rule for each in found if each.line == 2}
    assert "FILE007" in {each.rule for each in found if each.line == 3}


def test_what_is_written_during_the_check_is_left_for_the_next(tmp_path: Path) -> None:
    path = tmp_path / "growing.jsonl"
    content = (CHAT + b"\n") * 10_000
    path.write_bytes(content)

    def write_more(done: int, total: int, name: str) -> None:
        with path.open("ab") as stream:
            stream.write(b"not json\n" * 100)

    result = check([DataFile(path)], CheckSettings(select=("FILE", "CHAT")), write_more)
    assert (result.files[0].rows, result.files[0].bytes) == (10_000, len(content))
    assert result.files[0].sha256 == sha256_bytes(content)
    assert path.stat().st_size > len(content)
    assert "FILE006" not in {found.rule for found in result.findings}
    again = check([DataFile(path)], CheckSettings(select=("FILE",)))
    assert "FILE006" in {found.rule for found in again.findings}


def personal(text: bytes, count: int) -> bytes:
    return CHAT.replace(b"Hi", text * count)


def empty_messages(count: int) -> bytes:
    return b'{"messages": [' + b"{}, " * count + CHAT.partition(b"[")[2]


@pytest.mark.parametrize(
    "line",
    [
        partial(personal, b"a@b.de "),
        partial(personal, b"+49 30 901820 "),
        partial(personal, b"DE89 3704 0044 0532 0130 00 "),
        partial(personal, b"8.8.8.8 "),
        partial(personal, b"AKIAIOSFODNN7EXAMPL2 "),
        empty_messages,
    ],
    ids=["addresses", "numbers", "accounts", "hosts", "keys", "messages"],
)
def test_a_line_of_many_faults_is_told_of_each(line: Callable[[int], bytes]) -> None:
    """If each were compared with each, this would take minutes."""
    count = 1200
    assert len(list(found_in([line(count)], "hf", "sft"))) >= count


@pytest.mark.slow
def test_a_million_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    faults = {7: b"not json", 500_000: CHAT.replace(b"Hello", b" "), 999_999: CHAT.replace(b"user", b"usr")}
    with path.open("wb") as stream:
        for number in range(1, 1_000_001):
            stream.write(faults.get(number, CHAT.replace(b"Hi", b"Question %d" % number)) + b"\n")
    result = check([DataFile(path)], CheckSettings(select=("FILE", "CHAT0", "SEC", "PII")))
    assert result.files[0].rows == 1_000_000
    assert {found.line for found in result.findings} == set(faults)
