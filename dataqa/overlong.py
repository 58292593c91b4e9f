"""Rows that are longer than training takes: refused, dropped, or cut between turns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tunegate.core.errors import InputError
from tunegate.dataqa.entry import Entry
from tunegate.dataqa.tokens import Counter, row_tokens

# So many rows a message names; `tunegate check --select TOK` lists all.
NAMED = 50

Row = dict[str, Any]


def refusal(entries: Sequence[Entry], limit: int, name: str) -> InputError:
    """Return the error that ends `prepare` where over-long rows are refused: it names them and the way out."""
    rows = "1 row is" if len(entries) == 1 else f"{len(entries)} rows are"
    lines = [f"{rows} longer than {limit:,} tokens (counted with {name}), and none may be cut unseen:"]
    lines += [f"  {entry.path}:{entry.line}: {entry.tokens:,} tokens" for entry in entries[:NAMED]]
    if len(entries) > NAMED:
        lines.append(f"  and {len(entries) - NAMED} more: `tunegate check --select TOK` lists all")
    lines.append(
        'Shorten them, raise tokens.max, or choose under [data]: tokens.too_long = "drop" leaves them out, '
        '"split" cuts chats between turns'
    )
    return InputError("\n".join(lines))


def parts_of(row: Mapping[str, Any], limit: int, counting: Counter, accepts: Callable[[Row], bool]) -> list[Row]:
    """Return a chat as several of at most `limit` tokens, cut before user turns; none where that cannot be.

    Every part begins with the chat's system messages and ends with an answer. Nothing is left out: where one
    exchange alone is too long, or `accepts` refuses a part, there are no parts.
    """
    messages = row["messages"]
    first = next(
        (index for index, message in enumerate(messages) if message["role"] not in _SYSTEM), len(messages)
    )
    head = messages[:first]
    parts: list[Row] = []
    current: list[Any] = []
    for exchange in _exchanges(messages[first:]):
        longer = {**row, "messages": [*head, *current, *exchange]}
        if current and not _fits(longer, limit, counting):
            parts.append({**row, "messages": [*head, *current]})
            current = []
            longer = {**row, "messages": [*head, *exchange]}
        if not current and not _fits(longer, limit, counting):
            return []
        current = [*current, *exchange]
    parts.append({**row, "messages": [*head, *current]})
    return parts if all(_teaches(part) and accepts(part) for part in parts) else []


_SYSTEM = ("system", "developer")


def _exchanges(messages: Sequence[Any]) -> list[list[Any]]:
    """Return the messages in stretches that each begin with the user and end with the assistant."""
    found: list[list[Any]] = []
    for message in messages:
        ended = bool(found) and found[-1][-1]["role"] == "assistant" and not found[-1][-1].get("tool_calls")
        asked = bool(found) and any(item["role"] == "user" for item in found[-1])
        if not found or (message["role"] == "user" and ended and asked):
            found.append([])
        found[-1].append(message)
    return found


def _fits(row: Row, limit: int, counting: Counter) -> bool:
    tokens = row_tokens(row, counting)
    return tokens is not None and tokens <= limit


def _teaches(row: Row) -> bool:
    return any(message["role"] == "assistant" and message.get("weight", 1) != 0 for message in row["messages"])
