"""`prepare` as a whole: what comes out, what the ledger says, and what may never happen."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tunegate.core.configuration import Balance, Data, NearDuplicate, Split, Tokens
from tunegate.core.errors import InputError, UsageError
from tunegate.core.jsonl import row_id
from tunegate.core.ledger import Entry, read_ledger
from tunegate.dataqa.prepare import Preparation, prepare
from tunegate.dataqa.tokens import Estimate

EXAMPLE = Path(__file__).parents[2] / "examples" / "support"
SPLITS = ("train", "validation", "test")
WORDS = {
    "order": ["parcel", "courier", "delivery", "arrive", "shipped", "tracking", "warehouse"],
    "refund": ["money", "refund", "credit", "bank", "returned", "amount", "charged"],
    "login": ["password", "locked", "account", "reset", "code", "mail", "username"],
}
FILLER = [
    "today",
    "still",
    "about",
    "hello",
    "from",
    "my",
    "the",
    "since",
    "monday",
    "week",
    "please",
    "where",
    "how",
    "it",
    "with",
    "for",
    "and",
    "is",
]


def chat(user: str, assistant: str, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}], **more}


def varied(label: str, number: int) -> dict[str, Any]:
    words = [FILLER[(number * step + step) % len(FILLER)] for step in (1, 5, 7, 11, 3)]
    words += [WORDS[label][(number + step * number // 7) % 7] for step in (0, 3)]
    return chat(" ".join([*words, chr(97 + number % 26) * 3, chr(97 + number // 26) * 4]), label)


def rows(**counts: int) -> list[dict[str, Any]]:
    return [varied(label, number) for label, count in counts.items() for number in range(count)]


def write(path: Path, lines: Sequence[Any]) -> Path:
    raw = [line if isinstance(line, bytes) else json.dumps(line, ensure_ascii=False).encode() for line in lines]
    path.write_bytes(b"".join(line + b"\n" for line in raw))
    return path


class Made:
    """A preparation and what it wrote."""

    def __init__(self, out: Path, result: Preparation) -> None:
        self.out = out
        self.section = result.section
        self.notes = result.notes
        self.files = result.files
        self.ledger = list(read_ledger(out / "ledger.jsonl"))

    def rows(self, split: str) -> list[dict[str, Any]]:
        path = self.out / "data" / f"{split}.jsonl"
        return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]] if path.exists() else []

    def users(self, split: str) -> list[str]:
        return [row["messages"][-2]["content"] for row in self.rows(split)]

    def of(self, line: int) -> list[Entry]:
        return [entry for entry in self.ledger if entry.line == line and entry.action != "moved"]

    def check_the_books(self) -> None:
        section = self.section
        dropped = [entry for entry in self.ledger if entry.action == "dropped"]
        assert section["rows_in"] + sum(section["added"].values()) == section["rows_out"] + len(dropped)
        assert Counter(entry.rule for entry in dropped) == section["dropped"]
        if not section["added"]:  # else the parts of one chat may be dropped one by one
            assert len({(entry.path, entry.line) for entry in dropped}) == len(dropped), "each row is dropped once"
        assert Counter(entry.rule for entry in self.ledger if entry.action == "edited") == section["edited"]
        assert section["rows_out"] == sum(len(self.rows(split)) for split in SPLITS)
        for split in SPLITS:
            assert section["splits"][split]["rows"] == len(self.rows(split))
        assert section["leakage"] == {"train-validation": 0, "train-test": 0, "validation-test": 0}


Run = Callable[..., Made]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Give a function that prepares lines and returns what came of it."""
    count = 0

    def run(
        train: Sequence[Any],
        data: Data | None = None,
        validation: Sequence[Any] | None = None,
        test: Sequence[Any] | None = None,
    ) -> Made:
        nonlocal count
        count += 1
        folder = tmp_path / str(count)
        folder.mkdir()
        given = {
            name: write(folder / f"{name}.jsonl", lines)
            for name, lines in (("chats", train), ("validation", validation), ("test", test))
            if lines is not None
        }
        out = folder / "out"
        made = Made(
            out,
            prepare(
                [given["chats"]],
                given.get("validation"),
                given.get("test"),
                data or whole(),
                Estimate(),
                out,
                relative_to=folder,
            ),
        )
        made.check_the_books()
        return made

    return run


def whole(**more: Any) -> Data:
    """Settings that split nothing off."""
    return Data(split=Split(validation=0.0, test=0.0), **more)


def test_clean_rows_are_written_as_they_are(run: Run) -> None:
    lines = [
        b'{"messages": [{"role":"user","content":"Caf\xc3\xa9"}, {"role":"assistant","content":"Ja"}], "x": 1.50}'
    ]
    made = run(lines)
    assert (made.out / "data" / "train.jsonl").read_bytes() == lines[0] + b"\n"
    assert made.ledger == []
    assert made.section["rows_in"] == made.section["rows_out"] == 1


def test_broken_lines_go_with_their_rule(run: Run) -> None:
    lines = [
        chat("Hi", "Hello"),
        b"",
        b"{'a': 1}",
        b"[1]",
        {"messages": []},
        chat("Yes?", " "),
        chat("Bye", "Ciao"),
    ]
    made = run(lines)
    assert made.section["dropped"] == {"CHAT002": 1, "CHAT010": 1, "FILE005": 1, "FILE006": 1, "FILE007": 1}
    assert made.users("train") == ["Hi", "Bye"]
    assert all(entry.reason for entry in made.ledger)


def test_other_formats_become_chats(run: Run) -> None:
    lines = [
        {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}], "id": 3},
        {"instruction": "Name a fruit", "output": "Apple"},
        {"prompt": "Name a tree", "completion": "Oak"},
        {"conversations": [{"from": "narrator", "value": "Once"}]},
    ]
    made = run(lines)
    assert made.users("train") == ["Hi", "Name a fruit", "Name a tree"]
    assert made.rows("train")[0]["id"] == 3
    assert made.section["edited"] == {"CHAT023": 3}
    assert [entry.action for entry in made.of(4)] == ["dropped"]


def test_edits_are_told_with_the_new_id(run: Run) -> None:
    made = run([chat("GrÃ¼ÃŸe an max.mustermann@firma.de", "Yes. "), chat("Hi", "Hello")])
    assert made.users("train") == ["Grüße an [EMAIL]", "Hi"]
    entries = made.of(1)
    assert [entry.rule for entry in entries] == ["TXT001", "TXT007", "PII001"]
    new = row_id((made.out / "data" / "train.jsonl").read_bytes().split(b"\n")[0])
    assert {entry.after["row_id"] for entry in entries} == {new}
    assert entries[2].after["$.messages[0].content"] == "[EMAIL]"
    assert "mustermann" not in json.dumps([entry.before for entry in entries])


def test_masking_can_be_left_out(run: Run) -> None:
    made = run([chat("I am max.mustermann@firma.de", "Yes.")], whole(mask_personal_data=False))
    assert made.users("train") == ["I am max.mustermann@firma.de"]
    made = run([chat("max.mustermann@firma.de", "Yes."), chat("8.8.8.8", "No.")], whole(ignore=("PII004",)))
    assert made.users("train") == ["[EMAIL]", "8.8.8.8"]


def test_a_leaked_key_takes_its_row_along(run: Run) -> None:
    key = "sk-proj-" + "aB3dE5fG7hJ9kL2mN4pQ6rS8"
    made = run([chat(f"My key is {key}", "Thanks."), chat("Hi", "Hello")], whole(mask_personal_data=False))
    assert made.section["dropped"] == {"SEC001": 1}
    assert key not in (made.out / "ledger.jsonl").read_text()
    assert made.of(1)[0].before == {"$.messages[0].content": "sk-proj-***"}


def test_duplicates_go_and_name_the_row_that_stays(run: Run) -> None:
    made = run([chat("Hi", "Hello"), chat("Hi", "Hello", id=4), chat("HI!", "hello"), chat("Bye", "Ciao")])
    assert made.section["dropped"] == {"DUP001": 1, "DUP002": 1}
    assert [entry.partner for entry in made.ledger] == ["chats.jsonl:1", "chats.jsonl:1"]
    assert made.users("train") == ["Hi", "Bye"]


def test_the_beginning_of_a_longer_chat_goes(run: Run) -> None:
    longer = chat("Hi", "Hello")
    longer["messages"] += chat("Where is it?", "Here")["messages"]
    made = run([chat("Hi", "Hello"), longer, chat("Bye", "Ciao")])
    assert made.section["dropped"] == {"DUP005": 1}
    assert [(entry.line, entry.partner) for entry in made.ledger] == [(1, "chats.jsonl:2")]
    assert made.section["rows_out"] == 2


def test_contradictions_go_unless_most_agree(run: Run) -> None:
    base = rows(order=20, refund=20)
    unclear = run([*base, chat("Where is it?", "order"), chat("Where is it?", "refund")])
    assert unclear.section["dropped"] == {"DUP004": 2}
    assert {entry.partner for entry in unclear.ledger} == {"chats.jsonl:41", "chats.jsonl:42"}
    same = [chat("Where is it?", "order", id=number) for number in range(3)]
    clear = run([*base, *same, chat("where is it", "refund")])
    assert clear.section["dropped"] == {"DUP001": 2, "DUP004": 1}
    assert "Where is it?" in clear.users("train")


def test_open_answers_to_one_question_stay(run: Run) -> None:
    made = run([chat("Tell a joke", "A man walks into a bar."), chat("Tell a joke", "Two fish sit in a tank.")])
    assert made.section["rows_out"] == 2
    assert made.section["flagged"] == {"DUP004": 1}
    assert "1 question has several answers (2 rows)" in made.notes[0]


def test_rows_of_given_sets_leave_training(run: Run) -> None:
    made = run(
        [chat("Hi", "a"), chat("Bye", "b"), chat("Why", "c")],
        validation=[chat("hi!", "z"), chat("What", "d"), chat("Who", "e")],
        test=[chat("What", "d"), chat("Bye", "q"), chat("Bye", "q")],
    )
    assert made.users("train") == ["Why"]
    assert made.users("validation") == ["hi!", "Who"]
    assert made.users("test") == ["What", "Bye", "Bye"], "given test rows are not deduplicated"
    assert made.section["dropped"] == {"LEAK001": 3}


def long_chat(exchanges: int, words: int) -> dict[str, Any]:
    messages = [{"role": "system", "content": "Be brief."}]
    for number in range(exchanges):
        messages.append({"role": "user", "content": f"Question {number}: " + "why " * words + "?"})
        messages.append({"role": "assistant", "content": f"Answer {number}: " + "so " * words + "."})
    return {"messages": messages}


def test_over_long_rows_are_refused_by_name(run: Run, tmp_path: Path) -> None:
    lines = [chat("Hi", "Hello"), chat("word " * 200, "x"), chat("Bye", "Ciao"), chat("x", "word " * 300)]
    with pytest.raises(InputError, match=r"2 rows are longer than 100 tokens") as error:
        run(lines, whole(tokens=Tokens(max=100)))
    assert "chats.jsonl:2" in str(error.value)
    assert "chats.jsonl:4" in str(error.value)
    assert not list(tmp_path.rglob("*.jsonl"))[4:], "nothing is written"
    assert not list(tmp_path.rglob("ledger*"))


def test_over_long_rows_are_dropped_where_that_is_chosen(run: Run) -> None:
    lines = [chat("Hi", "Hello"), chat("word " * 200, "x"), chat("x", "word " * 300)]
    made = run(lines, whole(tokens=Tokens(max=100, too_long="drop")))
    assert made.section["dropped"] == {"TOK001": 1, "TOK002": 1}
    assert made.section["token_lengths"]["limit"] == 100
    assert sum(count for _, _, count in made.section["token_lengths"]["bins"]) == 3


def test_over_long_chats_are_cut_between_turns(run: Run) -> None:
    lines = [chat("Hi", "Hello"), long_chat(4, 20), chat("word " * 200, "x")]
    made = run(lines, whole(tokens=Tokens(max=130, too_long="split")))
    assert made.section["added"] == {"TOK001": 1}
    assert made.section["dropped"] == {"TOK002": 1}
    parts = made.rows("train")[1:]
    assert [len(part["messages"]) for part in parts] == [5, 5]
    assert [turn for part in parts for turn in part["messages"][1:]] == long_chat(4, 20)["messages"][1:]
    (cut,) = made.of(2)
    assert len(cut.after["row_ids"]) == 2


def test_parts_of_a_chat_and_conversations_are_not_parted(run: Run) -> None:
    lines: list[Any] = rows(order=40, refund=40)
    for number, line in enumerate(lines):
        line["metadata"] = {"conversation_id": number // 4}
    made = run(lines, Data(split=Split(validation=0.2, test=0.2)))
    sides: dict[int, set[str]] = {}
    for split in SPLITS:
        for row in made.rows(split):
            sides.setdefault(row["metadata"]["conversation_id"], set()).add(split)
    assert all(len(found) == 1 for found in sides.values())
    assert all(made.rows(split) for split in SPLITS)


def test_the_split_is_told_and_stratified(run: Run) -> None:
    made = run(rows(order=60, refund=30, login=10), Data(split=Split(validation=0.1, test=0.1)))
    splits = made.section["splits"]
    total = made.section["rows_out"]
    assert splits["validation"]["labels"].keys() == splits["test"]["labels"].keys() == {"order", "refund", "login"}
    assert abs(splits["test"]["rows"] - total / 10) <= 2
    moved = [entry for entry in made.ledger if entry.action == "moved"]
    assert len(moved) == splits["validation"]["rows"] + splits["test"]["rows"]
    for entry in moved:
        path, _, line = entry.after.partition(":")
        written = (made.out / path).read_bytes().split(b"\n")[int(line) - 1]
        assert row_id(written) == entry.row_id


def test_a_label_that_occurs_once_is_kept_and_named(run: Run) -> None:
    made = run([*rows(order=40, refund=40), chat("Do you sell tents?", "sales")], Data())
    assert "sales" in made.section["splits"]["train"]["labels"]
    assert any("'sales' occurs once" in note for note in made.notes)
    assert made.section["labels"] == ["order", "refund", "sales"]


def test_large_classes_are_cut_after_the_split(run: Run) -> None:
    data = Data(balance=Balance(max_ratio=2.0), split=Split(validation=0.1, test=0.0))
    made = run(rows(order=100, refund=20), data)
    before, after = made.section["balance"]["before"], made.section["balance"]["after"]
    assert after["order"] == 2 * after["refund"] < before["order"]
    assert made.section["dropped"]["balance"] == before["order"] - after["order"]
    assert made.section["splits"]["validation"]["labels"]["order"] == 10
    effective = made.section["balance"]["effective_number"]
    assert effective["before"] < effective["after"] <= 2


def test_balance_without_labels_is_said(run: Run) -> None:
    made = run([chat("a", "One thing."), chat("b", "Another thing.")], whole(balance=Balance()))
    assert any("not balanced" in note for note in made.notes)
    assert made.section["balance"] is None


@pytest.mark.parametrize(
    "lines",
    [[{"messages": []}], [{"messages": []}, b"{", b""], [chat("Hi", " ")]],
)
def test_no_usable_row_is_an_error_and_writes_nothing(run: Run, tmp_path: Path, lines: list[Any]) -> None:
    with pytest.raises(InputError, match=r"no row of .*chats\.jsonl can be used .*tunegate check"):
        run(lines)
    assert not list(tmp_path.rglob("ledger*"))


def test_nothing_left_for_training_is_an_error(run: Run) -> None:
    with pytest.raises(InputError, match=r"no training row is left .*LEAK001 1"):
        run([chat("Hi", "Hello")], test=[chat("hi", "x")])


def test_files_that_are_no_lines_of_chats(run: Run, tmp_path: Path) -> None:
    array = tmp_path / "array.jsonl"
    array.write_text(json.dumps([chat("Hi", "Hello")], indent=1))
    pairs = write(
        tmp_path / "pairs.jsonl",
        [{"input": {"messages": []}, "preferred_output": [], "non_preferred_output": []}] * 3,
    )
    for path, says in (
        (array, "one JSON array.*jq"),
        (pairs, "preference pairs"),
        (tmp_path / "no", "check the path"),
    ):
        with pytest.raises(InputError, match=says):
            prepare([path], None, None, whole(), Estimate(), tmp_path / "out")
    assert not (tmp_path / "out" / "ledger.jsonl").exists()


def test_shares_that_leave_nothing(run: Run) -> None:
    with pytest.raises(UsageError, match="nothing to train on"):
        run(rows(order=30), Data().model_copy(update={"split": Split(validation=0.5, test=0.5)}))


def test_a_read_only_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write(tmp_path / "chats.jsonl", [chat("Hi", "Hello")])
    (tmp_path / "out").write_text("a file in the way")
    with pytest.raises(InputError, match="cannot write"):
        prepare([source], None, None, whole(), Estimate(), tmp_path / "out")


def everything_in(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_input_gives_the_same_bytes_and_the_seed_decides(run: Run) -> None:
    lines = rows(order=50, refund=40)
    data = Data(balance=Balance(max_ratio=1.1))
    one, other = run(lines, data), run(lines, data)
    assert everything_in(one.out) == everything_in(other.out)
    assert one.section == other.section
    third = run(lines, data.model_copy(update={"seed": 1}))
    assert set(third.users("test")) != set(one.users("test"))


DIRT = st.sampled_from(
    [
        b"",
        b"{",
        b"[]",
        {"messages": []},
        chat("Hi", ""),
        chat("Where is it?", "order"),
        chat("where is it", "refund"),
        chat("Mail max.mustermann@firma.de ", "order"),
        chat("word " * 90, "order"),
        long_chat(3, 18),
        {"prompt": "Say it", "completion": "order"},
        chat("key sk-proj-" + "aB3dE5fG7hJ9kL2mN4pQ6rS8", "order"),
    ]
)
GOOD = st.builds(varied, st.sampled_from(["order", "refund", "login"]), st.integers(0, 30))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(st.one_of(GOOD, DIRT), min_size=1, max_size=40),
    too_long=st.sampled_from(["drop", "split"]),
    held_out=st.sampled_from([0.0, 0.2]),
    threshold=st.sampled_from([0.4, 0.8]),
    balance=st.sampled_from([None, 1.5]),
)
def test_rows_in_are_rows_out_and_dropped(
    run: Run,
    lines: list[Any],
    too_long: Any,
    held_out: float,
    threshold: float,
    balance: float | None,
) -> None:
    data = Data(
        tokens=Tokens(max=80, too_long=too_long),
        split=Split(validation=held_out, test=held_out),
        near_duplicate=NearDuplicate(threshold=threshold),
        balance=None if balance is None else Balance(max_ratio=balance),
    )
    made = run([chat("One row is always sound", "login"), *lines], data)
    ids = [row_id(json.dumps(row).encode()) for split in SPLITS for row in made.rows(split)]
    assert len(ids) == len(set(ids)), "no row is written twice"


def test_the_example_with_its_planted_dirt(tmp_path: Path) -> None:
    from tunegate.core.configuration import load

    configuration = load(EXAMPLE / "tunegate.toml")
    result = prepare(
        [EXAMPLE / "chats.jsonl"],
        None,
        EXAMPLE / "test.jsonl",
        configuration.data,
        Estimate(),
        tmp_path,
        relative_to=EXAMPLE,
    )
    made = Made(tmp_path, result)
    made.check_the_books()
    assert len(made.rows("test")) == 360, "clean test rows are left alone"
    assert (tmp_path / "data" / "test.jsonl").read_bytes() == (EXAMPLE / "test.jsonl").read_bytes()
    dirt = json.loads((EXAMPLE / "dirt.json").read_text())
    for planted in dirt:
        for rule in planted["rules"]:
            found = [entry for entry in made.of(planted["line"]) if entry.path == "chats.jsonl"]
            expected = {rule, "TOK002"} if rule.startswith("TOK") else {rule}
            assert expected.intersection(entry.rule for entry in found), planted
    after = made.section["balance"]["after"]
    assert max(after.values()) <= 3 * min(after.values())
    assert made.section["labels"] == sorted(after)
    assert made.notes == []
