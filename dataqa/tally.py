"""What is counted while the lines of a file go by, for the rules about the file as a whole."""

from __future__ import annotations

from tunegate.core.jsonl import Decoded
from tunegate.core.lines import Block
from tunegate.dataqa.needs import finder
from tunegate.dataqa.reading import Opened
from tunegate.dataqa.row import Row, Split
from tunegate.dataqa.rule import FileFacts
from tunegate.dataqa.rules_file import SEPARATOR_BYTES
from tunegate.dataqa.schema import schema_of
from tunegate.dataqa.turns import has_image

_holds_separator = finder(SEPARATOR_BYTES)


class Places(dict[str, tuple[int, int]]):
    """How often each name came, and on which line first."""

    def add(self, name: str | None, line: int, count: int = 1) -> None:
        """Count a name, whose first place here is a line; None is not counted."""
        if name is not None:
            before, first = self.get(name, (0, line))
            self[name] = (before + count, min(first, line))

    def merge(self, later: Places) -> None:
        """Add what was counted in later lines."""
        for name, (count, first) in later.items():
            self.add(name, first, count)


class Tally:
    """What is counted in some lines or in all: rows that are not blank, their schemas, and odd signs."""

    def __init__(self) -> None:
        self.rows = 0
        self.schemas = Places()
        self.signs = Places()
        self.image_rows = 0

    def signs_of(self, block: Block) -> None:
        """Count the signs that lines should not end with or hold."""
        has_returns, has_separators = b"\r" in block.raw, _holds_separator(block.raw)
        if not has_returns and not has_separators:
            return
        for line in block.lines():
            if line.raw.endswith(b"\r"):
                self.signs.add("carriage return", line.number)
            if has_separators and _holds_separator(line.raw):
                self.signs.add("separator", line.number)

    def row(self, number: int, decoded: Decoded) -> None:
        """Count a line that is not blank, and its schema."""
        if not any(fault.kind == "blank" for fault in decoded.faults):
            self.rows += 1
        if isinstance(decoded.value, dict):
            self.schemas.add(schema_of(decoded.value), number)

    def plain_rows(self, count: int, first: int) -> None:
        """Count plain chats, of which the first stands on a line."""
        if count:
            self.rows += count
            self.schemas.add("chat", first, count)

    def merge(self, later: Tally) -> None:
        """Add what was counted in later lines."""
        self.rows += later.rows
        self.schemas.merge(later.schemas)
        self.signs.merge(later.signs)
        self.image_rows += later.image_rows

    def look(self, row: Row) -> None:
        """Note what a row that is no plain chat holds beside text."""
        if b"image" in row.raw:
            chats = [part.chat for part in row.parts] if row.kind == "dpo" else [row]
            self.image_rows += any(map(has_image, chats))

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
            carriage_returns=self.signs.get("carriage return", (0, 0)),
            separators=self.signs.get("separator", (0, 0)),
            image_rows=self.image_rows,
        )
