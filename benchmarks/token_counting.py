"""Counting tokens of o200k_base: the counter of `tunegate check` against tiktoken, the same texts, equal on each.

    python benchmarks/token_counting.py --data FOLDER     chats in JSON lines below FOLDER, English and German
    python benchmarks/token_counting.py                   without it: generated texts in four scripts alone

tiktoken's vocabulary comes from the package bpe-openai; nothing is downloaded. The first count, which builds the
vocabulary, is left out of the rates and printed by itself.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path

from check_speed import rows

from tunegate.dataqa.tokens import Estimate, tiktoken_encoding

REAL = {
    "English questions": ("intent/banking77.train.jsonl", "intent/banking77.validation.jsonl"),
    "English and code": ("toolcall/glaive_en.jsonl", "chat/azureml_conversation.jsonl"),
    "German": ("chat/covid_faq_de.jsonl", "safety/germeval2018_de.chat.jsonl"),
}


def texts_of(path: Path) -> Iterator[str]:
    for line in path.read_text(encoding="utf-8").splitlines():
        for message in json.loads(line)["messages"]:
            if isinstance(message.get("content"), str):
                yield message["content"]


def best(repeat: int, *works: Callable[[], list[int]]) -> list[float]:
    """Return the best CPU seconds of each, measured in turn."""
    found = [float("inf")] * len(works)
    for _ in range(repeat):
        for place, work in enumerate(works):
            started = time.process_time()
            work()
            found[place] = min(found[place], time.process_time() - started)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--repeat", type=int, default=5)
    arguments = parser.parse_args()
    sets: dict[str, Sequence[str]] = {
        "generated, four scripts": [message["content"] for row in rows(4000, 0) for message in row["messages"]]
    }
    if arguments.data:
        sets |= {
            name: [text for path in paths for text in texts_of(arguments.data / path)]
            for name, paths in REAL.items()
        }
    ours = Estimate()
    started = time.process_time()
    ours.count(["The first one."])
    print(f"first count: {time.process_time() - started:.2f} s CPU")
    theirs = tiktoken_encoding(Path(str(files("bpe_openai") / "data" / "o200k_base.tiktoken.gz")))
    for name, texts in sets.items():
        counts = [len(theirs.encode_ordinary(text)) for text in texts]
        assert ours.count(texts) == counts, f"{name}: the counts differ"
        size = sum(len(text.encode()) for text in texts) / 1e6
        fast, slow = best(
            arguments.repeat,
            lambda texts=texts: ours.count(texts),
            lambda texts=texts: [len(theirs.encode_ordinary(text)) for text in texts],
        )
        print(
            f"{name}: {len(texts):,} texts, {size:.1f} MB, {sum(counts):,} tokens, equal on each: "
            f"{size / fast:.0f} MB/s against {size / slow:.0f}, {slow / fast:.1f} times tiktoken"
        )


if __name__ == "__main__":
    main()
