# ruff: noqa: D401 (the first line of a rule's docstring is its title: it says what is wrong)
"""Rules about the text of single messages: marks of chat templates, labels of speakers, copied turns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tunegate.core.findings import Severity
from tunegate.core.location import Path
from tunegate.core.patterns import lazy_pattern
from tunegate.dataqa.hit import KEEP, Hit
from tunegate.dataqa.row import Row
from tunegate.dataqa.rule import rule
from tunegate.dataqa.turns import has_calls, role_of
from tunegate.dataqa.wording import place

_CHAT = '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}'

# Marks that stand for themselves wherever they are: no other writing looks like them.
_CONTROL_MARKS = (
    *("<|im_start|>", "<|im_end|>", "<|im_sep|>", "<|endoftext|>", "<|endofprompt|>"),  # OpenAI, Qwen, SmolLM
    *("<|system|>", "<|user|>", "<|assistant|>", "<|end|>", "<|tool|>"),  # Phi, Zephyr
    *("<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>"),  # Llama 3
    *("<|eot_id|>", "<|eom_id|>", "<|python_tag|>", "<|header_start|>", "<|header_end|>", "<|eot|>"),  # Llama 3, 4
    *("<|start|>", "<|channel|>", "<|message|>", "<|return|>", "<|call|>"),  # gpt-oss
    *("[INST]", "[/INST]", "<<SYS>>", "<</SYS>>"),  # Llama 2, Mistral
    *("[TOOL_CALLS]", "[TOOL_RESULTS]"),  # Mistral
    *("<start_of_turn>", "<end_of_turn>"),  # Gemma
    *("<|START_OF_TURN_TOKEN|>", "<|END_OF_TURN_TOKEN|>"),  # Command R
    *("<\uff5cUser\uff5c>", "<\uff5cAssistant\uff5c>", "<\uff5cend\u2581of\u2581sentence\uff5c>"),  # DeepSeek
)
_MARK = lazy_pattern("|".join(map(re.escape, _CONTROL_MARKS)))
_OPENING_S = lazy_pattern(r"\s*<s>")
_CLOSING_S = lazy_pattern(r"</s>\s*\Z")


def control_marks(text: str) -> list[str]:
    """Return the marks of chat templates that stand in a text."""
    return [*_MARK.findall(text), *_sentence_marks(text)]


@rule(
    "CHAT025",
    Severity.ERROR,
    needs=(b"<|", b"s>", b"_of_turn>", b"SYS>>", b"INST]", b"[TOOL_", b"<\xef\xbd\x9c", b"<\\u", b"\\u00"),
    bad=_CHAT.replace("Hi", "Hi <|im_end|><|im_start|>system"),
    good=_CHAT,
    says="messages[0].content holds '<|im_end|>' (and 1 more), a mark of a chat template: take it out",
)
def control_mark(row: Row) -> Iterator[Hit]:
    """A text holds a mark by which a chat template ends a message or begins one.

    A tokenizer reads the mark as what it stands for: the message ends in the middle, and what follows speaks as
    system or assistant. Mostly the data was rendered by a template once before. Looked for are the marks of
    ChatML, Phi, Zephyr, Llama, Mistral, Gemma, Command R, DeepSeek and gpt-oss, exactly as they are written; other
    signs in angle brackets and bars are let be. `<s>` strikes text out in HTML: it counts only where a text begins
    with it and never closes it, and `</s>` only where a text ends with it and never opened it. Data that is about
    chat templates cannot hold such marks either: write them with a space inside.
    """
    for at, _role, text in row.texts():
        found = control_marks(text)
        if found:
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            yield Hit(f"{place(at)} holds {found[0]!r}{more}, a mark of a chat template: take it out", at)


def _sentence_marks(text: str) -> Iterator[str]:
    if "<s>" in text:
        if "</s>" not in text and _OPENING_S.match(text):
            yield "<s>"
    elif "</s>" in text and _CLOSING_S.search(text):
        yield "</s>"


# The labels by which transcripts name the one who speaks. "AI:" and "System:" may begin a definition.
_LABELS = {
    "assistant": r"(?:ai[ -])?assistant|chat ?gpt|gpt|chat-?bot|bot|assistent|ki-assistent",
    "user": r"user|human|nutzer|benutzer",
}
_OPENING = {
    role: lazy_pattern(rf"\s*(?:#{{1,4}} *)?\*{{0,2}}(?:{labels}):\*{{0,2}}\s*(?=\S)", re.IGNORECASE)
    for role, labels in _LABELS.items()
}
# A prompt that ends by handing over, as in the days of plain completion.
_HANDING_OVER = lazy_pattern(rf"(?:#{{1,4}} *)?(?:{_LABELS['assistant']}):", re.IGNORECASE)
_SPEAKER = lazy_pattern(r"^[ \t]*\*{0,2}[A-Z\u00c4\u00d6\u00dc][\w .-]{0,24}:", re.MULTILINE)


def _labels(role: str, text: str) -> list[tuple[int, int]]:
    """Return start and end of the labels that do not belong to a text; none in a transcript, where labels do."""
    start, end = 0, len(text)
    if opening := _OPENING[role].match(text):
        start = opening.end()
    if role == "user":
        body = text.rstrip()
        last = body.rfind("\n") + 1
        if last > start and _HANDING_OVER.fullmatch(body[last:].strip()):
            end = last
    if _SPEAKER.search(text[start:end].partition("\n")[2]):
        return []
    return [span for span in ((0, start), (end, len(text))) if span[0] < span[1]]


def _without_label(row: Row, hit: Hit) -> Any:
    text: Any = row.value
    for step in hit.at:
        text = text[step]
    for start, end in reversed(_labels(row.value["messages"][hit.at[1]]["role"], text)):
        text = text[:start] + text[end:]
    return text if text.strip() else KEEP


@rule(
    "CHAT026",
    Severity.WARNING,
    fix="unsafe",
    repair=_without_label,
    needs=(b"t:", b"T:", b"er:", b"ER:", b"man:", b"MAN:"),  # how the labels end
    bad=_CHAT.replace("Hello", "Assistant: Hello"),
    good=_CHAT,
    says="messages[1].content begins with the label 'Assistant:': the role says who speaks, take it out",
)
def leaked_label(row: Row) -> Iterator[Hit]:
    """A text begins with the label of its own speaker, such as `Assistant:` in an answer.

    The model learns to write the label. It comes from transcripts that were cut into messages, and so does a
    prompt that ends in `Assistant:`. A text in which other speakers are named too is a transcript by itself, and
    is let be; so are labels of others, and words such as `AI:`, which may begin a definition.
    """
    for at, role, text in row.texts("user", "assistant"):
        for start, end in _labels(role, text)[:1]:
            where = "ends with" if start else "begins with"
            label = text[start:end].strip().strip("*# ")
            yield Hit(f"{place(at)} {where} the label {label!r}: the role says who speaks, take it out", at)


# Shorter ones come back by themselves: labels, "You're welcome!", "I don't know."
_WORDS_OF_A_TURN = 4
# Thai and the scripts after it in Unicode, Chinese and Japanese among them, write no spaces between words.
_FIRST_WITHOUT_SPACES = "\u0e00"
_SIGNS_OF_A_TURN = 15


@rule(
    "CHAT029",
    Severity.WARNING,
    bad=_CHAT.replace("Hello", "Hello, how can I help you?").replace(
        "]}",
        ', {"role": "user", "content": "My card is lost"}, '
        '{"role": "assistant", "content": "Hello, how can I help you?"}]}',
    ),
    good=_CHAT.replace("Hello", "Hello, how can I help you?").replace(
        "]}",
        ', {"role": "user", "content": "My card is lost"}, '
        '{"role": "assistant", "content": "I have blocked it."}]}',
    ),
    says="messages[3] repeats messages[1] word for word: drop it, or write the answer that belongs there",
)
def repeated_answer(row: Row) -> Iterator[Hit]:
    """An answer stands twice, word for word, in one chat.

    Two turns were copied, or a bot that did not understand repeated itself; the model learns to do so. Answers of
    fewer than four words come back by themselves and are let be, and so are questions: people do ask again.
    """
    answers = [
        text.strip()
        for _, message in row.messages
        if message.get("role") == "assistant" and isinstance(text := message.get("content"), str)
    ]
    if len(set(answers)) == len(answers):
        return  # as in nearly every row
    seen: dict[str, int] = {}
    for index, message in row.messages:
        text = message.get("content")
        if role_of(message) != "assistant" or not isinstance(text, str) or has_calls(message):
            continue
        first = seen.setdefault(text.strip(), index)
        if first not in (index, index - 1) and _is_long(text):  # CHAT016 speaks of two in a row
            at: Path = ("messages", index)
            yield Hit(
                f"{place(at)} repeats {place(('messages', first))} word for word: "
                "drop it, or write the answer that belongs there",
                at,
            )


def _is_long(text: str) -> bool:
    words = text.split()
    if len(words) >= _WORDS_OF_A_TURN:
        return True
    return max(text, default="") >= _FIRST_WITHOUT_SPACES and len(text) >= _SIGNS_OF_A_TURN * len(words)


RULES = (control_mark, leaked_label, repeated_answer)
