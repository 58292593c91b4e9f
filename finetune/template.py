"""From a chat to tokens: the model's own chat template, and exactly which tokens are trained.

Trained are the assistant's turns whose weight is not 0: their text and the token that ends the turn, nothing
else. Where a turn begins follows from rendering the chat up to it (with the generation prompt) and taking the
difference, so no mark in the template is needed, and prompts are cut into tokens as they are at inference.

The text itself is rendered by `core/template.py`, the same for training, counting and asking.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tunegate.core.chat import Chat, Message
from tunegate.core.errors import InputError
from tunegate.core.extras import need
from tunegate.core.files import read_json
from tunegate.core.template import ChatTemplate as Renderer
from tunegate.core.template import special_tokens, template_source


@dataclass(frozen=True, slots=True)
class Encoded:
    """A chat as tokens: `ids`, and for each whether it is trained."""

    ids: tuple[int, ...]
    trained: tuple[bool, ...]

    @property
    def trained_tokens(self) -> int:
        """How many tokens are trained."""
        return sum(self.trained)


class ChatTemplate:
    """The chat template and tokenizer of one model."""

    def __init__(
        self, template: str, tokenizer: Any, tokens: Mapping[str, str], stop_ids: Sequence[int] = ()
    ) -> None:
        """Take the template's source, a `tokenizers.Tokenizer`, named tokens (`eos_token` ...) and stop tokens.

        Raises InputError when the template cannot be used.
        """
        self._tokenizer = tokenizer
        self._renderer = Renderer(template, tokens)
        self._named_stops = frozenset(stop_ids)
        self._control = tuple(
            sorted(token.content for token in tokenizer.get_added_tokens_decoder().values() if token.special)
        )

    @classmethod
    def from_folder(cls, folder: Path) -> ChatTemplate:
        """Read the template and tokenizer of a model folder. Raises InputError when one is missing or unusable."""
        tokenizers = need("tokenizers", "train")
        path = folder / "tokenizer.json"
        try:
            tokenizer = tokenizers.Tokenizer.from_file(str(path))
        except Exception as error:  # the package raises bare Exception
            raise InputError(f"cannot read {path}: {error}") from error
        tokenizer.no_truncation()
        tokenizer.no_padding()
        settings = read_json(folder / "tokenizer_config.json", infinite=True)
        named = special_tokens(settings)
        stops = _stop_ids(folder)
        if "eos_token" in named and (identifier := tokenizer.token_to_id(named["eos_token"])) is not None:
            stops.add(identifier)
        return cls(template_source(folder, settings), tokenizer, named, sorted(stops))

    @staticmethod
    def source_of(folder: Path) -> str:
        """Return the source of a model's chat template. Raises InputError when there is none."""
        return template_source(folder, read_json(folder / "tokenizer_config.json", infinite=True))

    def render(self, messages: Sequence[Mapping[str, Any]], tools: Any = None, *, ask: bool = False) -> str:
        """Return the text of a chat; with `ask`, ending where the assistant begins to answer.

        Raises ValueError with the template's reason when it refuses the chat.
        """
        return self._renderer.render(messages, tools, ask=ask)

    def encode_text(self, text: str) -> list[int]:
        """Return the tokens of rendered text; control tokens in it count as such."""
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of tokens, without control tokens."""
        text: str = self._tokenizer.decode(list(ids), skip_special_tokens=True)
        return text

    @cached_property
    def stop_ids(self) -> frozenset[int]:
        """The tokens that end an answer: those that the model names, and the one that ends a turn in the template.

        Raises InputError when the template does not mark the end of a turn.
        """
        asked = [{"role": "user", "content": "a"}]
        answered = [*asked, {"role": "assistant", "content": "b"}]
        try:
            whole = self.encode_text(self.render(answered))
            prompt = self.encode_text(self.render(asked, ask=True))
        except ValueError as error:
            raise InputError(f"the chat template cannot render a question and its answer: {error}") from error
        special = {
            identifier for identifier, token in self._tokenizer.get_added_tokens_decoder().items() if token.special
        }
        ends = [identifier for identifier in whole[len(prompt) :] if identifier in special]
        if not ends:
            raise InputError("the chat template does not mark where the assistant's turn ends: use another model")
        return self._named_stops | {ends[0]}

    def prompt(self, messages: Sequence[Mapping[str, Any]], tools: Any = None) -> tuple[int, ...]:
        """Return the tokens of a chat up to where the assistant answers. Raises ValueError with the reason."""
        return tuple(self.encode_text(self.render(self._plain(messages), tools, ask=True)))

    def answered(self, messages: Sequence[Mapping[str, Any]], answer: str, tools: Any = None) -> Encoded:
        """Return the tokens of a chat with an answer, of which the answer and its end are marked as trained."""
        silent = [{**message, "weight": 0} for message in messages]
        return self.encode({"messages": [*silent, {"role": "assistant", "content": answer}], "tools": tools})

    def encode(self, row: Mapping[str, Any]) -> Encoded:
        """Return the tokens of a row and which of them are trained.

        Raises ValueError with the reason when the row is no chat, holds control tokens, or cannot be rendered so
        that what is trained is exactly what the assistant says.
        """
        chat = Chat.from_row(row)
        tools = row.get("tools")
        messages = self._plain([message.fields for message in chat.messages])
        turns = [
            self._turn(messages, tools, index, message)
            for index, message in enumerate(chat.messages)
            if message.trained
        ]
        whole = self.render(messages, tools)
        for start, text in turns:
            if not whole.startswith(text, start):
                raise ValueError("the chat template renders a turn otherwise once the chat goes on")
        return self._mark(whole, turns)

    def _plain(self, messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return the messages with text parts joined, after looking for control tokens in what people wrote."""
        plain = []
        for number, fields in enumerate(messages):
            message = Message(str(fields.get("role")), fields.get("content"), fields)
            text = message.text
            if isinstance(message.content, list) and any(
                not isinstance(part, dict) or part.get("type", "text") != "text" for part in message.content
            ):
                raise ValueError(f"messages[{number}] has parts that are no text: the model reads text only")
            for token in self._control:
                if token in text:
                    raise ValueError(f"messages[{number}] holds the control token {token!r}: take it out")
            plain.append({**fields, "content": text})
        return plain

    def _turn(self, messages: list[dict[str, Any]], tools: Any, index: int, message: Message) -> tuple[int, str]:
        """Return where in the rendered chat an assistant's turn begins, and its text with the end of the turn."""
        if index == 0:
            raise ValueError("the assistant speaks first: there is nothing that it answers")
        before = self.render(messages[:index], tools, ask=True)
        after = self.render(messages[: index + 1], tools)
        if not after.startswith(before):
            raise ValueError(
                f"the chat template does not render messages[{index}] as an answer to what stands before"
            )
        said = after[len(before) :]
        for call in message.calls:
            name = (call.get("function") or {}).get("name") if isinstance(call, dict) else None
            if not name or str(name) not in said:
                raise ValueError(f"the chat template leaves out the tool call in messages[{index}]")
        if "".join(message.text.split()) not in "".join(said.split()):
            raise ValueError(f"the chat template leaves out text of messages[{index}]")
        return len(before), self._up_to_end(said)

    def _up_to_end(self, said: str) -> str:
        """Cut what the template puts after the first token that ends a turn."""
        names = [self._tokenizer.id_to_token(identifier) for identifier in self.stop_ids]
        ends = [said.index(name) + len(name) for name in names if name in said]
        if not ends:
            raise ValueError("the chat template does not end the assistant's turn")
        return said[: min(ends)]

    def _mark(self, whole: str, turns: list[tuple[int, str]]) -> Encoded:
        """Cut the text into tokens and mark the turns; check the marks by decoding them."""
        ids = self.encode_text(whole)
        starts = [self._start_of(ids, whole[:start]) for start, _ in turns]
        if None in starts:
            # A token would reach over the border into an answer (it begins with white space, say). At inference
            # the prompt is encoded alone, so the text is cut there.
            pieces, cuts = [], [0, *(start for start, _ in turns), len(whole)]
            for low, high in itertools.pairwise(cuts):
                pieces.append(self.encode_text(whole[low:high]))
            ids = [identifier for piece in pieces for identifier in piece]
            starts, length = [], 0
            for piece in pieces[:-1]:
                length += len(piece)
                starts.append(length)
        trained = [False] * len(ids)
        for start, (_, text) in zip(starts, turns, strict=True):
            assert start is not None
            end = next((place + 1 for place in range(start, len(ids)) if ids[place] in self.stop_ids), len(ids))
            said = self._tokenizer.decode(ids[start:end], skip_special_tokens=False)
            if "".join(said.split()) != "".join(text.split()):
                raise ValueError("the tokens of an answer do not decode to the answer: use another tokenizer")
            trained[start:end] = [True] * (end - start)
        return Encoded(tuple(ids), tuple(trained))

    def _start_of(self, ids: list[int], before: str) -> int | None:
        """Return how many tokens stand before an answer, or None when a token reaches over the border."""
        prompt = self.encode_text(before)
        return len(prompt) if ids[: len(prompt)] == prompt else None


def _stop_ids(folder: Path) -> set[int]:
    """Return the end tokens that the model's own files name."""
    found: set[int] = set()
    for name in ("generation_config.json", "config.json"):
        path = folder / name
        value = read_json(path, infinite=True).get("eos_token_id") if path.is_file() else None
        found |= set(value) if isinstance(value, list) else {value} if isinstance(value, int) else set()
    return found
