"""How fast `tunegate check` is on 10,000 chats: the rules against a pydantic model, and whole processes.

    python benchmarks/check_speed.py                 10,000 rows of about 1.5 KB, five rounds
    python benchmarks/check_speed.py --rows 100000

The file is made of invented words in four scripts, by seed: 5 % exact and 5 % near duplicates, one to four turns.
Wall and CPU seconds are both printed: on a machine that others use too, only the second means much.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pydantic

from tunegate.dataqa.catalog import RULES
from tunegate.dataqa.check import CheckSettings, DataFile, check

SYLLABLES = {
    "latin": "ba ko ri ten mal so ver lin da pu es tor gra mi no shel fa wen ick ul",
    "german": "schö grü ver kauf straß lich keit ung äu ßer nach mög fra gen an ruf",
    "cyrillic": "да не по ра бот ка ми ло сте при вет ход мы ска зал ну",  # noqa: RUF001
    "japanese": "日 本 語 の 文 章 を 作 る た め に こ れ は 例 で す 時 間 人 生 大 小 中",
}
SHARES = {"latin": 0.72, "german": 0.12, "cyrillic": 0.08, "japanese": 0.08}
BYTES_OF_A_ROW = 1170
OVER_THE_SET = tuple(rule.id for rule in RULES if rule.scope == "set")
SHAPE = ("FILE", "CHAT", "TOOL", "VIS", "PREF")

# A limit that rows may be over, so that the tokens of all of them are counted.
CONFIGURATION = """\
[data]
files = ["chats.jsonl"]
tokens = { tokenizer = "o200k", max = 1024 }
"""


def vocabulary(syllables: str, chance: random.Random) -> list[str]:
    return ["".join(chance.choices(syllables.split(), k=chance.randint(1, 4))) for _ in range(4000)]


def sentence(words: list[str], count: int, chance: random.Random) -> str:
    # Common words come often, as in real text: squaring the draw favours the front of the list.
    picked = [words[int(len(words) * chance.random() ** 2)] for _ in range(count)]
    return " ".join(picked).capitalize() + "."


def text(words: list[str], size: int, chance: random.Random) -> str:
    made: list[str] = []
    while sum(len(part.encode()) for part in made) < size:
        made.append(sentence(words, chance.randint(6, 16), chance))
    return " ".join(made)


def rows(count: int, seed: int) -> list[dict[str, list[dict[str, str]]]]:
    chance = random.Random(seed)
    words = {name: vocabulary(syllables, chance) for name, syllables in SYLLABLES.items()}
    made: list[dict[str, list[dict[str, str]]]] = []
    for _ in range(count):
        draw = chance.random()
        if made and draw < 0.05:
            made.append(chance.choice(made))
            continue
        if made and draw < 0.10:
            near = json.loads(json.dumps(chance.choice(made)))
            near["messages"][-2]["content"] += " " + sentence(words["latin"], 2, chance)
            made.append(near)
            continue
        script = chance.choices(list(SHARES), list(SHARES.values()))[0]
        turns = chance.randint(1, 4)
        size = int(BYTES_OF_A_ROW * chance.uniform(0.4, 1.4) / turns / 2)
        messages = [{"role": "system", "content": "You are a helpful assistant."}] if chance.random() < 0.5 else []
        for _ in range(turns):
            messages.append({"role": "user", "content": text(words[script], size, chance)})
            messages.append({"role": "assistant", "content": text(words[script], size, chance)})
        made.append({"messages": messages})
    return made


def row_of_numbers(chance: random.Random) -> str:
    """Return a sentence such as support chats are full of: numbers, dates, prices, an address now and then."""
    kinds = (
        lambda: f"Order {chance.randint(1000, 999_999)} of {chance.randint(1, 28)}.{chance.randint(1, 12)}.2026.",
        lambda: (
            f"It costs {chance.randint(1, 900)}.{chance.randint(10, 99)} EUR for {chance.randint(2, 9)} pieces."
        ),
        lambda: f"See https://shop.example/item/{chance.randint(1, 9999)}?ref={chance.randint(1, 99)} for more.",
        lambda: f"Write to name{chance.randint(1, 99)}@firma.example, please.",
    )
    return chance.choices(kinds, (5, 5, 2, 1))[0]()


def write(path: Path, count: int, seed: int) -> int:
    """Write chats of about 1.5 KB, a third of them with a sentence of numbers; return the bytes of the file."""
    chance = random.Random(seed + 1)
    with path.open("wb") as stream:
        for row in rows(count, seed):
            if chance.random() < 1 / 3:
                row["messages"][-1]["content"] += " " + row_of_numbers(chance)
            stream.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
    return path.stat().st_size


def whole_process(*arguments: str, folder: Path) -> tuple[float, float]:
    """Return wall and CPU seconds of `tunegate check`, byte code allowed."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "tunegate.cli.main", "check", *arguments, "--format", "json"],
        env=environment,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


class Message(pydantic.BaseModel):
    """What one model for each line validates: the peer of the rules about shape."""

    role: Literal["system", "user", "assistant", "tool", "developer"]
    content: str


class Chat(pydantic.BaseModel):
    messages: list[Message]


def by_pydantic(path: Path) -> None:
    with path.open("rb") as stream:
        for line in stream:
            Chat.model_validate_json(line)


def by_rules(path: Path, *select: str) -> None:
    check([DataFile(path)], CheckSettings(select=select, ignore=OVER_THE_SET, jobs=1))


def cpu(work: Callable[[], None]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def in_turn(repeat: int, works: dict[str, Callable[[], None]]) -> dict[str, float]:
    """Return the best CPU seconds of each, measured in turn so that all meet the same disturbances."""
    found = dict.fromkeys(works, float("inf"))
    for _ in range(repeat):
        for name, work in works.items():
            found[name] = min(found[name], cpu(work))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--repeat", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "chats.jsonl"
        size = write(path, arguments.rows, arguments.seed)
        print(f"{arguments.rows:,} rows, {size / 1e6:.1f} MB, {size / arguments.rows:.0f} bytes a row")
        families = sorted({rule.id.rstrip("0123456789") for rule in RULES if rule.scope == "row"})
        best = in_turn(
            arguments.repeat,
            {
                "pydantic": lambda: by_pydantic(path),
                "shape": lambda: by_rules(path, *(name for name in SHAPE if name in families)),
                "rows": lambda: by_rules(path, *families),
            },
        )
        rates = {name: arguments.rows / seconds for name, seconds in best.items()}
        print(f"one pydantic model a line: {rates['pydantic']:,.0f} rows/s")
        for key, what in (("shape", "rules about file and shape"), ("rows", "all default rules about rows")):
            print(f"{what}: {rates[key]:,.0f} rows/s and core, {rates[key] / rates['pydantic']:.2f} of pydantic")
        (folder / "tunegate.toml").write_text(CONFIGURATION, encoding="utf-8")
        for jobs in ("1", "2"):
            runs = [whole_process(path.name, "--jobs", jobs, folder=folder) for _ in range(arguments.repeat)]
            wall, used = min(runs)
            print(
                f"whole process, all rules, every row counted, --jobs {jobs}: {wall:.2f} s wall, {used:.2f} s CPU"
            )


if __name__ == "__main__":
    main()
