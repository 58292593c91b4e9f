"""How much of a training job a file is, for targets that limit the tokens of a job."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from tunegate.core.jsonl import decode
from tunegate.dataqa.pairs import pair_of
from tunegate.dataqa.reading import begin
from tunegate.dataqa.row import Row
from tunegate.dataqa.rule import FileFacts
from tunegate.dataqa.targets import target_named
from tunegate.dataqa.tokens import Estimate

# Rows that are counted, spread over the file: the mean of so many is known to a few per cent, and takes a second.
SAMPLE_ROWS = 2000


def with_tokens(facts: FileFacts, path: Path, size: int, epochs: int | None) -> FileFacts:
    """Return the facts of a training file with its tokens, where they may be over what one job may train.

    `size` is that of its lines in bytes: a token has one or more, so that of nearly every file nothing needs to be
    counted. `epochs` are those of the training where they are known. Else the service chooses them, one or more,
    and one is what is sure.
    """
    epochs = epochs or 1
    most = target_named(facts.target).job_tokens
    if most is None or facts.split != "train" or size * epochs <= most:
        return facts
    return replace(facts, tokens=_estimated(facts, path, size), epochs=epochs)


def _estimated(facts: FileFacts, path: Path, size: int) -> int:
    """Return the tokens of a file as those of a sample by its bytes."""
    every = max(1, facts.rows // SAMPLE_ROWS)
    counting, tokens, read = Estimate(), 0, 0
    for chat, length in _chats(path, facts, every):
        count = counting.rows([chat])[0]
        tokens += count or 0
        read += length
    return tokens * size // read if read else 0


def _chats(path: Path, facts: FileFacts, every: int) -> Iterator[tuple[Any, int]]:
    """Give every so many of the rows as chats, with their bytes; of a pair the longer one."""
    for line in begin(path, facts.kind).lines():
        if line.number % every:
            continue
        row = Row(line.raw, line=line.number, decoded=decode(line.raw), target=facts.target, kind=facts.kind)
        pair = pair_of(row) if row.kind == "dpo" else None
        chat = row if pair is None else pair.longer
        if chat.messages and len(chat.messages) == len(chat.value["messages"]):
            yield chat.value, len(line.raw)
