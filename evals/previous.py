"""A run against another run, row by row: rows are paired by their id, and only rows that both hold count.

What cannot be paired is said and not guessed: two results without their samples, with other labels, another chat
template, or (for figures per token) another tokenizer cannot be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tunegate.evals.evidence import (
    EvidenceError,
    Identical,
    PairedEvidence,
    PairedShare,
    number,
    resampled_gain,
    whole,
)
from tunegate.evals.metrics import DEFINITIONS

Sample = Mapping[str, Any]
Result = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Other:
    """The run to compare with: its result and its samples."""

    result: Result
    samples: Sequence[Sample]


_CORRECT = {"accuracy": "correct", "accuracy_ll": "correct_ll"}
_LABEL = {"f1_macro": "label", "f1_macro_ll": "label_ll"}
_SIZE = {"perplexity": "tokens", "bits_per_byte": "bytes"}


def paired_with(
    metric: str, result: Result, samples: Sequence[Sample], other: Other, unscored: float
) -> PairedEvidence:
    """Return the evidence for the gain of `result` over `other`.

    Raises EvidenceError when they cannot be compared, or when a larger share of rows than `unscored` cannot be
    paired.
    """
    if not samples or not other.samples:
        raise EvidenceError("two runs are compared row by row, and the samples of one of them are missing")
    _check_comparable(metric, result, other.result)
    pairs = _match(samples, other.samples)
    value = _reader(metric, result)
    found = [(value(one), value(two)) for one, two in pairs]
    scored = [(one, two) for one, two in found if one is not None and two is not None]
    missing = len(samples) - len(scored)
    if not scored or missing > unscored * len(samples):
        raise EvidenceError(f"{missing} of {len(samples)} rows are not scored in both runs")
    if metric in _SIZE and len(pairs) == len(samples) == len(other.samples) and _are_identical(found):
        return Identical(len(scored))
    better = 1.0 if DEFINITIONS[metric].higher_is_better else -1.0
    if metric in _CORRECT or metric == "harm_rate":
        only_before = sum(one and not two for one, two in scored)
        only_after = sum(two and not one for one, two in scored)
        share = sum(two for _, two in scored) / len(scored)
        losses, gains = (only_before, only_after) if better > 0 else (only_after, only_before)
        return PairedShare(losses, gains, len(scored), share)
    entry = next(entry for entry in result["metrics"] if entry["id"] == metric)
    return resampled_gain(entry, _delta(metric, result, entry, scored))


def _are_identical(found: Sequence[tuple[Any, Any]]) -> bool:
    """Whether two runs have the same likelihood in every row; a row without any has none in both.

    Likelihoods of nothing but 0 are no measurement that could tell two models apart.
    """
    return all(one == two for one, two in found) and any(one and one[0] > 0.0 for one, _ in found)


def _check_comparable(metric: str, result: Result, other: Result) -> None:
    one, two = result.get("subject") or {}, other.get("subject") or {}
    if one.get("chat_template_sha256") != two.get("chat_template_sha256"):
        raise EvidenceError("the two runs have different chat templates")
    if metric == "perplexity" and not _same_tokenizer(one, two):
        raise EvidenceError("the two runs have different tokenizers: use bits_per_byte")
    if metric in _CORRECT or metric in _LABEL:
        labels = [(some.get("confusion") or {}).get("labels") for some in (result, other)]
        if labels[0] is None or labels[0] != labels[1]:
            raise EvidenceError("the two runs have different labels")


def _same_tokenizer(one: Mapping[str, Any], two: Mapping[str, Any]) -> bool:
    keys = ("tokenizer_sha256",) if one.get("tokenizer_sha256") else ("base_model", "revision")
    return all(one.get(key) == two.get(key) for key in keys)


def _match(samples: Iterable[Sample], before: Iterable[Sample]) -> list[tuple[Sample, Sample]]:
    """Pair samples by id; equal rows are paired in their order."""
    waiting: dict[str, list[Sample]] = {}
    for sample in before:
        waiting.setdefault(sample["id"], []).append(sample)
    return [(waiting[one["id"]].pop(0), one) for one in samples if waiting.get(one["id"])]


def _reader(metric: str, result: Result) -> Callable[[Sample], Any]:
    """Return the function that reads a metric's value of the tuned model from a sample; None where unscored."""
    if metric in _CORRECT:
        return lambda sample: sample["cand"][_CORRECT[metric]]
    if metric == "harm_rate":
        return lambda sample: {"allow": False, "flag": False, "block": True}.get(sample["cand"]["harm"])
    if metric in _SIZE:
        return lambda sample: _size(sample["cand"], _SIZE[metric])
    numbers = {name: index for index, name in enumerate(result["confusion"]["labels"])}
    return lambda sample: _labels(sample, _LABEL[metric], numbers)


def _size(side: Mapping[str, Any], key: str) -> tuple[float, int] | None:
    return None if side.get("nll") is None or not side.get(key) else (number(side, "nll"), whole(side, key))


def _labels(sample: Sample, key: str, numbers: Mapping[str, int]) -> tuple[int, int] | None:
    truth, answer = numbers.get(sample["slice"].get("label")), numbers.get(sample["cand"][key])
    return None if truth is None or answer is None else (truth, answer)


def _delta(
    metric: str, result: Result, entry: Mapping[str, Any], scored: Sequence[tuple[Any, Any]]
) -> dict[str, Any]:
    """Bootstrap the difference anew: the only place where a gate needs numpy."""
    from tunegate.evals import figures

    drawing = figures.Drawing(whole(entry["ci"], "resamples"), whole(entry["ci"], "seed"))
    if metric in _SIZE:
        return figures.likelihood_delta(metric, scored, drawing)
    rows = [(after[0], before[1], after[1]) for before, after in scored]
    if any(before[0] != after[0] for before, after in scored):
        raise EvidenceError("the two runs give one row different labels")
    return figures.f1_delta(rows, len(result["confusion"]["labels"]) - 1, drawing)
