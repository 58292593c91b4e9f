"""What is counted while the lines of a file go by, for the rules about the file as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from tunegate.core.jsonl import Line
from tunegate.dataqa.needs import finder
from tunegate.dataqa.reading import Opened
from tunegate.dataqa.rule import FileFacts, Row, Split
from tunegate.dataqa.rules_file import SEPARATOR_BYTES
from tunegate.dataqa.turns import has_image

# Often enough for a bar, rarely enough to cost nothing.
ROWS_BETWEEN_PROGRESS = 2000

_holds_separator = finder(SEPARATOR_BYTES)


class _Places(dict[str, tuple[int, int]]):
    """How often each name came, and on which line first."""

    def add(self, name: str | None, line: int) -> None:
        """Count one more; None is not counted."""
        if name is not None:
            count, first = self.get(name, (0, line))
            self[name] = (count + 1, first)


class Tally:
    """What is counted while the lines of a file go by."""

    def __init__(self, advance: Callable[[int], None] | None = None) -> None:
        self._advance = advance
        self.bytes = 0
        self.rows = 0
        self.schemas = _Places()
        self._signs = _Places()
        self._image_rows = 0

    def over(self, lines: Iterable[Line]) -> Iterator[Line]:
        """Give the lines on, and count."""
        for line in lines:
            raw = line.raw
            self.bytes += len(raw)
            if self._advance is not None and line.number % ROWS_BETWEEN_PROGRESS == 0:
                self._advance(self.bytes)
            if raw.strip(b" \t\r"):
                self.rows += 1
            if raw.endswith(b"\r"):
                self._signs.add("carriage return", line.number)
            if not raw.isascii() and _holds_separator(raw):
                self._signs.add("separator", line.number)
            yield line

    def look(self, row: Row) -> None:
        """Note what a row that is no plain chat holds beside text."""
        if b"image" in row.raw:
            chats = [part.chat for part in row.parts] if row.kind == "dpo" else [row]
            self._image_rows += any(map(has_image, chats))

    def facts(self, path: str, split: Split, opened: Opened, target: str) -> FileFacts:
        """Return what is known of the file whose lines went by."""
        head = opened.head
        return FileFacts(
            path=path,
            size=head.size,
            rows=self.rows,
            has_bom=head.has_bom,
            compressed=head.compressed,
            target=target,
            kind=opened.kind,
            split=split,
            encoding=head.encoding,
            form=head.form,
            schemas=dict(self.schemas),
            carriage_returns=self._signs.get("carriage return", (0, 0)),
            separators=self._signs.get("separator", (0, 0)),
            image_rows=self._image_rows,
        )
