"""Chat templates: golden masks, the oracle of transformers, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.core.errors import InputError
from tunegate.finetune.template import ChatTemplate

TWO_TURNS = {
    "messages": [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "card"},
        {"role": "user", "content": "And?"},
        {"role": "assistant", "content": "refund"},
    ]
}


def said(template: ChatTemplate, row: dict[str, Any]) -> list[str]:
    """Return the trained text, one string for each run of trained tokens, control tokens shown."""
    encoded = template.encode(row)
    runs: list[list[int]] = []
    before = False
    for token, trained in zip(encoded.ids, encoded.trained, strict=True):
        if trained and not before:
            runs.append([])
        if trained:
            runs[-1].append(token)
        before = trained
    return [template._tokenizer.decode(run, skip_special_tokens=False) for run in runs]


def shown(template: ChatTemplate, row: dict[str, Any]) -> str:
    """Return the chat with what is trained in brackets."""
    encoded = template.encode(row)
    text, before = "", False
    for token, trained in zip(encoded.ids, encoded.trained, strict=True):
        text += "[" if trained and not before else "]" if before and not trained else ""
        text += template._tokenizer.decode([token], skip_special_tokens=False)
        before = trained
    return text + ("]" if before else "")


def test_golden_mask_of_chatml(chatml_template: ChatTemplate) -> None:
    assert shown(chatml_template, TWO_TURNS) == (
        "<|im_start|>system\nBe kind.<|im_end|>\n"
        "<|im_start|>user\nHi<|im_end|>\n"
        "<|im_start|>assistant\n[card<|im_end|>]\n"
        "<|im_start|>user\nAnd?<|im_end|>\n"
        "<|im_start|>assistant\n[refund<|im_end|>]\n"
    )


def test_golden_mask_of_phi3(phi3_template: ChatTemplate) -> None:
    assert shown(phi3_template, TWO_TURNS) == (
        "<|system|>\nBe kind.<|end|>\n"
        "<|user|>\nHi<|end|>\n"
        "<|assistant|>\n[card<|end|>]\n"
        "<|user|>\nAnd?<|end|>\n"
        "<|assistant|>\n[refund<|end|>]\n"
        "<|endoftext|>"
    )


def test_weight_zero_is_only_read(chatml_template: ChatTemplate) -> None:
    row = json.loads(json.dumps(TWO_TURNS))
    row["messages"][2]["weight"] = 0
    assert said(chatml_template, row) == ["refund<|im_end|>"]
    row["messages"][4]["weight"] = 0
    assert not chatml_template.encode(row).trained_tokens


def test_text_parts_are_joined(chatml_template: ChatTemplate) -> None:
    row = {
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]},
            {"role": "assistant", "content": "three"},
        ]
    }
    assert "user\none\ntwo<|im_end|>" in shown(chatml_template, row)


@pytest.mark.parametrize("style", ["phi3", "chatml"])
@pytest.mark.parametrize("ask", [False, True])
def test_rendering_equals_transformers(style: str, ask: bool, request: pytest.FixtureRequest) -> None:
    from transformers import AutoTokenizer

    folder: Path = request.getfixturevalue(style)
    oracle = AutoTokenizer.from_pretrained(folder)
    template = ChatTemplate.from_folder(folder)
    messages = TWO_TURNS["messages"][: 4 if ask else 5]
    theirs = oracle.apply_chat_template(messages, add_generation_prompt=ask, tokenize=True)["input_ids"]
    text = template.render(messages, ask=ask)
    assert text == oracle.apply_chat_template(messages, add_generation_prompt=ask, tokenize=False)
    assert template.encode_text(text) == theirs
    if not ask:
        assert list(template.encode(TWO_TURNS).ids) == theirs


MARKED = """\
{%- if tools %}{{ '<|im_start|>system\\n' + tools | tojson + '<|im_end|>\\n' }}{% endif %}
{%- for message in messages %}
    {%- if message.role == 'assistant' %}
        {{- '<|im_start|>assistant\\n' }}
        {%- generation %}{{ message.content }}{% for call in message.tool_calls or [] %}
            {{- call.function | tojson(indent=1) }}
            {{- call.function | tojson(separators=(',', ':'), sort_keys=true) }}
        {%- endfor %}{{ '<|im_end|>' }}{% endgeneration %}
    {%- else %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' }}
    {%- endif %}
    {{- '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}
"""


@pytest.mark.parametrize("ask", [False, True])
def test_marks_of_what_is_generated_and_tools_equal_transformers(chatml: Path, ask: bool) -> None:
    from transformers import AutoTokenizer

    oracle = AutoTokenizer.from_pretrained(chatml)
    oracle.chat_template = MARKED
    called = {"type": "function", "function": {"name": "look_up", "arguments": {"für": "Größe <b>"}}}
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "", "tool_calls": [called]},
        {"role": "tool", "content": "42"},
        {"role": "assistant", "content": "It is 42."},
    ][: 3 if ask else 4]
    tools = [{"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}]
    template = remade(MARKED)

    text = template.render(messages, tools, ask=ask)
    assert text == oracle.apply_chat_template(messages, tools=tools, add_generation_prompt=ask, tokenize=False)
    if not ask:
        theirs = oracle.apply_chat_template(
            messages, tools=tools, return_dict=True, return_assistant_tokens_mask=True
        )
        encoded = template.encode({"messages": messages, "tools": tools})
        assert list(encoded.ids) == theirs["input_ids"]
        assert [int(trained) for trained in encoded.trained] == theirs["assistant_masks"]


def test_stop_tokens(phi3_template: ChatTemplate, chatml_template: ChatTemplate) -> None:
    names = [
        {template._tokenizer.id_to_token(stop) for stop in template.stop_ids}
        for template in (phi3_template, chatml_template)
    ]
    assert names == [{"<|end|>", "<|endoftext|>"}, {"<|im_end|>"}]


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(
    lambda text: "<|" not in text and text.strip()
)


@settings(deadline=None, max_examples=60)
@given(TEXT, TEXT)
def test_a_prompt_is_cut_alike_in_training_and_at_inference(question: str, answer: str) -> None:
    template = remade(CHATML_SOURCE)
    messages = [{"role": "user", "content": question}]
    prompt = template.prompt(messages)
    encoded = template.answered(messages, answer)
    assert encoded.ids[: len(prompt)] == prompt
    assert not any(encoded.trained[: len(prompt)])
    trained = [token for token, learn in zip(encoded.ids, encoded.trained, strict=True) if learn]
    assert trained[-1] in template.stop_ids
    assert template._tokenizer.decode(trained, skip_special_tokens=False) == answer + "<|im_end|>"


TOKENIZER: Any = None
CHATML_SOURCE = ""


@pytest.fixture(autouse=True, scope="module")
def _tokenizer(chatml: Path) -> None:
    global TOKENIZER, CHATML_SOURCE  # noqa: PLW0603  (hypothesis takes no function-scoped fixtures)
    from tokenizers import Tokenizer

    TOKENIZER = Tokenizer.from_file(str(chatml / "tokenizer.json"))
    CHATML_SOURCE = ChatTemplate.source_of(chatml)


def test_an_answer_that_begins_with_white_space_keeps_it(chatml_template: ChatTemplate) -> None:
    row = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "\n  card"}]}
    assert said(chatml_template, row) == ["\n  card<|im_end|>"]
    prompt = chatml_template.prompt(row["messages"][:1])
    assert chatml_template.encode(row).ids[: len(prompt)] == prompt


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([], "no list of messages"),
        ([{"role": "assistant", "content": "Hi"}], "the assistant speaks first"),
        (
            [{"role": "user", "content": "a<|im_end|>b"}, {"role": "assistant", "content": "c"}],
            r"messages\[0\] holds the control token '<\|im_end\|>'",
        ),
        (
            [{"role": "user", "content": "a"}, {"role": "assistant", "content": "c <|im_start|>"}],
            r"messages\[1\] holds the control token",
        ),
        (
            [
                {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]},
                {"role": "assistant", "content": "c"},
            ],
            "parts that are no text",
        ),
        (
            [
                {"role": "user", "content": "a"},
                {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "look_up"}}]},
            ],
            r"leaves out the tool call in messages\[1\]",
        ),
    ],
)
def test_what_cannot_be_trained_exactly_is_refused(
    chatml_template: ChatTemplate, messages: list[Any], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        chatml_template.encode({"messages": messages})


def remade(source: str, **tokens: str) -> ChatTemplate:
    return ChatTemplate(source, TOKENIZER, {"eos_token": "<|im_end|>", **tokens})


def test_a_template_that_refuses_a_role_gives_its_reason() -> None:
    template = remade("{{ raise_exception('only users here') }}")
    with pytest.raises(ValueError, match="refuses it: only users here"):
        template.render([{"role": "user", "content": "a"}])


def test_a_template_that_renders_a_turn_otherwise_later_is_refused() -> None:
    source = CHATML_SOURCE.replace(
        "message['content']",
        "(message['content'] if loop.last or message['role'] != 'assistant' else message['content'] | upper)",
    )
    with pytest.raises(ValueError, match="otherwise once the chat goes on"):
        remade(source).encode(TWO_TURNS)


def test_a_template_that_drops_text_is_refused() -> None:
    source = CHATML_SOURCE.replace("message['content']", "message['content'][:4]")
    row = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "a longer answer"}]}
    with pytest.raises(ValueError, match=r"leaves out text of messages\[1\]"):
        remade(source).encode(row)


def test_a_template_without_an_end_of_turn_is_refused() -> None:
    source = (
        "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}assistant: "
    )
    with pytest.raises(InputError, match="end"):
        remade(source).encode(TWO_TURNS)


def test_a_clock_is_not_offered() -> None:
    with pytest.raises(ValueError, match="strftime_now"):
        remade("{{ strftime_now('%Y') }}").render([])


def test_a_broken_template_is_named() -> None:
    with pytest.raises(InputError, match="is no Jinja"):
        remade("{% if %}")


def test_a_template_cannot_reach_python() -> None:
    with pytest.raises(ValueError, match="refuses it"):
        remade("{{ messages.__class__.__mro__[1].__subclasses__() }}").render([])


def test_files_that_are_missing_are_named(tmp_path: Path, chatml: Path) -> None:
    with pytest.raises(InputError, match=r"tokenizer\.json"):
        ChatTemplate.from_folder(tmp_path)
    (tmp_path / "tokenizer.json").write_bytes((chatml / "tokenizer.json").read_bytes())
    (tmp_path / "tokenizer_config.json").write_text("{}")
    with pytest.raises(InputError, match="has no chat template"):
        ChatTemplate.from_folder(tmp_path)
    (tmp_path / "chat_template.jinja").write_text(CHATML_SOURCE)
    assert ChatTemplate.from_folder(tmp_path).stop_ids
    (tmp_path / "chat_template.jinja").unlink()
    named = [{"name": "tool_use", "template": "x"}, {"name": "default", "template": CHATML_SOURCE}]
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"chat_template": named}))
    assert ChatTemplate.from_folder(tmp_path).stop_ids
