"""Files that are written packed where their name says so."""

from __future__ import annotations

import contextlib
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from tunegate.core.errors import UsageError
from tunegate.core.files import replacing


@contextlib.contextmanager
def packing(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for writing, whole or not at all, and pack what goes into a `.gz`.

    Equal content gives equal bytes: a packed file holds neither time nor name. Raises UsageError for `.zst`, which
    is only read, and InputError as `replacing` does.
    """
    if path.suffix == ".zst":
        raise UsageError(
            f"{path} would be packed with Zstandard, which is only read: name it .gz, or leave .zst out"
        )
    with replacing(path) as stream:
        if path.suffix != ".gz":
            yield stream
            return
        with gzip.GzipFile("", "wb", compresslevel=6, fileobj=stream, mtime=0) as packed:
            yield cast(IO[bytes], packed)
