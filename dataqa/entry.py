"""What is kept of each sound row, so that rules and `prepare` can look at the whole set at once."""

from __future__ import annotations

from typing import Literal, NamedTuple

from tunegate.core.location import Path
from tunegate.dataqa.row import Split


class Compared(NamedTuple):
    """What is kept of a preference row: digests of the question and of both answers, each after normalisation.

    `lengths` are those of the preferred answer and of the other one, in characters.
    """

    question: str
    preferred: str
    rejected: str
    lengths: tuple[int, int]


class Entry(NamedTuple):
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
