"""The page docs/targets.md: what each target takes, from the tables that the rules read."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tunegate.dataqa.rule_text import KINDS
from tunegate.dataqa.targets import MEGABYTE, TARGETS, Images, Target

_BOM = {"asked": "asked for", "taken": "taken", "refused": "refused"}


def page() -> Iterator[str]:
    """Give the lines of the page."""
    yield from (
        "# Targets", "",
        "`--target`, or `target` under `[data]`, says where the data will go. The rules read the limits below.",
        "Each column has the date of its sources: limits change, and the date says how old a number is. A dash",
        "means that the documents say nothing.", "",
        "| | " + " | ".join(f"`{name}`" for name in TARGETS) + " |",
        "|---" * (len(TARGETS) + 1) + "|",
    )  # fmt: skip
    for title, say in _LINES.items():
        yield f"| {title} | " + " | ".join(say(target) for target in TARGETS.values()) + " |"
    yield ""
    for target in TARGETS.values():
        yield from (f"## {target.name}", "", f"{target.title}. Source, as of {target.as_of}: {target.source}.", "")
        yield from (f"- {fact}" for fact in _facts(target))
        yield ""


def _size(count: int | None) -> str:
    if count is None:
        return "-"
    megabytes = count // MEGABYTE
    return f"{megabytes // 1024} GB" if megabytes % 1024 == 0 else f"{megabytes} MB"


def _number(count: int | None) -> str:
    return "-" if count is None else f"{count:,}"


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"


def _images_of(say: Callable[[Images], str]) -> Callable[[Target], str]:
    return lambda target: "-" if target.images is None else say(target.images)


def _per_row(images: Images) -> str:
    return _number(images.per_row) + (f" or {images.doubted_per_row}" if images.doubted_per_row else "")


_LINES: dict[str, Callable[[Target], str]] = {
    "as of": lambda target: target.as_of,
    "task kinds": lambda target: ", ".join(target.kinds),
    "fewest rows": lambda target: _number(target.min_rows),
    "rows advised to start": lambda target: _number(target.advised_rows),
    "largest file": lambda target: _size(target.max_bytes),
    "largest on the upload page": lambda target: _size(target.portal_bytes),
    "tokens of a row": lambda target: _number(target.row_tokens),
    "tokens x epochs of a job": lambda target: _number(target.job_tokens),
    "byte-order mark": lambda target: _BOM[target.bom],
    "packed files": lambda target: _yes(target.compressed),
    "most messages": lambda target: _number(target.max_messages),
    "most tools": lambda target: _number(target.max_tools),
    "role developer": lambda target: _yes("developer" in target.roles),
    "role function (deprecated)": lambda target: _yes("function" in target.roles),
    "weights": lambda target: "0 or 1" if target.weights else "read by `tunegate train` only",
    "further keys of a row": lambda target: _yes(target.row_keys is None),
    "images": lambda target: _yes(target.images is not None),
    "image formats": _images_of(lambda images: ", ".join(images.formats) or "any"),
    "image modes": _images_of(lambda images: ", ".join(images.modes) or "-"),
    "largest image": _images_of(lambda images: _size(images.max_bytes)),
    "images in a row": _images_of(_per_row),
    "rows with images": _images_of(lambda images: _number(images.rows)),
    "images by address": _images_of(lambda images: _yes(images.urls)),
}


def _facts(target: Target) -> Iterator[str]:
    """Give the dialect of a target in words."""
    yield "trains on " + ", ".join(KINDS[kind] for kind in target.kinds)
    yield "roles: " + _listed(target.roles)
    if target.row_keys is not None:
        yield "keys of a row: " + _listed(target.row_keys)
    yield "keys of a message: " + _listed(target.message_keys)
    if target.parts is not None:
        yield "types of content parts: " + _listed(target.parts)
    if target.other_rows:
        yield "takes rows of other shapes too: " + _listed(target.other_rows)
    if target.images is not None and target.images.doubted_per_row:
        images = target.images
        yield (
            f"documents disagree whether a row may have {images.per_row} images or {images.doubted_per_row}: more "
            "than the first are an error, more than the second a warning (VIS004)"
        )
    if target.single_outputs:
        yield "an output of a preference pair is one message"
    if target.nine_sign_ids:
        yield "ids of calls are 9 letters and digits"
    if target.templates:
        yield "chat templates read the rows: calls need no id, arguments may be objects, null stands for nothing"


def _listed(words: frozenset[str] | tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in sorted(words))
