"""Near duplicates among 10,000 texts: ours against datasketch, in one run, with recall and precision.

    python benchmarks/near_duplicates.py [--rows 10000] [--rounds 3]

Both find every pair of texts whose Jaccard index over five-word shingles is 0.8 or more, starting from strings in
memory. Rounds are interleaved, times are CPU seconds of the process, and the best round counts. The truth is an
exact count over all pairs that share a shingle. datasketch runs as its documentation shows it: MinHash of 128
permutations, MinHashLSH of threshold 0.8, candidates kept where the estimate reaches 0.8.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import defaultdict
from collections.abc import Callable

from tunegate.dataqa.neighbours import Neighbours
from tunegate.dataqa.shingles import jaccard, shingles

THRESHOLD = 0.8
Pairs = set[tuple[int, int]]


def texts(rows: int, seed: int = 0) -> list[str]:
    """Return made-up texts of about 1.3 kB, 5 % of them copies and 5 % with 1 to 20 words changed."""
    source = random.Random(seed)
    parts = [a + b for a in "bcdfghklmnprstvwz" for b in ("a", "e", "i", "o", "u", "an", "er", "is")]
    words = ["".join(source.choices(parts, k=source.randint(1, 4))) for _ in range(20_000)]
    weights = [1 / (rank + 10) for rank in range(len(words))]
    made: list[str] = []
    for _ in range(rows):
        draw = source.random()
        if made and draw < 0.05:
            made.append(source.choice(made))
        elif made and draw < 0.10:
            changed = source.choice(made).split()
            for _ in range(source.randint(1, 20)):
                changed[source.randrange(len(changed))] = source.choice(words)
            made.append(" ".join(changed))
        else:
            length = min(max(int(source.lognormvariate(5.1, 0.7)), 8), 2000)
            made.append(" ".join(source.choices(words, weights, k=length)))
    return made


def truth(found: list[str]) -> Pairs:
    """Return all pairs of the threshold or more, by counting over every pair that shares a shingle."""
    sets = [shingles(text) for text in found]
    holders = defaultdict(list)
    for number, of_text in enumerate(sets):
        for shingle in of_text:
            holders[shingle].append(number)
    candidates = {
        (one, other) for held in holders.values() for place, other in enumerate(held) for one in held[:place]
    }
    return {pair for pair in candidates if jaccard(sets[pair[0]], sets[pair[1]]) >= THRESHOLD}


def ours(found: list[str]) -> Pairs:
    return {(one, other) for one, other, _ in Neighbours(found, THRESHOLD).pairs()}


def datasketch(found: list[str]) -> Pairs:
    from datasketch import MinHash, MinHashLSH

    lsh = MinHashLSH(threshold=THRESHOLD, num_perm=128)
    hashes, pairs = [], set()
    for number, text in enumerate(found):
        words = text.split()
        runs = {" ".join(words[start : start + 5]) for start in range(max(len(words) - 4, 1))}
        sketch = MinHash(num_perm=128)
        sketch.update_batch([run.encode() for run in runs])
        for other in lsh.query(sketch):
            if hashes[other].jaccard(sketch) >= THRESHOLD:
                pairs.add((other, number))
        lsh.insert(number, sketch)
        hashes.append(sketch)
    return pairs


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    found = texts(options.rows)
    print(f"{len(found)} texts, {sum(map(len, found)) / 1e6:.1f} MB")
    ways: dict[str, Callable[[list[str]], Pairs]] = {"tunegate": ours, "datasketch": datasketch}
    best: dict[str, float] = dict.fromkeys(ways, float("inf"))
    pairs: dict[str, Pairs] = {}
    for _ in range(options.rounds):
        for name, way in ways.items():
            start = time.process_time()
            pairs[name] = way(found)
            best[name] = min(best[name], time.process_time() - start)
    true = truth(found)
    for name in ways:
        hit = len(pairs[name] & true)
        recall, precision = hit / len(true), hit / max(len(pairs[name]), 1)
        print(f"{name:10} {best[name]:6.2f} CPU s  recall {recall:.4f}  precision {precision:.4f}  of {len(true)}")
    print(f"ratio      {best['datasketch'] / best['tunegate']:6.1f}")


if __name__ == "__main__":
    main()
