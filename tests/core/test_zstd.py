from __future__ import annotations

import io
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.core.zstd import open_zstd

zstandard = pytest.importorskip("zstandard")


def pack(content: bytes) -> bytes:
    packed: bytes = zstandard.ZstdCompressor(write_checksum=True).compress(content)
    return packed


def read(path: Path, packed: bytes) -> bytes:
    path.write_bytes(packed)
    with open_zstd(path) as stream:
        return stream.read()


@settings(deadline=None, max_examples=40)
@given(st.lists(st.binary(max_size=50).map(lambda part: part * 9000), max_size=4))
def test_all_frames_are_read(parts: list[bytes]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.zst"
        assert read(path, b"".join(map(pack, parts))) == b"".join(parts)
        with open_zstd(path) as stream:
            assert b"".join(stream) == b"".join(parts)


@pytest.mark.parametrize("cut", [1, 3, 5, 20])
def test_a_frame_that_is_cut_off_is_no_end(cut: int, tmp_path: Path) -> None:
    packed = pack(b"row\n" * 100_000)
    with pytest.raises(EOFError):
        read(tmp_path / "a.zst", packed[:-cut])
    with pytest.raises(EOFError):
        read(tmp_path / "a.zst", packed + packed[:cut])


def test_what_is_damaged_or_no_such_file_is_refused(tmp_path: Path) -> None:
    packed = pack(bytes(range(256)) * 400)
    for wrong in (b"{}", packed + b"\n\n\n\n\n", packed[:-4] + b"\x00\x00\x00\x00"):
        with pytest.raises((zlib.error, EOFError)):
            read(tmp_path / "a.zst", wrong)
    with pytest.raises(FileNotFoundError):
        open_zstd(tmp_path / "none.zst")


def test_the_file_is_closed(tmp_path: Path) -> None:
    (tmp_path / "a.zst").write_bytes(pack(b"x"))
    stream = open_zstd(tmp_path / "a.zst")
    assert isinstance(stream, io.BufferedReader)
    stream.close()
    assert stream.closed
