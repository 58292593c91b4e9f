"""Files that are compressed with Zstandard, read to their real end.

The reader of the package `zstandard` ends without a word after the first of several frames, and where a frame is
cut off. Files that are packed in parallel, or joined, have several frames.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import IO, Any

from tunegate.core.extras import need

CHUNK = 128 * 1024


def open_zstd(path: Path) -> IO[bytes]:
    """Open a file for reading. EOFError or zlib.error, as from gzip, come while a damaged one is read."""
    return io.BufferedReader(_Unpacked(path.open("rb"), need("zstandard", "data")), CHUNK)


class _Unpacked(io.RawIOBase):
    """The content of a file of Zstandard frames."""

    def __init__(self, packed: IO[bytes], zstandard: Any) -> None:
        self._packed = packed
        self._zstandard = zstandard
        self._frame: Any = None  # the frame under way
        self._waiting = b""  # packed bytes behind the last frame
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        """Whether it can be read: it can."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a part of the buffer; 0 at the end."""
        while not self._ready:
            packed = self._waiting or self._packed.read(CHUNK)
            if not packed:
                if self._frame is not None:
                    raise EOFError("the compressed data ends in the middle of a frame")
                return 0
            self._ready = memoryview(self._unpack(packed))
        target = memoryview(buffer).cast("B")
        count = min(len(target), len(self._ready))
        target[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def _unpack(self, packed: bytes) -> bytes:
        import zlib

        self._frame = self._frame or self._zstandard.ZstdDecompressor().decompressobj()
        try:
            unpacked: bytes = self._frame.decompress(packed)
        except self._zstandard.ZstdError as error:
            raise zlib.error(str(error)) from error
        self._waiting = b""
        if self._frame.eof:
            self._waiting = self._frame.unused_data
            self._frame = None
        return unpacked

    def close(self) -> None:
        """Close the file too."""
        self._packed.close()
        super().close()
