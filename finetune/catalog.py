"""The models that can be tuned: by name, and as a folder, a GGUF file or a hub id in a name's place.

`resolve` finds a model that is on this machine and fetches nothing; `fetch` gets one into the cache. Only weights
in safetensors are taken (pickled weights can run code), and no code that comes with a model is ever run.

    <cache>/models/<name>/            a catalogue name
    <cache>/models/hub--<org>--<id>/  a hub id
    <cache>/models/gguf--<sha256>/    a GGUF file, converted
"""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from tunegate.core.errors import InputError, UsageError, nearest
from tunegate.core.files import read_json, sha256_file, sha256_json
from tunegate.core.progress import Advance, silent

RECORD = "fetched.json"
"""The file in a fetched folder that says where it came from; it is written last."""

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+\Z")
_TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
_OTHER_FILES = ("config.json", "generation_config.json")


@dataclass(frozen=True, slots=True)
class Model:
    """One model of the catalogue; the fields are explained in `models.toml`."""

    name: str
    title: str
    licence: str
    parameters: float
    context: int
    template: str
    lora: tuple[str, ...]
    source: Mapping[str, Any] = field(hash=False)
    note: str = ""
    upstream: str | None = None
    service: str | None = None
    retired: date | None = None
    replacement: str | None = None


def _read_catalogue() -> dict[str, Model]:
    with (Path(__file__).parent / "models.toml").open("rb") as stream:
        tables = tomllib.load(stream)
    return {name: Model(name=name, **(table | {"lora": tuple(table["lora"])})) for name, table in tables.items()}


MODELS: Mapping[str, Model] = _read_catalogue()


def cache_folder() -> Path:
    """Return the folder that models are kept in: `TUNEGATE_CACHE`, else the platform's place for caches."""
    if named := os.environ.get("TUNEGATE_CACHE"):
        return Path(named)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "tunegate"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "tunegate" / "Cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tunegate"


def resolve(name: str, cache: Path | None = None, relative_to: Path | None = None) -> Path:
    """Return the folder of a model, ready to load; nothing is fetched.

    `name` is a catalogue name, a folder, a GGUF file or a hub id; a relative path starts at `relative_to`. Raises
    InputError when the model is not on this machine or cannot be used, UsageError for a name that means nothing.
    """
    place = place_of(name, cache, relative_to)
    if not place.is_dir():
        raise InputError(
            f"the model {name!r} is not on this machine ({place} is missing): run `tunegate models fetch {name}`"
        )
    if not _is_fetched(place, cache):
        inspect(place)
        return place
    try:
        inspect(place)
    except InputError as error:
        raise InputError(
            f"the model {name!r} is damaged ({error}): run `tunegate models fetch {name}` to fetch it again"
        ) from error
    return place


def _is_fetched(place: Path, cache: Path | None) -> bool:
    """Whether a folder is one of the cache, which we made, and not one of the user's own."""
    return place.parent == (cache or cache_folder()) / "models"


def place_of(name: str, cache: Path | None = None, relative_to: Path | None = None) -> Path:
    """Return where a model is, or would be once fetched."""
    models = (cache or cache_folder()) / "models"
    if name in MODELS:
        return models / name
    path = (relative_to or Path()) / name
    if path.is_dir():
        return path
    if path.is_file():
        if path.suffix.lower() != ".gguf":
            raise UsageError(f"the model {name!r} is a file and no GGUF: name a folder, a GGUF file or a hub id")
        return models / f"gguf--{sha256_file(path)[:32]}"
    if _HUB_ID.match(name) and not name.startswith((".", "~")):
        return models / ("hub--" + name.replace("/", "--"))
    if "/" in name or name.lower().endswith(".gguf"):
        raise InputError(f"there is no model {name}: check the path")
    raise UsageError(f"unknown model {name!r}: {nearest(name, list(MODELS))}; a folder or a hub id may stand here")


def fetch(
    name: str,
    cache: Path | None = None,
    advance: Advance = silent,
    relative_to: Path | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Path:
    """Get a model into the cache and return its folder; nothing is fetched when it is there already, and whole.

    `tell` is told what is fetched, and why where it was there. Raises ProviderError when the network or the index
    does not answer, InputError when what came is not what the catalogue names (its hash differs), cannot be used,
    or cannot be written. What is damaged is replaced only by what is whole.
    """
    place = place_of(name, cache, relative_to)
    from tunegate.finetune.intact import faults_of

    faults = faults_of(place) if place.is_dir() and _is_fetched(place, cache) else []
    if faults or not place.is_dir():
        from tunegate.finetune.fetching import fetch_into

        for fault in faults:
            tell(f"damaged: {fault}")
        tell(f"fetching {name} into {cache or cache_folder()}")
        fetch_into(place, name, MODELS.get(name), (relative_to or Path()) / name, advance, replace=bool(faults))
    inspect(place)
    return place


def inspect(folder: Path) -> None:
    """Raise InputError unless the folder holds a model that can be loaded without running code from it."""
    if not (folder / "config.json").is_file():
        raise InputError(f"{folder} holds no model: config.json is missing")
    if not weight_files(folder):
        pickled = sorted(path.name for pattern in ("*.bin", "*.pt", "*.pth") for path in folder.glob(pattern))
        reason = f"{pickled[0]} is pickled, which can run code when it is loaded; " if pickled else ""
        raise InputError(f"{folder} holds no weights in safetensors: {reason}convert the model to safetensors")
    if not (folder / "tokenizer.json").is_file():
        raise InputError(
            f"{folder} holds no tokenizer.json: load its tokenizer with transformers once and save it there"
        )


def weight_files(folder: Path) -> list[Path]:
    """Return the files of the weights, sorted."""
    return sorted(folder.glob("*.safetensors"))


def source_of(folder: Path) -> dict[str, Any]:
    """Return what was recorded when the folder was fetched; empty for a folder of the user's own."""
    path = folder / RECORD
    return dict(read_json(path)) if path.is_file() else {}


def tokenizer_digest(folder: Path) -> str:
    """Return a digest of the tokenizer and the chat template."""
    return _digest(folder, _TOKENIZER_FILES)


def settings_digest(folder: Path) -> str:
    """Return a digest of the configuration."""
    return _digest(folder, _OTHER_FILES)


def digest(folder: Path) -> str:
    """Return a digest of everything that decides what the model answers: weights, tokenizer, configuration.

    Raises InputError when a fetched model is no longer what was fetched.
    """
    return _digest(folder, [*(path.name for path in weight_files(folder)), *_TOKENIZER_FILES, *_OTHER_FILES])


def _digest(folder: Path, names: Sequence[str]) -> str:
    found = {name: sha256_file(folder / name) for name in names if (folder / name).is_file()}
    recorded = source_of(folder).get("files", found)  # a folder of the user's own has no record
    for name in names:
        if found.get(name) != recorded.get(name):
            raise InputError(f"{folder / name} is not what was fetched: it is damaged; {repair(folder)}")
    return sha256_json(found)


def repair(folder: Path) -> str:
    """Say what helps where a model is damaged: fetching it again, where it was fetched."""
    name = source_of(folder).get("id")
    return f"run `tunegate models fetch {name}` to fetch it again" if name else "copy the model anew"
