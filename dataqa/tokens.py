"""Tokens: how many a row has, by the model's own tokenizer where it is at hand, else by an estimate.

Nothing is downloaded to count: the estimate's vocabulary comes with a package, the model's with the model.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import orjson

from tunegate.core.chat import text_of
from tunegate.core.errors import InputError, UsageError, nearest
from tunegate.core.extras import need
from tunegate.core.template import ChatTemplate
from tunegate.dataqa.entry import Entry
from tunegate.dataqa.pairs import pair_of
from tunegate.dataqa.row import Row as DataRow

Row = Mapping[str, Any]

TOKENIZERS = ("model", "o200k")

# A chat's overhead in the format of OpenAI's models (their cookbook on counting tokens): three tokens a message,
# one its role, and three that begin the reply.
TOKENS_PER_MESSAGE = 4
TOKENS_PER_REPLY = 3


class Counter(Protocol):
    """Counts tokens. `exact` says whether training counts the same; `marks` begin and end a text for the model."""

    name: str
    exact: bool
    marks: tuple[str, ...]

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text, taken as it is."""

    def rows(self, rows: Sequence[Row]) -> list[int | None]:
        """Return the number of tokens of each row as a chat; None for one that cannot be written as a chat."""

    def prompt(self, row: Row) -> int:
        """Return how many tokens of a row stand before its first trained answer; all where none is trained."""

    def refusal(self, row: Row) -> str:
        """Return why a row cannot be written as a chat; empty where it can."""


def counter(name: str = "model", model: Path | None = None) -> Counter:
    """Return the counter of a name: `model` with the model's folder, or `o200k`; `model` without one is `o200k`.

    Raises UsageError for another name, InputError when the model's tokenizer cannot be used.
    """
    if name not in TOKENIZERS:
        raise UsageError(f"tokens.tokenizer = {name!r}: {nearest(name, list(TOKENIZERS))}")
    return ModelCounter(model) if name == "model" and model is not None else Estimate()


def row_tokens(row: Row, counting: Counter) -> int | None:
    """Return the number of tokens of one row; None for one that cannot be written as a chat."""
    return counting.rows([row])[0]


# Above a row's bytes: what a chat template may add by itself, such as a system message.
TEMPLATE_MARGIN = 256

# Of 15,000 real rows of more than 300 bytes, in English, German, code and tweets, none has fewer than 2.7 bytes to
# a token of o200k, what stands around its texts included; only lists of odd signs have, about 1.2.
ESTIMATED_BYTES = 2.5


class OverLong(NamedTuple):
    """How long a row over the limit is: in all, before its first trained answer, and which such answer is cut."""

    tokens: int
    before: int
    cut: int | None


class Lengths:
    """Counts the rows of a set that may be over the limit: a token has a byte or more, so short rows are not.

    Without `make_counter` lengths are estimates, and a row of fewer than 2.5 bytes to each token of the limit is
    taken to be within it. So most files are checked without a vocabulary, which takes longer to load than they do.
    """

    def __init__(self, limit: int, make_counter: Callable[[], Counter] | None = None) -> None:
        self._limit = limit
        self._make_counter = make_counter or Estimate
        self._most_bytes = limit - TEMPLATE_MARGIN if make_counter else int(ESTIMATED_BYTES * limit)

    @cached_property
    def counting(self) -> Counter:
        """The counter, made when the first row needs it; the estimate where none was given."""
        return self._make_counter()

    def may_be_over(self, raw: bytes) -> bool:
        """Whether a row of these bytes may be over the limit."""
        return len(raw) > self._most_bytes

    @property
    def marks(self) -> tuple[str, ...]:
        """The marks that begin and end a text for the model, such as `<s>`; none where tokens are estimated."""
        return () if self._make_counter is Estimate else self.counting.marks

    def over(self, rows: Sequence[Row]) -> list[OverLong | None]:
        """Return the lengths of each row over the limit, None of others."""
        if not rows:
            return []
        counts = self.counting.rows(rows)
        return [
            self._over(row, count) if count is not None and count > self._limit else None
            for row, count in zip(rows, counts, strict=True)
        ]

    def _over(self, row: Row, tokens: int) -> OverLong:
        before = self.counting.prompt(row)
        cut = self._message_at_limit(row) if before < self._limit else None
        return OverLong(tokens, before, None if cut is None or not _is_trained(row["messages"][cut]) else cut)

    def _message_at_limit(self, row: Row) -> int | None:
        """Return the index of the message in which the limit falls; None where that cannot be counted."""
        messages = row["messages"]
        within, beyond = _first_trained(row), len(messages)
        while beyond - within > 1:
            middle = (within + beyond) // 2
            tokens = row_tokens({**row, "messages": messages[:middle]}, self.counting)
            if tokens is None:
                return None
            within, beyond = (within, middle) if tokens > self._limit else (middle, beyond)
        return within


def with_lengths(kept: Sequence[tuple[Entry, DataRow]], lengths: Lengths | None) -> list[Entry]:
    """Return the entries of rows; those of rows over the limit with their tokens.

    Rows are counted together, which takes a quarter of the time of counting them one by one.
    """
    entries = [entry for entry, _ in kept]
    if lengths is None:
        return entries
    asked = [place for place, (_, row) in enumerate(kept) if lengths.may_be_over(row.raw)]
    counted = lengths.over([_chat(kept[place][1]) for place in asked])
    for place, counts in zip(asked, counted, strict=True):
        if counts is not None:
            entries[place] = entries[place]._replace(
                tokens=counts.tokens, prompt_tokens=counts.before, cut=counts.cut
            )
    return entries


def _chat(row: DataRow) -> Row:
    """Return what is counted of a row: the chat, of a preference pair the longer one."""
    pair = pair_of(row) if row.kind == "dpo" else None
    found: Row = row.value if pair is None else pair.longer.value
    return found


class Estimate:
    """Counts by OpenAI's vocabulary o200k_base: an estimate for every other model.

    toktok counts, which takes a fraction of tiktoken's time; where it is not installed, tiktoken does.
    """

    name = "o200k"
    exact = False
    marks: tuple[str, ...] = ()

    def __init__(self) -> None:
        try:
            import toktok
        except ImportError:
            self._encoding = tiktoken_encoding(find_vocabulary())
            self._toktok = None
        else:
            self._toktok = toktok

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text; special tokens in it count as the text that they are."""
        if self._toktok is None:
            return [len(self._encoding.encode_ordinary(text)) for text in texts]
        counts: list[int] = self._toktok.batch_count(texts, "o200k_base", threads=1)
        return counts

    def rows(self, rows: Sequence[Row]) -> list[int | None]:
        """Return the number of tokens of each row: its texts, calls and tools, and the chat's overhead."""
        texts = [list(_texts(row["messages"], row.get("tools"))) for row in rows]
        counts = iter(self.count([text for of_row in texts for text in of_row]))
        return [
            sum(next(counts) for _ in of_row) + TOKENS_PER_MESSAGE * len(row["messages"]) + TOKENS_PER_REPLY
            for row, of_row in zip(rows, texts, strict=True)
        ]

    def refusal(self, row: Row) -> str:
        """Return an empty text: every row can be estimated."""
        return ""

    def prompt(self, row: Row) -> int:
        """Return how many tokens stand before the first trained answer."""
        messages = row["messages"][: _first_trained(row)]
        texts = list(_texts(messages, row.get("tools")))
        return sum(self.count(texts)) + TOKENS_PER_MESSAGE * len(messages) + TOKENS_PER_REPLY


def _texts(messages: Iterable[Row], tools: Any) -> Iterator[str]:
    """Give the texts of messages, their calls and the tools, as they would stand in a prompt."""
    for message in messages:
        if text := text_of(message.get("content")):
            yield text
        for key in ("name", "tool_calls", "function_call"):
            if value := message.get(key):
                yield value if isinstance(value, str) else orjson.dumps(value).decode()
    if tools:
        yield orjson.dumps(tools).decode()


def _first_trained(row: Row) -> int:
    """Return the index of the first message that is trained; the number of messages where there is none."""
    messages = row["messages"]
    return next((index for index, message in enumerate(messages) if _is_trained(message)), len(messages))


def _is_trained(message: Row) -> bool:
    return message.get("role") == "assistant" and message.get("weight", 1) != 0


class ModelCounter:
    """Counts by a model's own tokenizer and chat template: what training counts."""

    exact = True

    def __init__(self, folder: Path) -> None:
        """Read `tokenizer.json` and the chat template. Raises InputError when one is missing or damaged."""
        self.name = folder.name
        self._template = ChatTemplate.from_folder(folder)
        self.marks = self._template.marks
        path = folder / "tokenizer.json"
        tokenizers = need("tokenizers", "data")
        try:
            self._tokenizer = tokenizers.Tokenizer.from_str(path.read_text(encoding="utf-8"))
        except Exception as error:  # the package raises bare Exception
            raise InputError(f"cannot read the tokenizer {path}: {error}") from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text; the template's marks in it count as such."""
        found = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [len(encoding) for encoding in found]

    def rows(self, rows: Sequence[Row]) -> list[int | None]:
        """Return the number of tokens of each row under the chat template; None where the template refuses it."""
        texts = [self._render(row) for row in rows]
        counts = iter(self.count([text for text in texts if text is not None]))
        return [None if text is None else next(counts) for text in texts]

    def _render(self, row: Row) -> str | None:
        try:
            return self._template.render(row["messages"], row.get("tools"))
        except ValueError:
            return None

    def refusal(self, row: Row) -> str:
        """Return why the template refuses a row; empty where it does not."""
        try:
            self._template.render(row["messages"], row.get("tools"))
        except ValueError as error:
            return str(error)
        return ""

    def prompt(self, row: Row) -> int:
        """Return how many tokens stand before the first trained answer, the generation prompt included."""
        before = row["messages"][: _first_trained(row)]
        try:
            return self.count([self._template.render(before, row.get("tools"), ask=True)])[0]
        except ValueError:
            return 0


# What makes the vocabulary o200k_base, the encoding of OpenAI's models: its name, the SHA-256 of its file, what
# tiktoken's cache calls it, and how text is cut before pairs of bytes are joined.
VOCABULARY_NAME = "o200k_base"
VOCABULARY_SHA256 = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"
_CACHED_AS = "fb374d419588a4632f3f557e76b4b70aebbca790"
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_BEGIN, _ENDING = r"[^\r\n\p{L}\p{N}]?", r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
_PIECES = (
    f"{_BEGIN}{_UPPER}*{_LOWER}+{_ENDING}",
    f"{_BEGIN}{_UPPER}+{_LOWER}*{_ENDING}",
    r"\p{N}{1,3}",
    r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
    r"\s*[\r\n]+",
    r"\s+(?!\S)",
    r"\s+",
)


def find_vocabulary() -> Path:
    """Return the file of o200k_base in tiktoken's cache. Raises InputError when it is not there."""
    folder = os.environ.get("TIKTOKEN_CACHE_DIR", "")
    path = Path(folder) / _CACHED_AS
    if not folder or not path.is_file():
        raise InputError(
            "no vocabulary to estimate tokens with, and none is downloaded: `pip install toktok-rs`, or name the "
            "folder of tiktoken's cache in TIKTOKEN_CACHE_DIR"
        )
    return path


def tiktoken_encoding(path: Path) -> Any:
    """Return tiktoken's o200k_base, built from a vocabulary file (`.gz` or plain) whose SHA-256 must be right.

    tiktoken itself would download the file when its hash is wrong; here that is an InputError.
    """
    import base64
    import gzip

    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    if hashlib.sha256(content).hexdigest() != VOCABULARY_SHA256:
        raise InputError(f"{path} is not the vocabulary {VOCABULARY_NAME}: its SHA-256 is wrong; get it again")
    ranks = {base64.b64decode(token): int(rank) for token, rank in map(bytes.split, content.splitlines())}
    tiktoken = need("tiktoken", "data")
    special = {"<|endoftext|>": 199999, "<|endofprompt|>": 200018}
    return tiktoken.Encoding(
        VOCABULARY_NAME, pat_str="|".join(_PIECES), mergeable_ranks=ranks, special_tokens=special
    )
