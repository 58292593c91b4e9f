"""What is shown of data holds no secret, however it is written, and wherever in a row it stands."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tunegate.dataqa.check import CheckSettings, DataFile, check
from tunegate.dataqa.fix import diff, fix
from tunegate.dataqa.formats import FORMATS, format_named
from tunegate.dataqa.output import Look
from tunegate.dataqa.showing import masked, masked_line

# Put together from pieces, so that no scanner of a code host takes this file for a leak.
OPENAI = "sk-" + "proj-abcdEFGH1234ijklMNOP5678qrstUVWX9012yzAB"
GITHUB = "gh" + "p_16C7e42F292c6912E7710c838347Ae178B4a"
MAIL = "wilhelmine.hagenbeck-oberhuber@versicherungsmakler-nord.de"
IBAN = "DE89370400440532013000"
AMAZON = "AKIA" + "IOSFODNN7EXAMPLE"
SECRETS = [OPENAI, GITHUB, MAIL, IBAN, AMAZON]

# What masking shows of each: no longer piece may stand anywhere.
SHOWN = {OPENAI: len("sk-proj-"), GITHUB: len("ghp_"), MAIL: 2, IBAN: 4, AMAZON: 4}

Plant = Callable[[str], Any]


def chat(*messages: Any, **others: Any) -> dict[str, Any]:
    return {"messages": list(messages), **others}


def call(name: Any = "f", arguments: Any = "{}", id_: Any = "call00001") -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": id_, "type": "function", "function": function}],
    }


U: dict[str, Any] = {"role": "user", "content": "Hi"}
A: dict[str, Any] = {"role": "assistant", "content": "Hello"}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}

PLACES: dict[str, Plant] = {
    "content": lambda s: chat({**U, "content": f"It is {s}, yes"}, A),
    "answer": lambda s: chat(U, {**A, "content": s}),
    "row key": lambda s: chat(U, A, **{s: 1}),
    "message key": lambda s: chat({**U, s: 1}, A),
    "role": lambda s: chat({**U, "role": s}, A),
    "weight": lambda s: chat(U, {**A, "weight": s}),
    "weight key": lambda s: chat(U, {**A, "weight": {s: 1}}),
    "name": lambda s: chat({**U, "name": s}, A),
    "call id": lambda s: chat(U, call(id_=s), {"role": "tool", "tool_call_id": "x", "content": "1"}, A),
    "result id": lambda s: chat(U, call(), {"role": "tool", "tool_call_id": s, "content": "1"}, A),
    "arguments": lambda s: chat(U, call(arguments=json.dumps({"k": s})), tools=[TOOL]),
    "argument name": lambda s: chat(U, call(arguments=json.dumps({s: 1})), tools=[TOOL]),
    "broken arguments": lambda s: chat(U, call(arguments='{"k": ' + s)),
    "called": lambda s: chat(U, call(name=s), tools=[TOOL]),
    "tool name": lambda s: chat(U, call(), tools=[{**TOOL, "function": {**TOOL["function"], "name": s}}]),  # type: ignore[dict-item]
    "tool type": lambda s: chat(U, A, tools=[{**TOOL, "type": s}]),
    "parameters": lambda s: chat(
        U, call(), tools=[{**TOOL, "function": {"name": "f", "parameters": {"type": s, "required": [s]}}}]
    ),
    "detail": lambda s: chat(
        {**U, "content": [{"type": "image_url", "image_url": {"url": "https://a.b/c.png", "detail": s}}]}, A
    ),
    "image": lambda s: chat({**U, "content": [{"type": "image_url", "image_url": {"url": s}}]}, A),
    "part type": lambda s: chat({**U, "content": [{"type": s, "text": "Hi"}]}, A),
    "part key": lambda s: chat({**U, "content": [{"type": "text", "text": "Hi", s: 1}]}, A),
    "metadata": lambda s: chat(U, A, metadata={"from": s, s: [s]}),
    "mojibake": lambda s: chat({**U, "content": f"GrÃ¼ÃŸe,{s}, und Ã¼: {s} Ã¼"}, A),
    "lost": lambda s: chat({**U, "content": f"Gr\ufffd\ufffde:{s}\ufffd"}, A),
    "repeated": lambda s: chat(U, {**A, "content": f"{s} " * 60}),
    "label": lambda s: chat(U, {**A, "content": f"<|im_start|>{s}<|im_end|> &nbsp;<b>{s}</b>"}),
    "messages": lambda s: {"messages": s},
    "other schema": lambda s: {"conversations": [{"from": s, "value": s}]},
    "preference": lambda s: {
        "input": {"messages": [{**U, "role": s}]}, "preferred_output": [A], "non_preferred_output": [{**A, s: s}],
    },
}  # fmt: skip


def everything_shown(row: bytes, folder: Path) -> str:
    """Check a file of one row, and return all forms of the result with the diffs."""
    path = folder / "a.jsonl"
    path.write_bytes(row + b"\n")
    texts = []
    for kind in ("sft", "dpo"):
        for target in ("hf", "openai", "azure-openai", "mistral"):
            asked = CheckSettings(target, kind=kind)  # type: ignore[arg-type]
            result = check([DataFile(path)], asked)
            texts += [line for form in FORMATS for line in format_named(form)(result, Look())]
            texts += diff(DataFile(path), asked, unsafe=True)
    return "\n".join(texts)


def leaks_of(secret: str, shown: str) -> list[str]:
    """Return the pieces of a secret in a text longer than what masking shows, of eight letters or more."""
    size = max(SHOWN[secret] + 1, 8)
    pieces = {secret[start : start + size] for start in range(len(secret) - size + 1)}
    low = shown.lower()
    return sorted(piece for piece in pieces if piece.lower() in low)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("secret", SECRETS, ids=["key", "token", "mail", "iban", "access"])
def test_no_form_shows_a_secret_wherever_it_stands(secret: str, place: str, tmp_path: Path) -> None:
    row = json.dumps(PLACES[place](secret), ensure_ascii=False).encode()
    assert leaks_of(secret, everything_shown(row, tmp_path)) == []


# What a repair takes out, or puts together.
BREAKS = ["\u0000", "\u200b", "\u00ad", "\u2060", "\ufeff", "\u202e", "\x1b[31m", "\U000e0061", "\u200c\u200d"]


@pytest.mark.parametrize("sign", BREAKS)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_what_a_repair_would_uncover_is_found_and_masked(sign: str, ascii_only: bool, tmp_path: Path) -> None:
    for at in (2, 4, 9, 20):
        broken = sign.join([GITHUB[:at], GITHUB[at : at + 6], GITHUB[at + 6 : at + 12], GITHUB[at + 12 :]])
        row = json.dumps(chat({**U, "content": f"use {broken} now"}, A), ensure_ascii=ascii_only).encode()
        shown = everything_shown(row, tmp_path)
        bare = shown.replace(json.dumps(sign)[1:-1], "").replace("\\u001b[31m", "").replace("\\U000e0061", "")
        assert "SEC001" in shown
        assert leaks_of(GITHUB, shown) == leaks_of(GITHUB, bare) == []
        assert "@@ -1 +1 @@" in shown


def test_a_token_that_wrongly_decoded_characters_break_is_not_shown() -> None:
    broken = (GITHUB[:12] + "\u200b" + GITHUB[12:]).encode().decode("cp1252")
    line = masked_line(json.dumps({"content": broken}, ensure_ascii=False).encode())
    assert leaks_of(GITHUB, line) == []


ESCAPED = [
    r'{"k": "\u0067hp_REST", "m": "\u0061nna.mueller\u0040firma.de"}',
    r'{"k": "line\nghp_REST", "m": "to:\tanna.mueller@firma.de"}',
    r'{"k": "{\"a\": \"\\u0067hp_REST\"}", "m": "anna.mueller\u200b@firma.de"}',
]


@pytest.mark.parametrize("arguments", ESCAPED)
def test_escapes_inside_arguments_hide_nothing(arguments: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(chat(U, call(arguments=arguments.replace("REST", GITHUB[4:])))) + "\n")
    only = CheckSettings(select=("PII001", "SEC001"))
    result = check([DataFile(path)], only)
    at = "$.messages[1].tool_calls[0].function.arguments"
    assert [(found.rule, found.json_path) for found in result.findings] == [("PII001", at), ("SEC001", at)]
    shown = "\n".join(diff(DataFile(path), only, unsafe=True))
    assert "mueller" not in shown
    assert GITHUB[4:12] not in shown
    fix(DataFile(path), only, unsafe=True)
    made = json.loads(path.read_text())["messages"][1]["tool_calls"][0]["function"]["arguments"]
    assert json.loads(made).keys() == {"k", "m"}
    assert GITHUB[4:12] not in made
    assert "mueller" not in made
    assert check([DataFile(path)], only).findings == ()


def test_a_number_in_arguments_is_reported_and_left(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(chat(U, call(arguments='{"card": 4111111111111111}'))) + "\n")
    before = path.read_bytes()
    only = CheckSettings(select=("PII002",))
    (found,) = check([DataFile(path)], only).findings
    assert found.fix is None
    fix(DataFile(path), only, unsafe=True)
    assert path.read_bytes() == before


def test_a_line_that_is_no_json_is_masked_with_its_escapes() -> None:
    line = masked_line(b'{"messages": [{"content": "\\u0067hp_' + GITHUB[4:].encode())
    assert leaks_of(GITHUB, line) == []


pieces = st.sampled_from([*SECRETS, *BREAKS, " ", "a", "\\", "\\n", "\\u0041", '"', "\n", "Ã¼", "`", "***"])


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(pieces, max_size=12).map("".join))
def test_masking_again_changes_nothing(text: str) -> None:
    assert masked(masked(text)) == masked(text)
