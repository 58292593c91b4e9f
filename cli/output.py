"""Output that outlives its reader: `tunegate check ... | head` still ends with the code of the check."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _Outliving(io.FileIO):
    """A stream that drops what nobody reads any more, and what comes after the first error that it raises."""

    def write(self, content: ReadableBuffer, /) -> int:
        try:
            return super().write(content)
        except BrokenPipeError:
            self._drop_the_rest()
            return super().write(content)
        except OSError:
            self._drop_the_rest()  # else what is left in the buffer would fail once more while Python ends
            raise

    def _drop_the_rest(self) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)


def outlive_readers() -> None:
    """Let the work and its exit code be the same whether or not somebody reads all of the output.

    Without it the first line after the reader went away would end the command before its verdict is known.
    """
    if os.name == "nt":  # a closed pipe is another error there, and a console is no file
        return
    sys.stdout = _outliving(sys.stdout)
    sys.stderr = _outliving(sys.stderr)


def _outliving(stream: TextIO) -> TextIO:
    if not isinstance(stream, io.TextIOWrapper):  # closed, or somebody else's already
        return stream
    stream.flush()
    raw = _Outliving(stream.fileno(), "wb", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors=stream.errors,
        newline="\n",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
