"""Models that were damaged after they were fetched: noticed, fetched again, and never swapped for less."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tunegate.core.errors import InputError, ProviderError
from tunegate.finetune import catalog, fetching
from tunegate.finetune.intact import faults_of, look_over


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def clear(path: Path) -> None:
    path.write_bytes(b"")


DAMAGE = [
    ("model.safetensors", truncate),
    ("model.safetensors", clear),
    ("model.safetensors", flip),
    ("model.safetensors", Path.unlink),
    ("tokenizer.json", Path.unlink),
    ("tokenizer.json", truncate),
    ("config.json", flip),
    ("fetched.json", truncate),
]


@pytest.mark.parametrize(("name", "damage"), DAMAGE)
def test_what_was_damaged_is_fetched_again(tmp_path: Path, name: str, damage: Callable[[Path], None]) -> None:
    folder = catalog.fetch("tiny-phi3", tmp_path)
    whole = catalog.digest(folder)
    damage(folder / name)
    told: list[str] = []

    assert catalog.fetch("tiny-phi3", tmp_path, tell=told.append) == folder

    assert "damaged: " in told[0]
    assert name.partition(".")[0] in told[0] or "safetensors" in told[0]
    assert catalog.digest(folder) == whole
    assert faults_of(folder) == []
    assert [path.name for path in folder.parent.iterdir()] == ["tiny-phi3"]


def test_what_is_whole_is_not_fetched_again(tmp_path: Path) -> None:
    folder = catalog.fetch("tiny-phi3", tmp_path)
    inode, told = folder.stat().st_ino, list[str]()
    catalog.fetch("tiny-phi3", tmp_path, tell=told.append)
    assert (folder.stat().st_ino, told) == (inode, [])


def test_what_cannot_be_fetched_again_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = catalog.fetch("tiny-phi3", tmp_path)
    (folder / "tokenizer.json").unlink()

    def fail(*_: object) -> None:
        raise ProviderError("no network")

    monkeypatch.setattr(fetching, "make_tiny", fail)
    with pytest.raises(ProviderError):
        catalog.fetch("tiny-phi3", tmp_path)
    assert (folder / "model.safetensors").is_file()
    assert [path.name for path in folder.parent.iterdir()] == ["tiny-phi3"]


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_damaged_model_names_the_command_that_mends_it(tmp_path: Path, name: str) -> None:
    (catalog.fetch("tiny-phi3", tmp_path) / name).unlink()
    with pytest.raises(InputError, match="`tunegate models fetch tiny-phi3`"):
        catalog.resolve("tiny-phi3", tmp_path)


@pytest.mark.parametrize(
    ("name", "damage"),
    [(name, damage) for name, damage in DAMAGE if damage in (truncate, clear) or not name.startswith("model")],
)
def test_plain_damage_is_seen_at_once(tmp_path: Path, name: str, damage: Callable[[Path], None]) -> None:
    folder = catalog.fetch("tiny-phi3", tmp_path)
    look_over(folder)
    damage(folder / name)
    with pytest.raises(InputError, match="damaged"):
        look_over(folder)


def test_a_folder_of_the_users_own_is_looked_over_too(phi3: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(phi3, tmp_path / "model"))
    look_over(folder)
    truncate(folder / "model.safetensors")
    with pytest.raises(InputError, match="not as long as its header says; copy the model anew"):
        look_over(folder)
