"""How many planted label errors QUAL010 finds, and how many labels it names on the sets as they are.

    python benchmarks/label_errors.py --data FOLDER

FOLDER holds chats whose last answer is a label, one file a set: `snips.train.jsonl`, `sms_spam.jsonl`,
`banking77.train.jsonl`. Three rows in a hundred get another label, by seed.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from pathlib import Path

from tunegate.dataqa.confident import doubts

SHARE = 0.03


def read(path: Path) -> tuple[list[str], list[str]]:
    chats = [json.loads(line)["messages"] for line in path.read_text(encoding="utf-8").splitlines()]
    texts = [next(message["content"] for message in chat if message["role"] == "user") for chat in chats]
    return texts, [chat[-1]["content"] for chat in chats]


def noisy(labels: list[str], seed: int) -> tuple[list[str], set[int]]:
    chance = random.Random(seed)
    wrong = set(chance.sample(range(len(labels)), int(SHARE * len(labels))))
    names = sorted(set(labels))
    made = [
        chance.choice([name for name in names if name != label]) if place in wrong else label
        for place, label in enumerate(labels)
    ]
    return made, wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    for path in sorted(arguments.data.glob("*.jsonl")):
        if "validation" in path.name:
            continue
        texts, labels = read(path)
        made, wrong = noisy(labels, arguments.seed)
        started = time.process_time()
        found = {doubt.place for doubt in doubts(texts, made)}
        seconds = time.process_time() - started
        recall, precision = len(found & wrong) / len(wrong), len(found & wrong) / max(len(found), 1)
        clean = len(doubts(texts, labels)) / len(labels)
        print(f"{path.name}: {len(labels)} rows, {seconds:.1f} s CPU")
        print(f"    recall {recall:.3f}, precision {precision:.3f}")
        print(f"    on the set as it is {clean:.2%} of the labels are named")


if __name__ == "__main__":
    main()
