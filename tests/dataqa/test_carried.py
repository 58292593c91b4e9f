from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunegate.core.jsonl import decode
from tunegate.dataqa.carried import Dumped, Loaded, carried
from tunegate.dataqa.check import CheckSettings, DataFile
from tunegate.dataqa.fix import fix
from tunegate.dataqa.row import Row

ODD = r'{"b":1e5, "d":12345678901234567890.5,"\u0061":"\u0041\/", "z":-0,  "n":1.50}'
ASK = '{"role":"user","content":"Hi"}'


def mended(tmp_path: Path, line: str, select: str, target: str = "openai") -> str:
    path = tmp_path / "a.jsonl"
    path.write_text(line + "\n", encoding="utf-8")
    fix(DataFile(path), CheckSettings(target, select=(select,)), unsafe=True)
    return path.read_text(encoding="utf-8").removesuffix("\n")


def calling(function: str, rest: str = '"id":"call00001","type":"function",') -> str:
    return f'{{"messages":[{ASK},{{"role":"assistant","tool_calls":[{{{rest}"function":{function}}}]}}]}}'


def test_arguments_that_become_a_string_keep_their_numbers_and_escapes(tmp_path: Path) -> None:
    after = mended(tmp_path, calling(f'{{"name":"f","arguments":{ODD}}}'), "TOOL003")
    assert after == calling(f'{{"name":"f","arguments":{json.dumps(ODD)}}}')


def test_functions_that_become_tools_keep_their_bytes(tmp_path: Path) -> None:
    call = f'{{"name":"f","arguments":{json.dumps(ODD)}}}'
    before = f'{{"functions":[{ODD}],"messages":[{ASK},{{"role":"assistant","function_call":{call}}}],"seed":1e3}}'
    after = mended(tmp_path, before, "TOOL013")
    made = (
        f'{{"tools":[{{"type":"function","function":{ODD}}}],"messages":[{ASK},{{"role":"assistant","tool_calls":'
    )
    assert after.startswith(made)
    assert f'"type":"function","function":{call}}}' in after
    assert after.endswith(']}],"seed":1e3}')


def test_an_id_is_added_and_the_call_stays_as_it_is(tmp_path: Path) -> None:
    function = f'{{"name":"f","arguments":{json.dumps(ODD)}, "x":1e5}}'
    after = mended(tmp_path, calling(function, ""), "TOOL002")
    assert f'"type":"function","function":{function}}}' in after


def test_a_renamed_key_leaves_its_value_and_the_others(tmp_path: Path) -> None:
    before = r'{"Messages":[{"Role":"user","content":"\u0041\/"},{"role":"assistant","content":"B"}],"\u0078":1e5}'
    after = mended(tmp_path, before, "CHAT024", "hf")
    assert after == before.replace("Messages", "messages").replace("Role", "role")


def test_a_list_that_was_dumped_to_a_string_is_written_as_it_stood(tmp_path: Path) -> None:
    tools = f'[{{"type":"function",\n"function":{{"name":"f","parameters":{{"default":{ODD}}}}}}}]'
    before = f'{{"messages":[{ASK}],"tools":{json.dumps(tools)}}}'
    after = mended(tmp_path, before, "TOOL001")
    assert after == f'{{"messages":[{ASK}],"tools":{tools.replace(chr(10), " ")}}}'


def test_in_a_pair_too(tmp_path: Path) -> None:
    answers = [
        f'[{{"role":"assistant","tool_calls":[{{"id":"call00001","type":"function","function":{{"name":"{name}",'
        f'"arguments":{ODD}}}}}]}}]'
        for name in "fg"
    ]
    before = (
        f'{{"input":{{"messages":[{ASK}]}},"preferred_output":{answers[0]},"non_preferred_output":{answers[1]}}}'
    )
    assert mended(tmp_path, before, "TOOL003") == before.replace(ODD, json.dumps(ODD))


NUMBERS = st.sampled_from(["1e5", "1.50", "-0.0", "12345678901234567890.5", "0", "7", "1E+2"])
TEXTS = st.sampled_from([r'"\u0041\/"', '"A"', '""', '"é"', r'"\ud83d"', r'"a\"b\\"'])
JSON = st.recursive(
    NUMBERS | TEXTS | st.sampled_from(["null", "true", "false"]),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: "[" + ",  ".join(items) + "]")
        | st.dictionaries(st.sampled_from([r'"\u0061"', '"b"', '"é"']), inner, max_size=3).map(
            lambda items: "{ " + ",".join(f"{key} :{item}" for key, item in items.items()) + "}"
        )
    ),
    max_leaves=8,
)


@given(JSON, JSON)
def test_what_is_put_around_a_value_changes_no_byte_of_it(one: str, other: str) -> None:
    row = Row(f'{{"x":{one},"y":[{other}]}}'.encode())
    value: dict[str, Any] = row.value
    assert carried(value, row) == row.raw
    assert (
        carried({"new": value["y"], "more": [value["y"]]}, row)
        == f'{{"new":[{other}],"more":[[{other}]]}}'.encode()
    )
    assert json.loads(carried(Dumped.of(value["y"]), row)) == f"[{other}]"
    assert carried(Loaded.of(value["y"], f"[{other}]"), row) == f"[{other}]".encode()
    assert json.loads(carried({**value, "z": 1}, row)) == {**decode(row.raw).value, "z": 1}


@pytest.mark.parametrize("value", ["text", 1, 1.5, None, True])
def test_a_plain_value_is_left_to_be_written(value: Any) -> None:
    assert carried(value, Row(b"{}")) is value
