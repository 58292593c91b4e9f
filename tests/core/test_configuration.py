from __future__ import annotations

from pathlib import Path

import pytest

from tunegate.core.configuration import Configuration, find, load
from tunegate.core.errors import UsageError


def write(folder: Path, text: str, name: str = "tunegate.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_documented_defaults_hold() -> None:
    configuration = Configuration()
    assert configuration.data.near_duplicate.threshold == 0.8
    assert configuration.data.near_duplicate.on == "user"
    assert configuration.data.balance is None
    assert configuration.train.learning_rate == 3e-4
    assert configuration.safety.block_at.self_harm == 0.9


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[data]\nfils = ['a']", "[data] unknown key 'fils': did you mean 'files'?"),
        ("[trian]\n", "unknown key 'trian': did you mean 'train'?"),
        ("[data.split]\nvalidate = 0.1", "[data.split] unknown key 'validate': did you mean 'validation'?"),
        ("[data]\ntarget = 'azure'", "[data] target = 'azure': "),
        ("[data]\ntarget = 'opneai'", "[data] target = 'opneai': did you mean 'openai'?"),
        ("[train]\nepochs = 0", "[train] epochs = 0: input should be greater than or equal to 1"),
        ("[train]\nlearning_rate = nan", "[train] learning_rate = nan: "),
        ("[gate]\naccuracy = { min = 0.8, max = 0.9 }", "name exactly one of min, max, max_drop, min_gain"),
        ("[gate]\nacuracy = { min = 0.8 }", "[gate] unknown key 'acuracy': did you mean 'accuracy'?"),
        ("[gate]\naccuracy = { min = 85 }", "min = 85 is no share: write a number from 0 to 1"),
        ("[gate]\nharm_rate = { max = -0.1 }", "max = -0.1 is no share"),
        ("[gate]\nharm_rate = { max = 0.0 }", "[gate] harm_rate = {'max': 0.0}: max = 0 can never hold"),
        ("[data]\nfiles = 'x.jsonl'", "[data] files = 'x.jsonl': a list is needed, write files = [\"x.jsonl\"]"),
        (
            "[evaluate]\nmetrics = ['f1_macro', 'acuracy']",
            "[evaluate] metrics = 'acuracy': did you mean 'accuracy'?",
        ),
        ("[data]\nsplit = { validation = 0.6, test = 0.6 }", "take 1.2 of all rows and leave nothing to train on"),
        ("[data]\nvalidation = 'v.jsonl'\ntest = 't.jsonl'\nsplit = { test = 1.0 }", "[data.split] test = 1.0: "),
        ("[gate.accuracy]\nmni = 0.8", "[gate.accuracy] unknown key 'mni': did you mean 'min'?"),
        ("[train]\nname = '../x'", "a name has letters, digits"),
        ("x = = 1", "is not TOML"),
    ],
)
def test_faults_name_key_value_and_repair(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)


def test_all_faults_are_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load(write(tmp_path, "[data]\nfils = 1\n[train]\nepochs = 'x'\n"))
    assert len(str(caught.value).splitlines()) == 2


def test_the_nearest_file_above_is_found(tmp_path: Path) -> None:
    path = write(tmp_path, "[train]\nepochs = 2\n")
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert find(inner) == path
    assert load(path).train.epochs == 2
    assert load(path).folder == tmp_path


def test_pyproject_holds_it_too(tmp_path: Path) -> None:
    path = write(tmp_path, "[project]\nname = 'x'\n[tool.tunegate.train]\nepochs = 7\n", "pyproject.toml")
    assert find(tmp_path) == path
    assert load(path).train.epochs == 7


def test_a_named_file_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no configuration"):
        load(tmp_path / "none.toml")


def test_shares_count_only_where_no_file_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "[data]\ntest = 't.jsonl'\nsplit = { validation = 0.95 }")
    assert load(path).data.split.validation == 0.95


def test_a_binary_file_is_called_one(tmp_path: Path) -> None:
    path = tmp_path / "tunegate.toml"
    path.write_bytes(b"[data]\n\xff\xfe\x00")
    with pytest.raises(UsageError, match="is no text file in UTF-8") as raised:
        load(path)
    assert str(path) in str(raised.value)
