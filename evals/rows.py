"""The held-out rows as evaluation uses them: prompt, reference answer, and the turns that training learns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tunegate.core.chat import Chat, Message
from tunegate.core.errors import InputError
from tunegate.core.jsonl import decode, row_id
from tunegate.core.lines import read_lines
from tunegate.evals.predict import Question

_TOOL_KEYS = ("tool_calls", "function_call", "tool_call_id")


@dataclass(frozen=True, slots=True)
class HeldOut:
    """One row. `problem` says why it cannot be measured, and is None where it can.

    `turns` are the assistant turns that training learns, each as the question how likely its text is.
    """

    id: str
    line: int
    prompt: tuple[dict[str, str], ...]
    reference: str
    turns: tuple[Question, ...]
    problem: str | None

    @property
    def asked(self) -> str:
        """The user's words, which is what the reference predictor reads."""
        return "\n".join(message["content"] for message in self.prompt if message["role"] == "user")

    @property
    def bytes(self) -> int:
        """UTF-8 bytes of the text of the learned turns."""
        return sum(len(turn.candidates[0].encode()) for turn in self.turns)


def read(path: Path) -> list[HeldOut]:
    """Read all rows. Raises InputError when the file is missing or empty, or a line is no chat."""
    rows = []
    for line in read_lines(path):
        decoded = decode(line.raw)
        try:
            chat = Chat.from_row(decoded.value if isinstance(decoded.value, dict) else {})
        except ValueError as error:
            raise InputError(f"{path}:{line.number} is no chat ({error}): run `tunegate prepare` again") from error
        rows.append(_row(row_id(line.raw, decoded), line.number, chat))
    if not rows:
        raise InputError(f"{path} holds no row: set split or test under [data], and prepare again")
    return rows


def _row(identity: str, line: int, chat: Chat) -> HeldOut:
    messages = [_plain(message) for message in chat.messages]
    turns = tuple(
        Question(tuple(messages[:index]), (message.text,))
        for index, message in enumerate(chat.messages)
        if message.trained and message.text.strip() and index
    )
    return HeldOut(identity, line, tuple(messages[: len(chat.prompt)]), chat.answer or "", turns, _problem(chat))


def _plain(message: Message) -> dict[str, str]:
    return {"role": message.role, "content": message.text}


def _problem(chat: Chat) -> str | None:
    """Say why the row cannot be measured: another prompt than the trained one would measure another thing."""
    if chat.fields.get("tools") or chat.fields.get("functions"):
        return "the row offers tools, which evaluation does not give to a model"
    if any(message.fields.get(key) for message in chat.messages for key in _TOOL_KEYS):
        return "the row holds tool calls, which evaluation does not judge"
    if chat.answer is None or not chat.answer.strip():
        return "the row does not end with an assistant's text"
    return None if chat.prompt else "the row has no prompt"


def problems(rows: list[HeldOut]) -> dict[str, int]:
    """Count the rows that cannot be measured, by reason."""
    reasons: dict[str, int] = {}
    for row in rows:
        if row.problem:
            reasons[row.problem] = reasons.get(row.problem, 0) + 1
    return reasons
