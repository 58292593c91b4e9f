"""What a row is meant to be: its schema by its keys, and the task kind of a file by its first rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tunegate.dataqa.row import Kind

# Rows that are looked at to tell the task kind: enough that a few broken ones do not decide.
SAMPLE_ROWS = 100

# Keys by which no grader judges: those of a chat, and what books are kept by.
_KEYS_OF_A_CHAT = frozenset(
    {
        *("messages", "tools", "parallel_tool_calls", "functions", "function_call"),
        *("metadata", "id", "conversation_id", "source"),
    }
)

# Beside one of these a text is something to be answered, and not what a model is trained to write.
_ANSWERS_TO_TEXTS = frozenset({"label", "labels", "class", "category", "intent", "answer", "output", "response"})


def schema_of(row: Mapping[str, Any]) -> str | None:
    """Return the name of a row's schema; None where its keys are of none that is known."""
    if "messages" in row:
        return "chat"
    if "preferred_output" in row or "non_preferred_output" in row or {"chosen", "rejected"} <= row.keys():
        return "preference"
    if "prompt" in row and "completion" in row:
        return "prompt-completion"
    if "conversations" in row:
        return "sharegpt"
    if "instruction" in row and "output" in row:
        return "alpaca"
    if isinstance(row.get("text"), str) and _ANSWERS_TO_TEXTS.isdisjoint(row):
        return "text"
    return None


def kind_of(rows: Iterable[Mapping[str, Any]]) -> Kind:
    """Return the task kind that most of the rows are of.

    `dpo` are preference pairs. `rft` (reinforcement) are chats that end with the user and carry further keys for
    the grader; without such keys a chat that ends with the user is a faulty `sft` row.
    """
    votes: dict[Kind, int] = {"sft": 0, "dpo": 0, "rft": 0}
    for row in rows:
        votes[_kind_of_row(row)] += 1
    return max(votes, key=lambda kind: votes[kind])  # sft, the first, wins a tie


def _kind_of_row(row: Mapping[str, Any]) -> Kind:
    if schema_of(row) == "preference":
        return "dpo"
    messages = row.get("messages")
    if not isinstance(messages, list) or not messages or row.keys() <= _KEYS_OF_A_CHAT:
        return "sft"
    last = messages[-1]
    return "rft" if isinstance(last, dict) and last.get("role") == "user" else "sft"
