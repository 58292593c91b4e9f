"""Token counts, against tiktoken and transformers."""

from __future__ import annotations

import json
import shutil
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.core.errors import InputError, UsageError
from tunegate.dataqa import tokens as module
from tunegate.dataqa.corpus import entry_of
from tunegate.dataqa.entry import Entry
from tunegate.dataqa.row import Row
from tunegate.dataqa.tokens import (
    Estimate,
    Lengths,
    ModelCounter,
    counter,
    row_tokens,
    tiktoken_encoding,
    with_lengths,
)

TEXTS = [
    "",
    " ",
    "Where is my parcel?",
    "Wo bleibt mein Paket? Größe XL, Straße 12, 3,50 €",
    "👩\u200d💻 ❤\ufe0f\u200d🔥 🏳\ufe0f\u200d🌈",
    "ภาษาไทยไม่มีช่องว่าง",
    "これは日本語の文章です。",
    "<|endoftext|><|im_start|>system<|end|>",
    "a" * 3000,
    "\n\n\n\t\t  x\u00a0y\u200b",
    "def f(x):\n    return {'a': 1, \"b\": [2, 3]}\n",
    "DON'T I'LL we've 1234567890 12 345",
    "\u0000\u0001\ufffd",
]


def vocabulary() -> Path:
    return Path(str(files("bpe_openai"))) / "data" / "o200k_base.tiktoken.gz"


@pytest.fixture(scope="module")
def oracle() -> Any:
    """tiktoken's o200k_base, from a file that comes with a package."""
    return tiktoken_encoding(vocabulary())


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folders of two tiny models, with the templates of Phi-3 and ChatML."""
    from tunegate.finetune.tiny import make

    folder = tmp_path_factory.mktemp("models")
    make(folder / "phi-3", "phi-3")
    make(folder / "chatml", "chatml")
    return {"phi-3": folder / "phi-3", "chatml": folder / "chatml"}


@pytest.mark.parametrize("text", TEXTS)
def test_the_estimate_equals_tiktoken(oracle: Any, text: str) -> None:
    assert Estimate().count([text]) == [len(oracle.encode_ordinary(text))]


# What counts as a letter changes with every version of Unicode, and the two libraries do not follow the same one;
# they can differ only on characters that an older version leaves unassigned.
assigned = st.characters(exclude_categories=["Cn", "Cs"])


@settings(max_examples=200, deadline=None)
@given(texts=st.lists(st.text(assigned, max_size=80), max_size=5))
def test_the_estimate_equals_tiktoken_on_any_text(oracle: Any, texts: list[str]) -> None:
    assert Estimate().count(texts) == [len(oracle.encode_ordinary(text)) for text in texts]


@pytest.mark.shared
@pytest.mark.parametrize("name", ["robust/blns", "chat/covid_faq_de", "toolcall/glaive_en"])
def test_the_estimate_equals_tiktoken_on_real_texts(oracle: Any, shared: Path, name: str) -> None:
    lines = (shared / "data" / f"{name}.jsonl").read_bytes().split(b"\n")
    rows = [json.loads(line) for line in lines if line]
    texts = [m["content"] for row in rows for m in row["messages"] if isinstance(m["content"], str)]
    assert Estimate().count(texts) == [len(oracle.encode_ordinary(text)) for text in texts]


def test_tiktoken_counts_the_same_where_toktok_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, oracle: Any
) -> None:
    import gzip

    cached = tmp_path / module._CACHED_AS
    cached.write_bytes(gzip.decompress(vocabulary().read_bytes()))
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    monkeypatch.setitem(sys.modules, "toktok", None)
    assert Estimate().count(TEXTS) == [len(oracle.encode_ordinary(text)) for text in TEXTS]
    cached.write_bytes(b"AAAA 0\n")
    with pytest.raises(InputError, match="SHA-256 is wrong"):
        Estimate()
    monkeypatch.delenv("TIKTOKEN_CACHE_DIR")
    with pytest.raises(InputError, match="pip install toktok-rs"):
        Estimate()


CHAT = {
    "messages": [
        {"role": "system", "content": "Name the intent."},
        {"role": "user", "content": "Wo ist mein Päckchen? 🙂"},
        {"role": "assistant", "content": "Which one?", "weight": 0},
        {"role": "user", "content": "No. 3"},
        {"role": "assistant", "content": "order_status"},
    ]
}


def test_an_estimate_of_a_row_is_its_texts_and_the_overhead(oracle: Any) -> None:
    texts = [message["content"] for message in CHAT["messages"]]
    counts = [len(oracle.encode_ordinary(text)) for text in texts]
    assert row_tokens(CHAT, Estimate()) == sum(counts) + 4 * 5 + 3
    assert Estimate().prompt(CHAT) == sum(counts[:4]) + 4 * 4 + 3
    assert not Estimate().exact


def test_tools_and_calls_are_counted() -> None:
    plain = row_tokens({"messages": [{"role": "assistant", "content": "x"}]}, Estimate()) or 0
    call = {"type": "function", "function": {"name": "weather", "arguments": '{"city": "Bonn"}'}}
    called = {"messages": [{"role": "assistant", "content": "x", "tool_calls": [call]}]}
    assert (row_tokens(called, Estimate()) or 0) > plain + 10
    assert (row_tokens({**called, "tools": [call]}, Estimate()) or 0) > plain + 20


@pytest.mark.parametrize("style", ["phi-3", "chatml"])
@pytest.mark.parametrize("text", TEXTS)
def test_a_model_counts_as_transformers_does(models: dict[str, Path], style: str, text: str) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(models[style])
    messages = [*CHAT["messages"][:3], {"role": "user", "content": text}, {"role": "assistant", "content": text}]
    expected = tokenizer.apply_chat_template(messages, tokenize=True, return_dict=False)
    counting = ModelCounter(models[style])
    assert counting.exact
    assert row_tokens({"messages": messages}, counting) == len(expected)
    prompt = tokenizer.apply_chat_template(
        messages[:4], tokenize=True, return_dict=False, add_generation_prompt=True
    )
    assert counting.prompt({"messages": messages}) == len(prompt)


def test_many_rows_are_counted_as_one(models: dict[str, Path]) -> None:
    counting = ModelCounter(models["phi-3"])
    rows = [{"messages": CHAT["messages"][: 2 * number + 3]} for number in (0, 1)] * 3
    assert counting.rows(rows) == [row_tokens(row, counting) for row in rows]


def test_what_a_template_refuses_has_no_count(models: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "strict"
    shutil.copytree(models["chatml"], folder)
    refuses = "{% if m.role == 'tool' %}{{ raise_exception('no tools here') }}{% endif %}"
    template = "{% for m in messages %}" + refuses + "x{% endfor %}"
    (folder / "chat_template.jinja").write_text(template)
    counting = ModelCounter(folder)
    refused = {"messages": [{"role": "tool", "content": "1"}]}
    assert counting.rows([refused, {"messages": [{"role": "user", "content": "1"}]}])[0] is None
    assert "no tools here" in counting.refusal(refused)
    assert counting.refusal(CHAT) == ""


def test_a_missing_or_damaged_tokenizer_is_named(models: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no chat template.*chat_template\.jinja"):
        ModelCounter(tmp_path)
    shutil.copy(models["phi-3"] / "tokenizer_config.json", tmp_path)
    with pytest.raises(InputError, match=r"tokenizer\.json"):
        ModelCounter(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(InputError, match="cannot read the tokenizer"):
        ModelCounter(tmp_path)


def test_counters_by_name(models: dict[str, Path]) -> None:
    assert counter("o200k").name == "o200k"
    assert counter("model").name == "o200k"
    assert counter("model", models["phi-3"]).name == "phi-3"
    with pytest.raises(UsageError, match="did you mean 'model'"):
        counter("modell")


def test_lengths_are_counted_only_where_they_may_be_over() -> None:
    made: list[Estimate] = []

    def make() -> Estimate:
        made.append(Estimate())
        return made[0]

    lengths = Lengths(1024, make)

    def entries_of(*words: int) -> list[Entry]:
        return with_lengths([kept(count) for count in words], lengths)

    def kept(words: int) -> tuple[Entry, Row]:
        messages = [{"role": "user", "content": "word " * words}, {"role": "assistant", "content": "x"}]
        row = Row(json.dumps({"messages": messages}).encode())
        entry = entry_of(row, "train")
        assert entry is not None
        return entry, row

    assert [entry.tokens for entry in entries_of(1, 20, 100)] == [None, None, None]
    assert not made
    short, long = entries_of(900, 1200)
    assert len(made) == 1
    assert short.tokens is None
    assert (long.tokens or 0) > 1200
