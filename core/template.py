"""The chat template of a model: from messages to the text that the model reads.

Rendering follows Hugging Face's conventions (sandboxed Jinja, `trim_blocks`, `lstrip_blocks`, `raise_exception`,
`tojson`, the `generation` block) without importing transformers. There is no clock in it: a template that would
write today's date writes its own default instead.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tunegate.core.chat import text_of
from tunegate.core.errors import InputError
from tunegate.core.extras import need
from tunegate.core.files import explain_os_error, read_json


class ChatTemplate:
    """A chat template with the names of its special tokens (`bos_token`, `eos_token` ...)."""

    def __init__(self, source: str, tokens: Mapping[str, str]) -> None:
        """Compile the template. Raises InputError when it is no Jinja."""
        self._tokens = dict(tokens)
        self._template = _compile(source)
        self._refusals = (need("jinja2", "data").TemplateError, TypeError, ValueError)

    @classmethod
    def from_folder(cls, folder: Path) -> ChatTemplate:
        """Read the template of a model folder. Raises InputError when there is none, or when it cannot be used."""
        path = folder / "tokenizer_config.json"
        settings = read_json(path, infinite=True) if path.is_file() else {}
        return cls(template_source(folder, settings), special_tokens(settings))

    @property
    def marks(self) -> tuple[str, ...]:
        """The tokens that begin and end a text for the model, where it has them."""
        return tuple(self._tokens[key] for key in ("bos_token", "eos_token") if self._tokens.get(key))

    def render(self, messages: Sequence[Mapping[str, Any]], tools: Any = None, *, ask: bool = False) -> str:
        """Return the text of a chat; with `ask`, ending where the assistant begins to answer.

        Text parts are joined, and keys without a value left out. Raises ValueError with the template's reason when
        it refuses the chat.
        """
        plain = [_plain(message) for message in messages]
        try:
            text: str = self._template.render(
                messages=plain, tools=tools or None, add_generation_prompt=ask, **self._tokens
            )
        except self._refusals as error:
            raise ValueError(f"the model's chat template refuses it: {error}") from error
        return text


def _plain(message: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in message.items() if value is not None}
    return {**kept, "content": text_of(message.get("content"))}


def special_tokens(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return the special tokens that a `tokenizer_config.json` names, such as {"eos_token": "</s>"}."""
    named = {key: value for key, value in settings.items() if key.endswith("_token")}
    texts = {key: value.get("content") if isinstance(value, dict) else value for key, value in named.items()}
    return {key: text for key, text in texts.items() if isinstance(text, str)}


def template_source(folder: Path, settings: Mapping[str, Any]) -> str:
    """Return the template's source: a file of its own, or in the tokenizer's settings, where there may be several.

    Raises InputError when there is none.
    """
    path = folder / "chat_template.jinja"
    if path.is_file():
        try:
            return path.read_text(encoding="utf-8")
        except OSError as error:
            raise explain_os_error(error, path, "read") from error
    found = settings.get("chat_template")
    if isinstance(found, list):
        found = next((item["template"] for item in found if item.get("name") == "default"), None)
    if not isinstance(found, str):
        raise InputError(
            f"{folder} has no chat template: use an instruction-tuned model, or add chat_template.jinja"
        )
    return found


def _compile(source: str) -> Any:
    jinja2 = need("jinja2", "data")
    sandbox = need("jinja2.sandbox", "data")
    extension = need("jinja2.ext", "data").Extension

    class Generation(extension):  # type: ignore[misc, valid-type]
        """Marks what the assistant says; here the block is only its content."""

        tags = frozenset({"generation"})

        def parse(self, parser: Any) -> Any:
            next(parser.stream)
            return parser.parse_statements(("name:endgeneration",), drop_needle=True)

    environment = sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols", Generation]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _refuse
    try:
        return environment.from_string(source)
    except jinja2.TemplateError as error:
        raise InputError(f"the chat template is no Jinja: {error}") from error


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _refuse(reason: str) -> None:
    raise ValueError(reason)
