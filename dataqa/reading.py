"""How a data file is written, found out from its first bytes, and its lines as UTF-8 whatever it is written in."""

from __future__ import annotations

import codecs
import json
import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Literal, cast

from tunegate.core.errors import InputError
from tunegate.core.files import explain_os_error
from tunegate.core.jsonl import decode
from tunegate.core.lines import BLOCK_BYTES, BOM, Block, Line, blocks_of, open_bytes, read_blocks
from tunegate.dataqa.row import Kind
from tunegate.dataqa.schema import SAMPLE_ROWS, kind_of

# Enough for the first row of any usual file; one that is longer is judged by its first two lines.
HEAD_BYTES = 1024 * 1024

# Text has no more control characters than this among its first bytes; random bytes have a tenth.
MAX_CONTROL_SHARE = 0.05
_CONTROL = bytes(code for code in range(32) if code not in b"\t\n\r\f\x1b")

_FORMATS = {
    b"PAR1": "a Parquet file",
    b"PK\x03\x04": "a ZIP archive",
    b"\x1f\x8b": "compressed with gzip: name it .jsonl.gz",
    b"\x28\xb5\x2f\xfd": "compressed with Zstandard: name it .jsonl.zst",
    b"%PDF": "a PDF document",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"SQLite format 3": "an SQLite database",
    b"ARROW1": "an Arrow file",
}

_MARKS = {
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}


# By form: what is wrong with a file that is not written in lines, and what helps. FILE008 says it too.
TO_LINES = {
    "array": "it is one JSON array: write one object a line, with `jq -c '.[]' FILE > FILE.jsonl`",
    "objects": "its objects go over several lines: write one a line, with `jq -c . FILE > FILE.jsonl`",
}


@dataclass(frozen=True, slots=True)
class Head:
    """How a file is written: `size` in bytes on the disk, `form` as in FileFacts."""

    size: int
    encoding: str
    has_bom: bool
    compressed: bool
    form: Literal["lines", "array", "objects"]


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that is open: how it is written, its task kind, and its lines in blocks, to be read once."""

    head: Head
    kind: Kind
    blocks: Iterator[Block]

    def lines(self) -> Iterator[Line]:
        """Give the lines of all blocks."""
        for block in self.blocks:
            yield from block.lines()


def begin(path: Path, kind: str = "auto") -> Opened:
    """Look at a file's head and its first rows, and give all its lines; `auto` finds the task kind by those rows.

    The lines of a file that is not written in lines are not given. Raises InputError as `inspect` does, and while
    the lines are read.
    """
    head = inspect(path)
    blocks = _blocks(path, head) if head.form == "lines" else iter(())
    first = list(islice(blocks, 1))
    lines = islice((line for block in first for line in block.lines()), SAMPLE_ROWS)
    values = (decode(line.raw).value for line in lines)
    found = kind_of(value for value in values if isinstance(value, dict)) if kind == "auto" else cast(Kind, kind)
    return Opened(head, found, chain(first, blocks))


def inspect(path: Path) -> Head:
    """Find out how a file is written.

    Raises InputError when it is missing, unreadable, empty, or no text.
    """
    size = _size(path)
    try:
        with open_bytes(path) as stream:
            start = stream.read(HEAD_BYTES)
            whole = not stream.read(1)
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(path, error) from error
    encoding = _encoding(start)
    text = start
    if encoding != "utf-8":
        text = start[: len(start) // 4 * 4].decode(encoding, "replace").encode()
    elif reason := _binary(start):
        raise InputError(f"{path} is no text file but {reason}; JSON lines are needed, one chat a line")
    has_bom = text.startswith(BOM) or encoding in ("utf-16", "utf-32")
    text = text.removeprefix(BOM)
    if whole and not text.strip():
        raise InputError(f"{path} is empty: it holds no chat; check the path, or how the file was made")
    compressed = path.suffix in (".gz", ".zst")
    return Head(size, encoding, has_bom, compressed, _form(text, whole))


def _blocks(path: Path, head: Head) -> Iterator[Block]:
    """Give the lines of an inspected file in blocks, in UTF-8; what is written to it meanwhile is left out."""
    size = None if head.compressed else head.size
    try:
        yield from read_blocks(path, size) if head.encoding == "utf-8" else _transcoded(path, head.encoding)
    except (EOFError, zlib.error) as error:
        raise _unreadable(path, error) from error


def _transcoded(path: Path, encoding: str) -> Iterator[Block]:
    def chunks() -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder(encoding)()  # drops the byte-order mark
        with open_bytes(path) as stream:
            while chunk := stream.read(BLOCK_BYTES):
                yield decoder.decode(chunk).encode()
        yield decoder.decode(b"", final=True).encode()

    try:
        yield from blocks_of(chunks())
    except UnicodeError as error:
        raise InputError(f"{path} begins like {encoding} and is not: it is damaged, make it again") from error


def _size(path: Path) -> int:
    try:
        status = path.stat()
    except OSError as error:
        raise explain_os_error(error, path, "read") from error
    if stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode):
        return status.st_size  # a folder is refused where it is opened
    raise InputError(f"cannot read {path}: it is no ordinary file; save the data to one first")


def _unreadable(path: Path, error: Exception) -> InputError:
    if isinstance(error, OSError) and error.errno is not None:
        return explain_os_error(error, path, "read")
    return InputError(f"{path} is not what its name says: its compressed data is damaged or cut off")


def _encoding(start: bytes) -> str:
    """Return "utf-8", or the UTF-16 or UTF-32 that a byte-order mark or the place of the NUL bytes shows.

    A JSON text begins with two ASCII characters, so its first four bytes tell (RFC 4627, section 3).
    """
    for mark, encoding in _MARKS.items():
        if start.startswith(mark):
            return encoding
    pattern = "".join("0" if byte == 0 else "x" for byte in start[:4])
    return {"x0x0": "utf-16-le", "0x0x": "utf-16-be", "x000": "utf-32-le", "000x": "utf-32-be"}.get(
        pattern, "utf-8"
    )


def _binary(start: bytes) -> str | None:
    """Say what a file is that is no text; None for text."""
    for magic, name in _FORMATS.items():
        if start.startswith(magic):
            return name
    sample = start[:8192]
    controls = len(sample) - len(sample.translate(None, _CONTROL))
    return "binary data" if controls > MAX_CONTROL_SHARE * len(sample) else None


def _form(text: bytes, whole: bool) -> Literal["lines", "array", "objects"]:
    """Tell JSON lines from one array, and from values that go over several lines."""
    text = text.lstrip(b" \t\r\n")
    if text[:1] not in (b"[", b"{"):
        return "lines"
    is_array = text[:1] == b"["
    first, _, rest = text.partition(b"\n")
    value = decode(first).value
    if isinstance(value, (dict, list)):
        alone = whole and not rest.strip()
        of_rows = is_array and any(isinstance(item, dict) for item in value)
        return "array" if alone and of_rows else "lines"
    leading = _first_value(text)
    if leading is not None:
        spread = "\n" in leading
    elif is_array:  # cut off or broken: lines of an array are no values by themselves
        spread = not isinstance(decode(rest.partition(b"\n")[0]).value, (dict, list))
    else:
        spread = first.strip() == b"{"
    if not spread:
        return "lines"
    return "array" if is_array else "objects"


def _first_value(text: bytes) -> str | None:
    """Return the JSON value that `text` begins with, as it is written; None where it is broken or longer."""
    readable = text.decode(errors="replace")
    try:
        _, end = json.JSONDecoder().raw_decode(readable)
    except (ValueError, RecursionError):
        return None
    return readable[:end]
