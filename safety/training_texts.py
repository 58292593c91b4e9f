"""The texts that the local screen is trained on, with their labels: real sets of a data folder, and our contrasts.

A label is 1 (harmful), 0 (harmless) or None (not judged: the text is left out of that category). The mapping of
each source stands beside its reader. Benign chats are harmless in all categories.
"""

from __future__ import annotations

import re
import tomllib
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunegate.core.errors import InputError
from tunegate.core.files import explain_os_error
from tunegate.core.jsonl import decode
from tunegate.core.lines import read_lines
from tunegate.safety.judgement import CATEGORIES

CONTRASTS = Path(__file__).resolve().parent / "contrasts.toml"

Labels = tuple[int | None, ...]
"""One label for each of CATEGORIES."""

HARMLESS: Labels = (0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Labelled:
    """One text. `group` keeps near copies in one fold; `kind` says more where a source does, for the figures."""

    source: str
    text: str
    labels: Labels
    group: str
    language: str
    kind: str = ""

    @property
    def harmless(self) -> bool:
        """Whether it is harmless in every category that was judged."""
        return 1 not in self.labels


Row = Mapping[str, Any]
Read = Callable[[str, Iterable[Row]], Iterator[Labelled]]


@dataclass(frozen=True, slots=True)
class Source:
    """A file of the data folder.

    Each of its texts weighs 1 / sqrt(texts of the source), times `weight`, harmless ones also times `harmless`.
    """

    name: str
    path: str
    licence: str
    read: Read
    weight: float = 1.0
    harmless: float = 1.0


def _hatecheck(name: str, rows: Iterable[Row]) -> Iterator[Labelled]:
    for row in rows:
        threat = 1 if row["functionality"].startswith("threat") else None
        labels = (row["labels"]["hate"], None, None, threat)
        yield Labelled(name, row["text"], labels, f"{name}/{row['templ_id']}", "en", row["functionality"])


def _germeval(name: str, rows: Iterable[Row]) -> Iterator[Labelled]:
    """Abuse is directed at groups, and so is hate; insults and profanity may be or not, and are left out.

    What is not offensive at all speaks of politics: a few tweets tell of violence, none asks for sex or self-harm.
    """
    labels: Mapping[str, Labels] = {"ABUSE": (1, None, None, None), "OTHER": (0, 0, 0, None)}
    for row in rows:
        if row["labels"]["fine"] in labels:
            yield Labelled(name, row["text"], labels[row["labels"]["fine"]], f"{name}/{row['id']}", "de")


def _openings(name: str, rows: Iterable[Row]) -> Iterator[Labelled]:
    for row in rows:
        named = row["labels"]["azure"]
        if named in CATEGORIES:
            labels = tuple(1 if category == named else None for category in CATEGORIES)
            yield Labelled(name, row["text"], labels, f"{name}/{row['id']}", "en")


def _moderation(name: str, rows: Iterable[Row]) -> Iterator[Labelled]:
    for row in rows:
        labels = tuple(row["labels"][category] for category in CATEGORIES)
        yield Labelled(name, row["text"], labels, f"{name}/{row['id']}", "en")


def _comments(name: str, rows: Iterable[Row]) -> Iterator[Labelled]:
    """Read the comments that are not toxic; of the others nobody says in which category they are."""
    for row in rows:
        if not row["labels"]["toxic"]:
            yield Labelled(name, row["text"], HARMLESS, f"{name}/{row['id']}", "en")


def _questions(name: str, rows: Iterable[Row]) -> Iterator[Labelled]:
    """Read questions that are risky in other ways than ours; the other areas hold both."""
    for row in rows:
        if row["labels"]["risk_area"] in ("information_hazard", "misinformation_harms"):
            yield Labelled(name, row["text"], HARMLESS, f"{name}/{row['id']}", "en")


def _chats(language: str, *roles: str, every: int = 1) -> Read:
    """Read each distinct text of these roles in every nth chat."""

    def read(name: str, rows: Iterable[Row]) -> Iterator[Labelled]:
        seen: set[str] = set()
        for number, row in enumerate(rows):
            for message in row["messages"] if number % every == 0 else []:
                text = message.get("content")
                if message["role"] in roles and isinstance(text, str) and text.strip() and text not in seen:
                    seen.add(text)
                    yield Labelled(name, text, HARMLESS, f"{name}/{number}", language, "benign")

    return read


_BOTH = ("user", "assistant")

SOURCES: tuple[Source, ...] = (
    # As much weight for its harmless as for its 2.2 times as many hateful rows: else the names of groups alone are
    # taken for hate.
    Source("hatecheck", "safety/hatecheck.jsonl", "CC-BY-4.0", _hatecheck, harmless=2.2),
    Source("germeval2018", "safety/germeval2018_de.jsonl", "CC-BY-4.0", _germeval),
    Source("rtp", "safety/rtp_attributes.jsonl", "Apache-2.0", _openings),
    # The only source with the four categories, and small: three times the weight.
    Source("openai_moderation", "safety/openai_moderation_dev.jsonl", "MIT", _moderation, 3.0),
    Source("surge_toxicity", "safety/surge_toxicity.jsonl", "MIT", _comments),
    Source("do_not_answer", "safety/do_not_answer.jsonl", "Apache-2.0", _questions),
    Source("azureml_conversation", "chat/azureml_conversation.jsonl", "MIT", _chats("en", *_BOTH)),
    Source("azureml_dialog", "chat/azureml_dialog.train.jsonl", "MIT", _chats("en", "user")),
    Source("covid_faq", "chat/covid_faq_de.jsonl", "Apache-2.0", _chats("de", *_BOTH)),
    Source("fastchat", "chat/fastchat_dummy.jsonl", "Apache-2.0", _chats("en", *_BOTH)),
    Source("banking77", "intent/banking77.train.jsonl", "CC-BY-4.0", _chats("en", "user", every=5)),
    Source("snips", "intent/snips.train.jsonl", "CC0-1.0", _chats("en", "user", every=2)),
    Source("glaive", "toolcall/glaive_en.jsonl", "Apache-2.0", _chats("en", *_BOTH)),
)
OWN = "contrasts"
OWN_WEIGHT = 2.0


def read_file(source: Source, data: Path) -> list[Labelled]:
    """Return the texts of one source. Raises InputError when its file is missing or not what it was."""
    path = data / source.path
    try:
        texts = list(source.read(source.name, _rows(path)))
    except (KeyError, TypeError) as error:
        raise InputError(
            f"{path} is not the file that is trained on: {error!r} is missing or of another type"
        ) from error
    if not texts:
        raise InputError(f"{path} holds nothing to train on")
    return texts


def _rows(path: Path) -> Iterator[Row]:
    for line in read_lines(path):
        if line.raw.strip():
            value = decode(line.raw).value
            if not isinstance(value, dict):
                raise InputError(f"{path}:{line.number} is no JSON object: the file is damaged")
            yield value


def read_contrasts(path: Path = CONTRASTS) -> list[Labelled]:
    """Return our own sentences. One pattern, and its like in the other language, are one group."""
    try:
        sets = tomllib.loads(path.read_text(encoding="utf-8"))["set"]
    except OSError as error:
        raise explain_os_error(error, path, "read") from error
    return [labelled for part in sets for labelled in _set(part)]


def _set(part: Mapping[str, Any]) -> Iterator[Labelled]:
    category = part["category"]
    named = {category, *part.get("also", ())}
    harmful: Labels = tuple(int(name in named) for name in CATEGORIES)
    for key, labels in (("harmful", harmful), ("harmless", HARMLESS)):
        for number, pattern in enumerate(part.get(key, ())):
            sentences = expand(pattern)
            kind = f"{'sentence' if len(sentences) == 1 else 'pattern'} {key} {category}"
            for sentence in sentences:
                yield Labelled(OWN, sentence, labels, f"{OWN}/{category}/{number}", part["language"], kind)


_CHOICE = re.compile(r"\{([^}]*)\}")
_SPACE_BEFORE_MARK = re.compile(r"\s+([.,?!])")


def expand(pattern: str, most: int = 30) -> list[str]:
    """Return up to `most` different sentences of a pattern with choices, such as "{a|the} cat".

    Each choice is drawn by a checksum of pattern, draw and place: spread evenly, and the same everywhere.
    """
    parts = _CHOICE.split(pattern)
    if len(parts) == 1:
        return [pattern]
    sentences: dict[str, None] = {}
    for draw in range(most):
        sentence = parts[0]
        for place, (choices, rest) in enumerate(zip(parts[1::2], parts[2::2], strict=True)):
            options = choices.split("|")
            sentence += options[zlib.crc32(f"{pattern}/{draw}/{place}".encode()) % len(options)] + rest
        sentences[_SPACE_BEFORE_MARK.sub(r"\1", sentence)] = None
    return list(sentences)
