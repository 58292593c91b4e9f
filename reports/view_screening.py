"""The screening: who judged the data, what was decided, and what each category showed."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from tunegate.core.visible import visible
from tunegate.reports.figures import Figure, Node, say
from tunegate.reports.names import CATEGORIES
from tunegate.reports.view_data import Row


@dataclass(frozen=True, slots=True)
class Screening:
    """What screening said about prompts and completions of the data."""

    done: bool
    by: Markup
    outcome: Markup
    note: Figure
    decisions: tuple[Row, ...]
    categories: tuple[tuple[str, tuple[Row, ...], Figure], ...]


DECISIONS = ("allow", "flag", "block", "error")
BANDS = ("none", "low", "medium", "high")
SIDES = ("prompt", "completion")


def screening_view(result: Node) -> Screening:
    """Make the screen of the screening."""
    screening = result["screening"]
    model = screening["model"]
    name = model if isinstance(model.value, str) else model["name"] if model["name"] else model["id"]
    return Screening(
        done=bool(screening),
        by=say("{}, {}", screening["backend"].show("text"), name.show("text"))
        if name
        else say("{}", screening["backend"].show("text")),
        outcome=say(
            "{} rows screened: {} blocked, {} could not be judged.",
            *(screening[name].show("count") for name in ("rows", "rows_blocked", "rows_error")),
        ),
        note=screening["note"].show("text"),
        decisions=tuple(
            Row(side, tuple(screening.at("counts", side, decision).show("count") for decision in DECISIONS))
            for side in SIDES
        ),
        categories=tuple(
            (
                CATEGORIES.get(category, visible(category)),
                tuple(Row(side, tuple(bands.at(side, band).show("count") for band in BANDS)) for side in SIDES),
                screening.at("block_at", category).show("plain"),
            )
            for category, bands in screening["bands"].items()
        ),
    )
