from __future__ import annotations

from pathlib import Path

import pytest

from tunegate.dataqa.splits import inferred


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (["train.jsonl", "test.jsonl"], ["train", "test"]),
        (["data/Train.jsonl.gz", "data/val.jsonl", "more.jsonl"], ["train", "validation"]),
        (["train.jsonl", "valid.jsonl", "dev.jsonl"], ["train", "validation", "validation"]),
        (["train.jsonl", "validation.jsonl", "test.jsonl.zst"], ["train", "validation", "test"]),
        (["test.jsonl"], []),
        (["train.jsonl"], []),
        (["a/train.jsonl", "b/train.jsonl"], []),
        (["validation.jsonl", "test.jsonl"], []),
        (["chats.jsonl", "test.jsonl"], []),
        (["training.jsonl", "latest.jsonl", "test-cases.jsonl"], []),
    ],
)
def test_names_stand_for_splits_only_beside_each_other(names: list[str], splits: list[str]) -> None:
    assert list(inferred([Path(name) for name in names]).values()) == splits
