from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.core.errors import InputError
from tunegate.core.jsonl import MISSING, decode
from tunegate.dataqa.check import CheckSettings, DataFile, check
from tunegate.dataqa.fix import diff, fix

CHAT = b'{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}'
FILES_ONLY = CheckSettings(select=("FILE",))


def mended(path: Path, content: bytes, unsafe: bool = False, settings: CheckSettings = FILES_ONLY) -> bytes:
    path.write_bytes(content)
    fix(DataFile(path), settings, unsafe)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"\xef\xbb\xbf" + CHAT + b"\n", CHAT + b"\n"),
        (CHAT + b"\r\n" + CHAT + b"\r\n", CHAT + b"\n" + CHAT + b"\n"),
        (CHAT + b"\n\n  \n" + CHAT + b"\n", CHAT + b"\n" + CHAT + b"\n"),
        (CHAT, CHAT + b"\n"),
        (CHAT + b"\n" + CHAT[:30], CHAT + b"\n" + CHAT[:30]),
        (CHAT.replace(b"Hi", "a\u2028b".encode()) + b"\n", CHAT.replace(b"Hi", b"a\\u2028b") + b"\n"),
        (
            CHAT.replace(b"Hi", b"a\\ud83d \\ud83d\\ude00") + b"\n",
            CHAT.replace(b"Hi", b"a\\ufffd \\ud83d\\ude00") + b"\n",
        ),
        ((CHAT + b"\n").decode().encode("utf-16"), CHAT + b"\n"),
        (CHAT.replace(b"Hi", b"Caf\xe9") + b"\n", CHAT.replace(b"Hi", b"Caf\xe9") + b"\n"),
    ],
)
def test_safe_repairs_of_lines(before: bytes, after: bytes, tmp_path: Path) -> None:
    assert mended(tmp_path / "a.jsonl", before) == after


def test_unsafe_repairs_only_when_asked(tmp_path: Path) -> None:
    line = CHAT.replace(b"Hi", "Grüße, ".encode() + b"Caf\xe9")
    assert (
        mended(tmp_path / "a.jsonl", line + b"\n", unsafe=True)
        == CHAT.replace(b"Hi", "Grüße, Café".encode()) + b"\n"
    )


def test_the_mark_is_put_on_where_the_target_asks_for_it(tmp_path: Path) -> None:
    azure = CheckSettings("azure-openai", select=("FILE",))
    once = mended(tmp_path / "a.jsonl", b"\n" + CHAT + b"\n", settings=azure)
    assert once == b"\xef\xbb\xbf" + CHAT + b"\n"
    assert mended(tmp_path / "a.jsonl", once, settings=azure) == once
    not_chosen = CheckSettings(ignore=("FILE002",), select=("FILE",))
    assert mended(tmp_path / "a.jsonl", once + b"\n", settings=not_chosen) == once


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize(("target", "mark"), [("azure-openai", b"\xef\xbb\xbf"), ("azure-phi", b""), ("hf", b"")])
def test_a_file_in_another_encoding_gets_the_mark_at_once(
    encoding: str, target: str, mark: bytes, tmp_path: Path
) -> None:
    chosen = CheckSettings(target, select=("FILE",))
    text = "" if encoding in ("utf-16", "utf-32") else "\ufeff"
    once = mended(tmp_path / "a.jsonl", f"{text}{CHAT.decode()}\n".encode(encoding), settings=chosen)
    assert once == mark + CHAT + b"\n"
    assert mended(tmp_path / "a.jsonl", once, settings=chosen) == once
    unmarked = CheckSettings(target, select=("FILE003",))
    assert mended(tmp_path / "a.jsonl", (CHAT.decode() + "\n").encode("utf-16"), settings=unmarked) == CHAT + b"\n"


def test_only_the_value_changes_and_not_a_byte_beside_it(tmp_path: Path) -> None:
    line = '{ "z":1.50,"messages" :[{"role": "user","content":"Gr\\u00fc\\u00dfe an max@firma.de"} ,'
    line += '{"role":"assistant",  "content":"ok"}], "x": {"b":1e3, "a":"é"} }'
    after = mended(tmp_path / "a.jsonl", line.encode() + b"\n", True, CheckSettings(select=("PII001",))).decode()
    assert after.startswith('{ "z":1.50,"messages" :[{"role": "user","content":"Grüße an ')
    assert after.endswith('"} ,{"role":"assistant",  "content":"ok"}], "x": {"b":1e3, "a":"é"} }\n')
    assert "max@firma.de" not in after


def test_what_is_left_alone_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(CHAT + b"\n")
    inode = path.stat().st_ino
    assert fix(DataFile(path), FILES_ONLY).applied == {}
    assert path.stat().st_ino == inode

    packed = tmp_path / "a.jsonl.gz"
    packed.write_bytes(gzip.compress(b"\n" + CHAT))
    assert "unpack it" in (fix(DataFile(packed), FILES_ONLY).skipped or "")
    array = tmp_path / "b.jsonl"
    array.write_bytes(b"[" + CHAT + b"]")
    assert "FILE008" in (fix(DataFile(array), FILES_ONLY).skipped or "")
    wide = tmp_path / "c.jsonl"
    wide.write_bytes((CHAT + b"\n\n").decode().encode("utf-16"))
    assert "FILE003 is left out" in (fix(DataFile(wide), CheckSettings(select=("FILE005",))).skipped or "")


def test_a_link_stays_a_link_and_the_mode_is_kept(tmp_path: Path) -> None:
    path, link = tmp_path / "a.jsonl", tmp_path / "link.jsonl"
    path.write_bytes(CHAT)
    path.chmod(0o600)
    link.symlink_to(path)
    fix(DataFile(link), FILES_ONLY)
    assert link.is_symlink()
    assert path.read_bytes() == CHAT + b"\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    path = tmp_path / "a.jsonl"
    path.write_bytes(CHAT)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="the disk is full"):
        fix(DataFile(path), FILES_ONLY)
    assert path.read_bytes() == CHAT
    assert [item.name for item in tmp_path.iterdir()] == ["a.jsonl"]


def test_a_diff_shows_changed_lines_only_and_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    content = CHAT + b"\n\n" + CHAT.replace(b"Hi", b"\\ud83d") + b"\n" + CHAT
    path.write_bytes(content)

    lines = list(diff(DataFile(path, name="a.jsonl"), FILES_ONLY))

    assert lines == [
        "--- a/a.jsonl",
        "+++ b/a.jsonl",
        "@@ -2 +1,0 @@",
        "-",
        "@@ -3 +2 @@",
        "-" + CHAT.replace(b"Hi", b"\\ud83d").decode(),
        "+" + CHAT.replace(b"Hi", b"\\ufffd").decode(),
        "@@ -4 +3 @@",
        "-" + CHAT.decode(),
        "\\ No newline at end of file",
        "+" + CHAT.decode(),
    ]
    assert path.read_bytes() == content


def test_a_diff_is_one_that_patch_follows(tmp_path: Path) -> None:
    import subprocess

    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n" + CHAT + b"\n\n\n" + CHAT.replace(b"Hi", b"\\ud83d") + b"\n" + CHAT)
    (tmp_path / "a.diff").write_text("\n".join(diff(DataFile(path, name="a.jsonl"), FILES_ONLY)) + "\n")
    expected = mended(tmp_path / "b.jsonl", path.read_bytes())
    subprocess.run(["git", "apply", "--unidiff-zero", "a.diff"], cwd=tmp_path, check=True)
    assert path.read_bytes() == expected


def test_a_diff_hides_secrets_and_personal_data_and_control_characters(tmp_path: Path) -> None:
    secret = "sk-proj-" + "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7bC9dE1fG"
    rows = [
        {"messages": [{"role": "user", "content": f"\nerika@firma.de {secret} \u202e\x9b31m"}]},
        {"messages": [{"role": "user", "content": "IBAN DE89370400440532013000"}], "note": "erika@firma.de"},
    ]
    lines = [json.dumps(row, ensure_ascii=False).encode() for row in rows]
    lines += [json.dumps(rows[0]).replace("@", "\\u0040").encode(), b"{'broken': 'erika@firma.de'}"]
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\r\n".join(lines) + b"\r\n")

    shown = "\n".join(diff(DataFile(path), CheckSettings(), unsafe=True))

    assert "@@ -4 +4 @@" in shown
    for hidden in ("erika@", "erika\\u0040", secret, "DE89370400440532013000", "\u202e", "\x9b", "\r"):
        assert hidden not in shown


chats = st.builds(
    lambda turns, extra: {"messages": turns, **extra},
    st.lists(
        st.dictionaries(
            st.sampled_from(["role", "content", "weight", "name", "Role ", "tool_calls", "mood"]),
            st.sampled_from(
                [
                    "user",
                    "assistant",
                    "human",
                    "Hi",
                    " ",
                    "call +49 30 901820",
                    "a@firma.de, b@firma.de",
                    1,
                    1.0,
                    True,
                ]
            )
            | st.lists(st.just({"id": "x", "function": {"name": "f", "arguments": {"a": 1}}}), max_size=2)
            | st.text(max_size=5),
            max_size=4,
        ),
        max_size=4,
    ),
    st.dictionaries(
        st.sampled_from(["toolz", "tools", "parallel_tool_calls", "functions"]), st.just([]), max_size=2
    ),
)
lines = st.one_of(
    chats.map(lambda row: json.dumps(row).encode()),
    chats.map(
        lambda row: json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    ),
    st.sampled_from([b"", b"  ", CHAT + b"\r", CHAT[:20], b"Caf\xe9", b"[1]", b'{"a": "\\ud83d"}']),
)


def rows_of(content: bytes) -> list[bytes]:
    content = content.removeprefix(b"\xef\xbb\xbf")
    return [line for line in content.split(b"\n") if line.strip(b" \t\r")]


@settings(deadline=None, max_examples=150)
@given(
    st.lists(lines, min_size=1, max_size=5),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["hf", "azure-openai", "together", "mistral"]),
)
def test_mending_twice_is_mending_once_and_no_row_comes_or_goes(
    lines: list[bytes], unsafe: bool, ended: bool, target: str
) -> None:
    import tempfile

    options = CheckSettings(target)
    content = CHAT + b"\n" + b"\n".join(lines) + b"\n" * ended
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.jsonl"
        once = mended(path, content, unsafe, options)
        again = fix(DataFile(path), options, unsafe)
        assert path.read_bytes() == once
        assert again.applied == {}

        left = check([DataFile(path)], options).findings
        fixes = ("safe", "unsafe") if unsafe else ("safe",)
        assert [found for found in left if found.fix in fixes] == []
    assert len(rows_of(once)) == len(rows_of(content))
    for before, after in zip(rows_of(content), rows_of(once), strict=True):
        if decode(before.removesuffix(b"\r")).value is not MISSING:
            assert decode(after).value is not MISSING, "a repair broke the line"


def test_what_was_found_as_mendable_is_what_is_mended(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(CHAT + b"\r\n\n" + CHAT.replace(b"Hi", b"\\ud83d") + b"\n" + CHAT)
    promised = Counter(found.rule for found in check([DataFile(path)], FILES_ONLY).findings if found.fix == "safe")
    assert fix(DataFile(path), FILES_ONLY).applied == dict(promised)
