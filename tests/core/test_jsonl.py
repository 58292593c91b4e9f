from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.core.errors import InputError
from tunegate.core.jsonl import MISSING, decode, dumps, read_rows, row_id, write_rows

numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
json_objects = st.dictionaries(st.text(max_size=6), json_values, max_size=5)


@pytest.mark.parametrize(
    ("raw", "kind", "column"),
    [
        (b"", "blank", 1),
        (b" \t", "blank", 1),
        (b'{"a": 1', "syntax", 8),
        (b'{"a": "x', "syntax", 7),
        (b'{"\xc3\xa4": tru}', "syntax", 8),
        (b"{'a': 1}", "syntax", 2),
        (b'{"a": [1,]}', "syntax", 10),
        (b"{} {}", "syntax", 4),
        (b'{"a": "caf\xe9"}', "encoding", 11),
        (b'{"a": NaN}', "number", 7),
        (b'{"a": -Infinity}', "number", 7),
        (b'{"a": 9007199254740993}', "number", 7),
        (b'{"a": 1, "a": 2}', "duplicate-key", 10),
        (b'{"x": [{"a" : 1, "a": 2}]}', "duplicate-key", 18),
        (b'{"a": "\\ud83d"}', "surrogate", 8),
        (b'{"a": "\\ude00\\ud83d"}', "surrogate", 8),
        (b"[" * 100_000, "depth", 1),
    ],
)
def test_faults_are_located_in_bytes(raw: bytes, kind: str, column: int) -> None:
    fault = decode(raw).faults[0]

    assert (fault.kind, fault.column) == (kind, column)


@pytest.mark.parametrize(
    "raw",
    [b'{"a": "\\\\ud83d"}', b'{"a": "\\ud83d\\ude00"}', b'{"a": ":x", "b": "he said \\":"}', b'{"a" : 1}', b"-0"],
)
def test_sound_lines_have_no_fault(raw: bytes) -> None:
    assert decode(raw).faults == ()


@given(json_values)
@settings(deadline=None)
def test_decode_equals_the_standard_library(value: object) -> None:
    raw = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    try:
        raw.decode()
    except UnicodeDecodeError:
        assert decode(raw).value is MISSING
        return
    decoded = decode(raw)
    assert decoded.faults == ()
    assert decoded.value == value


@given(st.binary(max_size=80) | st.text(alphabet='{}[]":,\\u0dD8 1eE.-x\n', max_size=60).map(str.encode))
@settings(deadline=None, max_examples=500)
def test_any_bytes_are_decoded_or_explained(raw: bytes) -> None:
    decoded = decode(raw)
    assert decoded.value is not MISSING or decoded.faults
    assert all(1 <= fault.column <= len(raw) + 1 and fault.message for fault in decoded.faults)
    assert len(row_id(raw, decoded)) == 16


@given(json_objects, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_row_id_does_not_depend_on_key_order_or_white_space(row: dict[str, object], random: object) -> None:
    shuffled = list(row.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    plain = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
    spaced = json.dumps(dict(shuffled), ensure_ascii=True, indent=1).replace("\n", " ")

    assert row_id(plain.encode()) == row_id(spaced.encode())


def test_row_id_takes_numbers_as_written() -> None:
    assert row_id(b'{"a": 1.0}') != row_id(b'{"a": 1.00}')
    assert row_id(b'{"a": 1}') != row_id(b'{"a": 1.0}')
    assert row_id(b'{"b": -0, "a": 1e5}') == row_id(b'{"a":1e5,"b":-0}')


def test_row_id_is_the_documented_hash() -> None:
    import hashlib

    expected = hashlib.sha256('{"a":"ä","b":[1,2.50]}'.encode()).hexdigest()[:16]
    assert row_id(b'{ "b": [1, 2.50], "a": "\\u00e4" }') == expected


@given(st.lists(json_objects, max_size=5))
@settings(deadline=None, max_examples=50)
def test_written_rows_are_read_again(rows: list[dict[str, object]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        assert write_rows(path, rows) == len(rows)
        assert list(read_rows(path)) == [json.loads(dumps(row)) for row in rows]


def test_a_damaged_file_of_ours_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(b"{}\n{\n")
    with pytest.raises(InputError, match=r"ledger\.jsonl:2 is damaged"):
        list(read_rows(path))


@pytest.mark.parametrize("depth", [199, 200, 300, 990, 5000])
@pytest.mark.parametrize("inmost", ["1", "0.5", "NaN"])
def test_a_row_nested_too_deeply_is_a_fault_and_has_an_id(depth: int, inmost: str) -> None:
    raw = ('{"a": ' + "[" * depth + inmost + "]" * depth + "}").encode()
    assert [fault.kind for fault in decode(raw).faults if fault.kind == "depth"] == ["depth"] * (depth > 199)
    assert len(row_id(raw)) == 16
    assert row_id(raw) != row_id(raw.replace(inmost.encode(), b"2"))


keys = st.sampled_from(["a", "b", 'q"', "s\\", "c:"])
members = st.recursive(
    st.sampled_from(["1", "[]", "123456789012345678901", "0.5"])
    | st.sampled_from(["x", 'say "k": y', '" : z', 'ends in "', "back\\", 'both \\":']).map(json.dumps),
    lambda inner: st.lists(
        st.tuples(keys.map(json.dumps), st.sampled_from(["", " ", "\t ", "  "]), inner), min_size=1, max_size=3
    ).map(lambda items: "{" + ", ".join(f"{key}{space}: {value}" for key, space, value in items) + "}"),
    max_leaves=5,
)


@settings(deadline=None, max_examples=300)
@given(members)
def test_the_fast_way_hides_no_duplicate_key_and_no_rounded_number(text: str) -> None:
    hidden = []

    def pairs(items: list[tuple[str, object]]) -> dict[str, object]:
        hidden.append(len({key for key, _ in items}) < len(items))
        return dict(items)

    def integer(digits: str) -> int:
        hidden.append(abs(int(digits)) > 2**53)
        return int(digits)

    json.loads(text, object_pairs_hook=pairs, parse_int=integer)

    assert bool(decode(text.encode()).faults) == any(hidden)


contents = st.text(max_size=6) | st.sampled_from(['"', "\\", '\\"', '\\\\"', "a\\", '":', "\\\\", '"role":"x"'])


@given(contents, contents, st.booleans(), st.sampled_from(["", " "]), st.booleans())
def test_a_plain_chat_is_decoded_as_by_the_careful_way(
    question: str, answer: str, escaped: bool, space: str, twice: bool
) -> None:
    """The quick proof must never hide a key that stands twice, however texts are written."""
    user = json.dumps(question, ensure_ascii=escaped)
    turn = f'{{"role":{space}"user","content":{user}}}'
    if twice:
        turn = turn[:-1] + f',"content":{user}}}'
    raw = f'{{"messages":[{turn},{{"role":"assistant","content":{json.dumps(answer)}}}]}}'
    try:
        line = raw.encode()
    except UnicodeEncodeError:
        return
    decoded = decode(line)
    kinds = {fault.kind for fault in decoded.faults}
    assert ("duplicate-key" in kinds) == twice
    if not kinds:
        assert decoded.value == json.loads(line)


def test_a_long_line_full_of_faults_is_decoded_in_its_time() -> None:
    """Each would take minutes if every fault were looked for from the start of the line."""
    from tunegate.core.jsonl import MAX_FAULTS, lone_surrogates

    keys = b", ".join(b'"k%d": 1' % (number // 2) for number in range(60_000))
    assert len(decode(b"{" + keys + b"}").faults) == MAX_FAULTS
    numbers = b", ".join([b"12345678901234567890"] * 60_000)
    assert len(decode(b'{"a": [' + numbers + b"]}").faults) == MAX_FAULTS
    halves = b'"' + b"\\ud83d " * 100_000 + b'"'
    assert lone_surrogates(halves, b"\\ufffd") == b'"' + b"\\ufffd " * 100_000 + b'"'
