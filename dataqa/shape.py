"""The rules about shape: of a row that is proven to be a plain chat (`core.plain`) none of them needs to be asked.

A test runs these rules on every row that the proof accepts. A row that is not plain may still be sound: then the
rules decide. Rules about what a text says (CHAT025, CHAT026, CHAT029) are not among them: they look at every row.
"""

from __future__ import annotations

PROVEN = frozenset(
    [f"CHAT{number:03}" for number in (*range(1, 13), *range(14, 21), 22, 23, 24, 27)]
    + [f"TOOL{number:03}" for number in (*range(1, 17), 18, 19, 20)]
    + [f"VIS{number:03}" for number in range(1, 7)]
)
