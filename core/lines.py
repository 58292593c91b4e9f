"""The lines of a file, read by bytes in blocks of whole lines.

Lines end at LF only (`str.splitlines` would cut inside strings that hold U+2028 or a form feed). A block is what
is worth doing something for at once: looking for a rare sign, or handing it to another process.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, NamedTuple, cast

from tunegate.core.errors import InputError
from tunegate.core.files import explain_os_error

BOM = b"\xef\xbb\xbf"

# Large enough that what is done once for a block costs nothing, small enough that few of its lines need a close
# look.
BLOCK_BYTES = 128 * 1024


class Line(NamedTuple):
    """One line of a file: number from 1, bytes without the LF and without the file's BOM."""

    number: int
    raw: bytes
    ended: bool


class Block(NamedTuple):
    """Whole lines that follow each other: the number of the first, and their bytes with their line ends."""

    number: int
    raw: bytes

    def pieces(self) -> list[bytes]:
        """Return the bytes of the lines without their ends."""
        found = self.raw.split(b"\n")
        return found if found[-1] else found[:-1]

    @property
    def is_ended(self) -> bool:
        """Whether its last line has an end; only the last line of a file may lack it."""
        return self.raw.endswith(b"\n")

    def lines(self) -> Iterator[Line]:
        """Give the lines, in their order."""
        pieces = self.pieces()
        unended = None if self.is_ended else len(pieces) - 1
        for place, raw in enumerate(pieces):
            yield Line(self.number + place, raw, place != unended)


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file for reading, unpacking `.gz` and `.zst`. Raises InputError with the reason."""
    try:
        if path.is_dir():
            raise InputError(
                f"cannot read {path}: it is a folder; name a file, or use a glob such as {path}/*.jsonl"
            )
        if path.suffix == ".gz":
            return cast(IO[bytes], gzip.open(path, "rb"))
        if path.suffix == ".zst":
            from tunegate.core.zstd import open_zstd

            return open_zstd(path)
        return path.open("rb")
    except OSError as error:
        raise explain_os_error(error, path, "read") from error


def read_blocks(path: Path, size: int | None = None) -> Iterator[Block]:
    """Give the lines of a file in blocks, one in memory at a time.

    `size` is how many bytes are read of a file that is not compressed: what is written to it meanwhile is left for
    the next time. Raises InputError when the file cannot be read, or has become shorter than that.
    """
    last = Block(1, b"")
    try:
        for block in blocks_of(_chunks(path, size)):
            yield block
            last = block
    except OSError as error:
        raise explain_os_error(error, path, "read") from error
    except EOFError as error:
        raise InputError(f"{path} ends in the middle of the compressed data {_after(last)}") from error
    except zlib.error as error:
        raise InputError(f"{path} is damaged {_after(last)}: its compressed data cannot be read") from error


def _after(block: Block) -> str:
    return f"after line {block.number + len(block.pieces()) - 1}"


def _chunks(path: Path, size: int | None) -> Iterator[bytes]:
    left = size
    with open_bytes(path) as stream:
        while left != 0 and (chunk := stream.read(BLOCK_BYTES if left is None else min(BLOCK_BYTES, left))):
            left = None if left is None else left - len(chunk)
            yield chunk
    if left:
        raise InputError(f"{path} became shorter while it was read: wait until it is written, then start again")


def blocks_of(chunks: Iterable[bytes]) -> Iterator[Block]:
    """Give the lines in pieces of a file in blocks, without the byte-order mark of the first."""
    number, waiting = 1, list[bytes]()
    for chunk in chunks:
        cut = chunk.rfind(b"\n") + 1
        waiting.append(chunk[:cut] if cut else chunk)
        if cut:
            block = _block(number, waiting)
            number += block.raw.count(b"\n")
            yield block
            waiting = [chunk[cut:]]
    if any(waiting):
        yield _block(number, waiting)


def _block(number: int, pieces: list[bytes]) -> Block:
    raw = b"".join(pieces)
    return Block(number, raw.removeprefix(BOM) if number == 1 else raw)


def read_lines(path: Path) -> Iterator[Line]:
    """Give the lines of a file, a block of them in memory at a time. Raises InputError when it cannot be read."""
    for block in read_blocks(path):
        yield from block.lines()
