"""What a rule is: an id, a severity, a few lines of code, and one bad and one good example.

    @rule(
        "CHAT010",
        Severity.ERROR,
        bad='{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": " "}]}',
        good='{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}',
        says="the content is empty: write the text, or drop the row",
    )
    def empty_content(row: Row) -> Iterator[Hit]:
        ...

The decorator returns a `Rule` and touches no global; `catalog.py` names every rule in one tuple. The docstring of
the function is the rule's page in `tunegate explain`, and the examples are its test: the bad one gives exactly
one hit with the message `says`, the good one differs only by the fault and gives none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tunegate.core.findings import Fix, Partner, Severity
from tunegate.core.jsonl import MISSING, Decoded, decode, row_id
from tunegate.core.location import Path
from tunegate.dataqa.needs import finder
from tunegate.dataqa.pairs import Part, parts_of

Kind = Literal["sft", "dpo", "rft"]
Split = Literal["train", "validation", "test"]


class Row:
    """One line of a file as rules see it. `messages` holds only what is an object, with its index."""

    __slots__ = ("_messages", "_parts", "decoded", "ended", "kind", "line", "path", "raw", "target")

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
        return row_id(self.raw, self.decoded)


@dataclass(frozen=True, slots=True)
class Hit:
    """A fault that a rule found: in words, and where in the row.

    `column` (bytes, from 1) is named only for faults of the line itself; else it follows from `at`. `severity`
    overrides the rule's own. `line` is named only by rules about a file, where they mean one of its lines.
    `mends` is the place whose value the rule's repair gives, where that is not `at`: a message list whose order is
    wrong at one of its messages. `inside` is, in a preference row, the part that was looked at and the hit there.
    """

    message: str
    at: Path = ()
    column: int | None = None
    severity: Severity | None = None
    partner: Partner | None = None
    line: int | None = None
    mends: Path | None = None
    inside: tuple[Part, Hit] | None = field(default=None, compare=False, repr=False)

    @property
    def mended(self) -> Path:
        """The place whose value the rule's repair gives."""
        return self.at if self.mends is None else self.mends


@dataclass(frozen=True, slots=True)
class Compared:
    """What is kept of a preference row: digests of the question and of both answers, each after normalisation.

    `lengths` are those of the preferred answer and of the other one, in characters.
    """

    question: str
    preferred: str
    rejected: str
    lengths: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Entry:
    """What is kept of a sound row for the rules over the whole set: small, so that a million fit in memory.

    `prompt` is the text of the user messages joined by newlines; `context` a digest of everything before the final
    assistant message; `answer` the text of that message, with its tool calls; `split` the role of the file in the
    set. `text` is what near duplicates are compared by, the prompt where it is None. `history` is a digest of what
    stands between system and answer beside the user's text: earlier answers and tools, without regard to case;
    `media` one of images and sound. Both are empty where there is none. `calls` names the tools that are called.
    `tokens` counts the row, and `prompt_tokens` what stands before its first trained answer; None where it was not
    counted because it cannot be over the limit. `cut` is the index of the trained answer in which the limit falls.
    `size` estimates all tokens of the row and `trained` those that are trained, by the length of its texts.
    `reasoning` says whether an answer reasons in tags (`whole`), or holds such a tag without its other half
    (`open`); `tools` are the names of tools, each with a digest of its definition. `source` is what the row says
    of where it comes from; `prefixes` are digests of the conversation up to each of its earlier trained answers,
    none in most rows. `at` and `tools_at` are where messages and tools stand in the row. In a preference row, of
    which `pair` keeps what is compared, the answer is the preferred one, and `context` and `history` cover both
    answers: pairs of one question with other answers are no copies, and contradict nothing.
    """

    path: str
    line: int
    row_id: str
    split: Split
    prompt: str
    answer: str
    context: str
    system: str
    label: str | None = None
    tokens: int | None = None
    group: str | None = None
    calls: tuple[str, ...] = ()
    text: str | None = None
    history: str = ""
    media: str = ""
    prompt_tokens: int | None = None
    cut: int | None = None
    size: int = 0
    trained: int = 0
    reasoning: Literal["", "whole", "open"] = ""
    tools: tuple[tuple[str, str], ...] = ()
    source: str | None = None
    prefixes: tuple[str, ...] = ()
    pair: Compared | None = None
    at: Path = ("messages",)
    tools_at: Path = ("tools",)


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is known of a file once it was read: for the rules about a file as a whole.

    `size` is in bytes as the file lies on the disk; `rows` are the lines that are not blank; `form` is how they
    are written: one value a line, one JSON array, or values over several lines. `schemas` maps each row schema
    found (`chat`, `preference`, `prompt-completion`, `sharegpt`, `alpaca`) to how many rows have it and the first
    of their lines; `carriage_returns` and `separators` (U+2028, U+2029, U+0085) say the same of such lines.
    `image_rows` is how many rows have an image; `tokens` is what training sees in one epoch, counted only where it
    may be too much.
    """

    path: str
    size: int
    rows: int
    has_bom: bool
    compressed: bool
    target: str
    kind: Kind
    split: Split = "train"
    encoding: str = "utf-8"
    form: Literal["lines", "array", "objects"] = "lines"
    schemas: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    carriage_returns: tuple[int, int] = (0, 0)
    separators: tuple[int, int] = (0, 0)
    image_rows: int = 0
    tokens: int | None = None
    epochs: int = 1


RowCheck = Callable[[Row], Iterator[Hit]]
FileCheck = Callable[[FileFacts], Iterator[Hit]]
SetCheck = Callable[[Sequence[Entry], Any], Iterator[tuple[Entry, Hit]]]
"""Takes the entries and the `[data]` table of the configuration."""

Repair = Callable[[Row, Hit], Any]
"""Gives the new value of the place that a hit names, REMOVE to take it out, or KEEP where only a person knows."""

Look = Callable[[bytes], bool]
"""Says whether bytes may hold what a rule speaks of; never wrong when it says no."""

LineRepair = Callable[[bytes], bytes]
"""Gives the new bytes of a line and its line end: none where the line goes, the same where only a person knows."""

REMOVE = MISSING


class _Keep:
    """The type of KEEP."""

    def __repr__(self) -> str:
        return "KEEP"


KEEP = _Keep()
"""Returned by a repair that cannot mend this hit; the finding is then shown without a fix."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `needs` are byte strings of which a line must hold one for the rule to be asked at all.

    `may_hit` is a look of the rule's own in their place. It is asked of many lines at once, then of each: where it
    is true of some bytes it must be true of all that hold them.

    A rule with a `fix` has a `repair` of a value, or a `repair_line` of the bytes of a line (`fix.py` itself mends
    byte-order mark, encoding and final newline of a file). `example_facts` says of the bad and of the good example
    of a rule about a file what their bytes cannot show, such as a size of 600 MB; `example_splits` of each line
    of an example the split that it is in, train where nothing is said; `example_data` what stands under `[data]`,
    and `example_benchmark` the lines of a benchmark that the rows are compared with.

    A rule that is not `default` is asked only where it is selected, by its id or a prefix of it. `package` names
    the extra without which a rule cannot be asked; where it is missing the check says that the rule was not run.
    """

    id: str
    severity: Severity
    scope: Literal["row", "file", "set"]
    check: Callable[..., Iterator[Any]]
    title: str
    text: str
    fix: Fix | None = None
    repair: Repair | None = None
    needs: tuple[bytes, ...] = ()
    severities: Mapping[str, Severity | None] = field(default_factory=dict)
    bad: tuple[bytes, ...] = ()
    good: tuple[bytes, ...] = ()
    says: str = ""
    example_target: str = "hf"
    repair_line: LineRepair | None = None
    example_facts: tuple[Mapping[str, Any], Mapping[str, Any]] = ({}, {})
    example_kind: Kind = "sft"
    example_splits: tuple[Split, ...] = ()
    may_hit: Look | None = None
    default: bool = True
    package: str = ""
    example_data: Mapping[str, Any] = field(default_factory=dict)
    example_benchmark: tuple[str, ...] = ()

    @property
    def look(self) -> Look | None:
        """Whether bytes may hold what the rule speaks of; None where only the rule itself can say."""
        return self.may_hit or (finder(self.needs) if self.needs else None)

    def severity_for(self, target: str, kind: str = "sft") -> Severity | None:
        """Return the severity for a target and task kind; None where the rule does not apply."""
        by_kind = self.severities.get(kind, self.severity)
        return None if by_kind is None else self.severities.get(target, by_kind)


def rule(
    id: str,  # noqa: A002
    severity: Severity,
    *,
    bad: str | bytes | Sequence[str | bytes],
    good: str | bytes | Sequence[str | bytes],
    says: str,
    scope: Literal["row", "file", "set"] = "row",
    fix: Fix | None = None,
    repair: Repair | None = None,
    needs: tuple[bytes, ...] = (),
    severities: Mapping[str, Severity | None] | None = None,
    example_target: str = "hf",
    repair_line: LineRepair | None = None,
    example_facts: tuple[Mapping[str, Any], Mapping[str, Any]] = ({}, {}),
    example_kind: Kind = "sft",
    example_splits: tuple[Split, ...] = (),
    may_hit: Look | None = None,
    default: bool = True,
    package: str = "",
    example_data: Mapping[str, Any] | None = None,
    example_benchmark: tuple[str, ...] = (),
) -> Callable[[Callable[..., Iterator[Any]]], Rule]:
    """Make a rule of a generator function; `severities` maps a target or task kind to a severity, or to None.

    A rule about rows is written for chats. In preference rows it is asked about each list of messages, and what it
    finds and mends there is told by its place in the row. Rules of the families in `OF_WHOLE_ROWS` see rows as
    they are, and those in `OF_GOOD_ANSWERS` leave out the answer that is not preferred.
    """

    def make(check: Callable[..., Iterator[Any]]) -> Rule:
        import inspect

        text = inspect.cleandoc(check.__doc__ or "")
        title = text.partition("\n")[0].rstrip(".")
        asked, mends = check, repair
        if scope == "row" and not id.startswith(OF_WHOLE_ROWS):
            asked, mends = _in_parts(check, id.startswith(OF_GOOD_ANSWERS)), repair and _in_parts_mended(repair)
        return Rule(
            id, severity, scope, asked, title, text, fix, mends, needs, severities or {},
            _lines(bad), _lines(good), says, example_target, repair_line, example_facts,
            example_kind, example_splits, may_hit,
            default, package, example_data or {}, example_benchmark,
        )  # fmt: skip

    return make


# The families that look at all of a row: its bytes, every string in it, or what makes it a preference row.
OF_WHOLE_ROWS = ("FILE", "PII", "SEC", "PREF")


# What these say of an answer may be the very reason why another one is preferred: labels of speakers, copied
# turns, calls that no tool takes, and poor writing.
OF_GOOD_ANSWERS = ("QUAL", "CHAT026", "CHAT029", "TOOL005", "TOOL006")


def _in_parts(check: RowCheck, of_good_answers: bool) -> RowCheck:
    def asked(row: Row) -> Iterator[Hit]:
        return _hits_in_parts(check, row, of_good_answers) if row.kind == "dpo" else check(row)

    return asked


def _hits_in_parts(check: RowCheck, row: Row, of_good_answers: bool) -> Iterator[Hit]:
    for part in row.parts:
        if of_good_answers and part.rejected:
            continue
        for hit in check(part.chat):
            told = part.told(hit)
            if told is not None:
                yield told


def _in_parts_mended(repair: Repair) -> Repair:
    def mended(row: Row, hit: Hit) -> Any:
        if hit.inside is None:
            return repair(row, hit)
        part, inner = hit.inside
        new = repair(part.chat, inner)
        if new is KEEP or new is REMOVE:
            return new
        written = part.written(inner, new)
        return KEEP if written is None else written

    return mended


def _lines(example: str | bytes | Sequence[str | bytes]) -> tuple[bytes, ...]:
    items = [example] if isinstance(example, (str, bytes)) else example
    return tuple(item.encode() if isinstance(item, str) else item for item in items)
