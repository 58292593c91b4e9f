"""One line of a file as rules see it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from tunegate.core.jsonl import Decoded, decode, row_id
from tunegate.core.location import Path
from tunegate.dataqa.pairs import Part, parts_of

Kind = Literal["sft", "dpo", "rft"]
Split = Literal["train", "validation", "test"]


class Row:
    """One line of a file as rules see it. `messages` holds only what is an object, with its index."""

    __slots__ = ("_id", "_messages", "_parts", "decoded", "ended", "kind", "line", "path", "raw", "target")

    def __init__(
        self,
        raw: bytes,
        path: str = "-",
        line: int = 1,
        *,
        decoded: Decoded | None = None,
        target: str = "hf",
        kind: Kind = "sft",
        ended: bool = True,
    ) -> None:
        self.raw = raw
        self.path = path
        self.line = line
        self.decoded = decode(raw) if decoded is None else decoded
        self.target = target
        self.kind = kind
        self.ended = ended
        self._id: str | None = None
        self._messages: list[tuple[int, dict[str, Any]]] | None = None
        self._parts: tuple[Part, ...] | None = None

    @property
    def value(self) -> Any:
        """The JSON value of the line, or MISSING."""
        return self.decoded.value

    @property
    def is_object(self) -> bool:
        """Whether the line is a JSON object."""
        return isinstance(self.decoded.value, dict)

    @property
    def messages(self) -> list[tuple[int, dict[str, Any]]]:
        """The messages that are objects, each with its index; empty where there are none."""
        if self._messages is None:
            value = self.decoded.value
            found = value.get("messages") if isinstance(value, dict) else None
            listed = enumerate(found if isinstance(found, list) else [])
            all_are = self.decoded.is_plain
            self._messages = list(listed) if all_are else [pair for pair in listed if isinstance(pair[1], dict)]
        return self._messages

    def texts(self, *roles: str) -> Iterator[tuple[Path, str, str]]:
        """Give (path, role, text) of every string content and text part; of `roles` only where they are named."""
        for index, message in self.messages:
            role = message.get("role")
            if not isinstance(role, str) or (roles and role not in roles):
                continue
            content = message.get("content")
            if isinstance(content, str):
                yield ("messages", index, "content"), role, content
            elif isinstance(content, list):
                for number, part in enumerate(content):
                    if isinstance(part, dict) and isinstance(part.get("text"), str):
                        yield ("messages", index, "content", number, "text"), role, part["text"]

    @property
    def parts(self) -> tuple[Part, ...]:
        """The lists of messages inside a preference row, each as a chat."""
        if self._parts is None:
            self._parts = parts_of(self)
        return self._parts

    def inside(self, value: Any) -> Row:
        """Return a row of the same line with another value: one that is made of parts of this one."""
        decoded = Decoded(value, self.decoded.faults, self.decoded.has_float)
        return Row(
            self.raw, self.path, self.line,
            decoded=decoded, target=self.target, kind=self.kind, ended=self.ended,
        )  # fmt: skip

    @property
    def id(self) -> str:
        """The row's id; see `core.jsonl.row_id`."""
        if self._id is None:
            self._id = row_id(self.raw, self.decoded)
        return self._id
