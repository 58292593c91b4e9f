from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunegate.core.errors import InputError
from tunegate.core.lines import BLOCK_BYTES, BOM, Line, blocks_of, read_blocks, read_lines

pieces = st.lists(st.binary(max_size=12) | st.sampled_from([b"\n", b"a\nb", b"\r\n", b"\n\n"]), max_size=12)


def lines_by_hand(content: bytes) -> list[Line]:
    parts = content.removeprefix(BOM).split(b"\n")
    ended = [Line(number, raw, True) for number, raw in enumerate(parts[:-1], start=1)]
    return ended + ([Line(len(parts), parts[-1], False)] if parts[-1] else [])


@given(pieces)
def test_lines_do_not_depend_on_how_a_file_is_cut_into_pieces(chunks: list[bytes]) -> None:
    found = [line for block in blocks_of(filter(None, chunks)) for line in block.lines()]
    assert found == lines_by_hand(b"".join(chunks))


@given(pieces)
def test_blocks_hold_whole_lines_and_lose_no_byte(chunks: list[bytes]) -> None:
    blocks = list(blocks_of(filter(None, chunks)))
    assert b"".join(block.raw for block in blocks) == b"".join(chunks).removeprefix(BOM)
    assert all(block.raw.endswith(b"\n") for block in blocks[:-1])


def test_a_line_longer_than_a_block_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    long = b"x" * (5 * BLOCK_BYTES + 3)
    path.write_bytes(b"a\n" + long + b"\nb")
    assert list(read_lines(path)) == [Line(1, b"a", True), Line(2, long, True), Line(3, b"b", False)]


def test_what_is_written_while_a_file_is_read_is_left_for_the_next_time(tmp_path: Path) -> None:
    path = tmp_path / "growing.jsonl"
    path.write_bytes(b"row\n" * 100_000)
    blocks = read_blocks(path, path.stat().st_size)
    first = next(blocks)
    with path.open("ab") as stream:
        stream.write(b"late\n" * 100_000)
    assert first.raw + b"".join(block.raw for block in blocks) == b"row\n" * 100_000


def test_a_file_that_shrinks_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "shrinking.jsonl"
    path.write_bytes(b"row\n" * 100_000)
    blocks = read_blocks(path, path.stat().st_size)
    next(blocks)
    path.write_bytes(b"")
    with pytest.raises(InputError, match=r"shrinking\.jsonl became shorter while it was read"):
        list(blocks)


def test_damaged_compression_says_after_which_line(tmp_path: Path) -> None:
    path = tmp_path / "cut.jsonl.gz"
    path.write_bytes(gzip.compress(b"".join(b"%d\n" % (number * 7919) for number in range(200_000)))[:-100])
    with pytest.raises(InputError, match="ends in the middle of the compressed data after line "):
        list(read_lines(path))


def test_lines_end_at_lf_only(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes('{"a": "x\u2028y\u0085z\x0c"}\r\n\n{"b": 1}'.encode())

    lines = list(read_lines(path))

    assert [line.number for line in lines] == [1, 2, 3]
    assert lines[0].raw.endswith(b"\r")
    assert [line.ended for line in lines] == [True, True, False]


def test_a_bom_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\xef\xbb\xbf{}\n\xef\xbb\xbf{}\n")

    assert [line.raw for line in read_lines(path)] == [b"{}", b"\xef\xbb\xbf{}"]


def test_gz_is_unpacked_and_a_cut_one_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"a": 1}\n' * 2000))
    assert sum(1 for _ in read_lines(path)) == 2000

    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="ends in the middle"):
        list(read_lines(path))


def test_what_cannot_be_read_is_named_with_its_repair(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="it does not exist: check the path"):
        list(read_lines(tmp_path / "missing.jsonl"))
    with pytest.raises(InputError, match=r"it is a folder; name a file, or use a glob"):
        list(read_lines(tmp_path))
