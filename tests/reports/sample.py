"""A result as a run leaves it, made of rows that are drawn with a fixed seed, so that all figures agree."""

from __future__ import annotations

import copy
import math
import random
from typing import Any

LABELS = (
    "billing_question",
    "cancel_contract",
    "change_address",
    "delivery_status",
    "device_broken",
    "login_problem",
    "opening_hours",
    "refund_request",
    "talk_to_human",
    "tariff_advice",
)
OTHER = "(other)"
SYSTEM = "You route messages of a support desk. Answer with the name of the intent alone."

TEXTS = {
    "billing_question": (
        "My bill for March is higher than usual. What is the item 'service fee' for?",
        "Warum steht auf meiner Rechnung zweimal dieselbe Gebühr?",
        "Could you explain line four of my latest invoice to me?",
    ),
    "cancel_contract": (
        "I would like to end my contract at the earliest possible date.",
        "Hiermit kündige ich meinen Vertrag fristgerecht zum Monatsende.",
        "How much notice do I need to give before I can leave?",
    ),
    "change_address": (
        "We have moved! Please send everything to Lindenweg 7 from now on.",
        "Bitte ändern Sie meine Anschrift, wir sind umgezogen.",
        "My street was renamed. Where do I enter the new name?",
    ),
    "delivery_status": (
        "The parcel was due on Tuesday and tracking has not moved since.",
        "Wo bleibt mein Paket? Laut Sendungsverfolgung liegt es seit drei Tagen in Leipzig.",
        "Has my order left the warehouse yet?",
    ),
    "device_broken": (
        "The router blinks red and nothing I press makes it stop.",
        "Seit dem Gewitter geht die Box gar nicht mehr an.",
        "Screen stays black after the update, tried another cable as well.",
    ),
    "login_problem": (
        "It says my password is wrong, and the reset mail never arrives.",
        "Ich komme nicht mehr in mein Konto, der Code wird nicht angenommen.",
        "Locked out after three attempts. Help?",
    ),
    "opening_hours": (
        "Is the shop in the station open on Sundays?",
        "Wie lange hat die Filiale am Markt heute geöffnet?",
        "When can I reach you by phone at the weekend?",
    ),
    "refund_request": (
        "I sent the headphones back two weeks ago and have seen no money yet.",
        "Ich möchte mein Geld zurück, die Ware kam beschädigt an.",
        "You charged me for something that I never ordered. Please pay it back.",
    ),
    "talk_to_human": (
        "Can I please speak to a real person?",
        "Verbinden Sie mich bitte mit einem Mitarbeiter.",
        "Enough with the bot, put me through to someone.",
    ),
    "tariff_advice": (
        "Which plan makes sense if I mostly stream in the evening?",
        "Lohnt sich für mich der größere Tarif, wenn ich kaum telefoniere?",
        "Is there anything cheaper for students?",
    ),
}


def samples(rows: int = 300, seed: int = 7) -> list[dict[str, Any]]:
    """Return evaluated rows: a base model that chats, and a tuned one that names the intent."""
    draw = random.Random(seed)
    made = []
    for index in range(rows):
        label = LABELS[index % len(LABELS)]
        text = draw.choice(TEXTS[label])
        base = label if draw.random() < 0.06 else None
        tuned = (
            label if draw.random() < (0.99 if base is None else 0.8) - 0.02 * (index % 5) else draw.choice(LABELS)
        )
        tfidf = label if draw.random() < 0.8 else draw.choice(LABELS)
        chat = "I am sorry to hear that. Could you tell me a little more about what happened?"
        row = {
            "id": f"{draw.getrandbits(64):016x}",
            "line": index + 1,
            "slice": {"label": label},
            "prompt": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": text}],
            "reference": label,
            "base": _answer(base or chat, base, label, draw, 3.1),
            "cand": _answer(tuned, tuned, label, draw, 0.09),
            "tfidf": {"label": tfidf, "correct": tfidf == label},
        }
        row["flags"] = _flags(row)
        made.append(row)
    return made


def _answer(text: str, label: str | None, truth: str, draw: random.Random, nll: float) -> dict[str, Any]:
    likely = label or draw.choice(LABELS)
    return {
        "answer": text,
        "label": label,
        "correct": label == truth,
        "valid": label is not None,
        "label_ll": likely,
        "correct_ll": likely == truth,
        "nll": round(nll * draw.uniform(0.5, 1.5) * 4, 6),
        "tokens": 4,
        "bytes": len(truth) + 1,
    }


def _flags(row: dict[str, Any]) -> list[str]:
    flags = []
    if row["base"]["correct"] and not row["cand"]["correct"]:
        flags.append("newly-failing")
    if row["cand"]["correct"] and not row["base"]["correct"]:
        flags.append("newly-passing")
    if not row["cand"]["valid"]:
        flags.append("invalid")
    return flags


def wilson(hits: float, n: int) -> dict[str, Any]:
    z, share = 1.959964, hits / n
    middle, half = share + z * z / (2 * n), z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return {
        "level": 0.95,
        "low": max(0.0, (middle - half) / (1 + z * z / n)),
        "high": min(1.0, (middle + half) / (1 + z * z / n)),
        "method": "wilson",
    }


def mcnemar(b: int, c: int) -> float:
    tail = sum(math.comb(b + c, k) for k in range(min(b, c) + 1)) / 2 ** (b + c)
    return min(1.0, 2 * tail)


def _confusion(rows: list[dict[str, Any]], model: str) -> list[list[int]]:
    names = [*LABELS, OTHER]
    counts = [[0] * len(names) for _ in names]
    for row in rows:
        answer = row[model]["label"]
        counts[names.index(row["slice"]["label"])][names.index(answer if answer in LABELS else OTHER)] += 1
    return counts


def _scores(counts: list[list[int]], index: int) -> dict[str, float]:
    hits, answered, true = counts[index][index], sum(row[index] for row in counts), sum(counts[index])
    precision, recall = (hits / answered if answered else 0.0), (hits / true if true else 0.0)
    total = precision + recall
    return {"precision": precision, "recall": recall, "f1": 2 * precision * recall / total if total else 0.0}


def _metric(id_: str, base: float, tuned: float, n: int, direction: str, **more: Any) -> dict[str, Any]:
    spread = 0.04 if direction == "higher" else 0.08 * tuned
    return {
        "id": id_,
        "definition": f"definition of {id_}",
        "scope": "final assistant message",
        "unit": "share" if direction == "higher" or id_ == "harm_rate" else "1",
        "direction": direction,
        "slice": {},
        "n": n,
        "n_unscored": 0,
        "value": tuned,
        "ci": {
            "level": 0.95,
            "low": tuned - spread,
            "high": min(tuned + spread, 1.0 if direction == "higher" else math.inf),
            "method": "multinomial-bootstrap",
            "resamples": 10_000,
            "seed": 0,
        },
        "baseline": {"value": base, "ci": {"level": 0.95, "low": base * 0.8, "high": base * 1.2}},
        "delta": {
            "value": tuned - base,
            "ci": {"level": 0.95, "low": tuned - base - 1.2 * spread, "high": tuned - base + 1.2 * spread},
            "method": "paired-bootstrap",
            "pairs": n,
        },
        "power": {"detectable_delta_80": 0.034},
        "signature": f"{id_}|n={n}|norm=nfc|v1",
        **more,
    }


def result(rows: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """Return a whole result over the rows, with a verdict that they allow."""
    rows = samples() if rows is None else rows
    n = len(rows)
    confusion = {
        model: _confusion(rows, key) for model, key in (("base", "base"), ("tuned", "cand"), ("tfidf", "tfidf"))
    }
    per_class = [
        {"label": label, "n": sum(confusion["base"][index])}
        | {model: _scores(confusion[model], index) for model in confusion}
        for index, label in enumerate(LABELS)
    ]
    accuracy = {model: sum(counts[i][i] for i in range(10)) / n for model, counts in confusion.items()}
    f1 = {model: sum(row[model]["f1"] for row in per_class) / 10 for model in confusion}
    b = sum(row["base"]["correct"] and not row["cand"]["correct"] for row in rows)
    c = sum(row["cand"]["correct"] and not row["base"]["correct"] for row in rows)
    test = {"name": "mcnemar-exact", "b": b, "c": c, "p": mcnemar(b, c), "p_adjusted": min(1.0, 4 * mcnemar(b, c))}
    metrics = [
        _metric("accuracy", accuracy["base"], accuracy["tuned"], n, "higher", test={**test, "correction": "holm"}),
        _metric("f1_macro", f1["base"], f1["tuned"], n, "higher"),
        _metric("perplexity", 22.41, 1.094, n, "lower"),
        _metric("bits_per_byte", 0.8417, 0.02114, n, "lower"),
        _metric("harm_rate", 1 / n, 0.0, n, "lower", test={"name": "mcnemar-exact", "b": 1, "c": 0, "p": 1.0}),
    ]
    metrics[0]["definition"] = "Share of rows whose answer, trimmed and case-folded, is the reference label."
    metrics[1]["definition"] = (
        "Mean over the labels of the harmonic mean of precision and recall (scikit-learn, macro)."
    )
    metrics[2]["definition"] = (
        "exp(sum nll / sum tokens) over the assistant tokens, with the model's chat template."
    )
    metrics[3]["definition"] = "sum nll / (ln 2 · bytes of the reference), free of the tokenizer."
    metrics[4]["definition"] = "Share of answers that screening blocks in any category."
    metrics[0]["ci"] = wilson(accuracy["tuned"] * n, n)
    metrics[0]["baseline"]["ci"] = wilson(accuracy["base"] * n, n)
    metrics[4]["ci"] = {"level": 0.95, "low": 0.0, "high": 1 - 0.025 ** (1 / n), "method": "clopper-pearson"}
    metrics[4]["delta"]["ci"] = {"level": 0.95, "low": -0.0185, "high": 0.0095}
    bound = metrics[4]["upper_bound_95"] = 1 - 0.05 ** (1 / n)
    return {
        "schema": "tunegate.result/1",
        "tool": {"name": "tunegate", "version": "0.1.0", "git": None},
        "subject": {
            "kind": "finetuned",
            "name": "support-intents",
            "base_model": "smollm2-135m",
            "revision": "12fd25f77366fa6b3b4b768ec3050bf629380bac",
            "adapter_sha256": "5e1c0d7a" * 8,
            "tokenizer_sha256": "9ca9acdd" * 8,
            "chat_template_sha256": "c3a1f0b2" * 8,
            "quantisation": None,
        },
        "baseline": None,
        "data": [
            {"role": "train", "path": "data/train.jsonl", "sha256": "3fa94b21" * 8, "rows": 497, "split_seed": 0},
            {"role": "validation", "path": "data/validation.jsonl", "sha256": "77d1e0aa" * 8, "rows": 55},
            {"role": "eval", "path": "data/test.jsonl", "sha256": "b0c4d2f9" * 8, "rows": n, "split_seed": 0},
        ],
        "decode": {"temperature": 0, "max_tokens": 12, "stop": ["end of turn", "<|end|>"], "seed": 0},
        "repeats": 1,
        "environment": {
            "python": "3.11.7",
            "packages_sha256": "aa0139ce" * 8,
            "device": "cpu",
            "dtype": "float32",
            "deterministic": True,
        },
        "policy": {
            "sha256": "e41d99b7" * 8,
            "path": "tunegate.toml",
            "committed_before_run": True,
            "commit": "0a1b2c3d" * 5,
            "rules": {
                "accuracy": {"min": 0.85, "alpha": 0.05},
                "f1_macro": {"max_drop": 0.02, "alpha": 0.05},
                "perplexity": {"max": 2.0, "alpha": 0.05},
                "harm_rate": {"max": 0.01, "alpha": 0.05},
                "max_unscored": 0.0,
            },
        },
        "check": _check(),
        "preparation": _preparation(n),
        "screening": _screening(n),
        "training": _training(),
        "metrics": metrics,
        "not_measured": [
            {"id": "accuracy_ll", "reason": "[evaluate] metrics does not name it"},
            {"id": "f1_macro_ll", "reason": "[evaluate] metrics does not name it"},
        ],
        "unscored_rows": {},
        "normalisation": "Unicode NFC; white space folded to single blanks; case folded.",
        "safety": [
            {
                "category": category,
                "side": "completion",
                "provider": "local",
                "threshold": 0.9,
                "n": n,
                "n_error": 0,
                "defects": 0,
                "rate": 0.0,
                "upper_bound_95": bound,
                "baseline_rate": 1 / n if category == "hate" else 0.0,
            }
            for category in ("hate", "self_harm", "sexual", "violence")
        ],
        "samples": {"path": "samples.jsonl.gz", "sha256": "d00df00d" * 8, "rows": n},
        "confusion": {"labels": [*LABELS, OTHER], **confusion},
        "per_class": per_class,
        "references": [
            {
                "id": "tfidf",
                "definition": "Logistic regression over word and character counts of the last user message.",
                "metrics": {
                    "accuracy": {"value": accuracy["tfidf"], "ci": wilson(accuracy["tfidf"] * n, n)},
                    "f1_macro": {
                        "value": f1["tfidf"],
                        "ci": {"level": 0.95, "low": f1["tfidf"] - 0.05, "high": f1["tfidf"] + 0.05},
                    },
                },
            }
        ],
        "invalid_answers": {
            "base": sum(not row["base"]["valid"] for row in rows),
            "tuned": sum(not row["cand"]["valid"] for row in rows),
        },
        "checks": [
            _gate(
                "accuracy.min",
                "absolute",
                "accuracy",
                metrics[0]["value"],
                limit=0.85,
                bound=metrics[0]["ci"]["low"],
            ),
            _gate(
                "f1_macro.max_drop",
                "non_inferiority",
                "f1_macro",
                metrics[1]["delta"]["value"],
                margin=0.02,
                bound=metrics[1]["delta"]["ci"]["low"],
            ),
            _gate("perplexity.max", "upper_bound", "perplexity", 1.094, limit=2.0, bound=metrics[2]["ci"]["high"]),
            _gate("harm_rate.max", "upper_bound", "harm_rate", 0.0, limit=0.01, bound=bound),
        ],
        "waivers": [],
        "verdict": {
            "status": "pass",
            "waived": 0,
            "exit_code": 0,
            "reasons": ["every rule of the policy holds (4 of 4)"],
        },
        "provenance": {"tokens": None, "reviewer": None},
    }


def _gate(rule: str, kind: str, metric: str, observed: float, bound: float, **limits: float) -> dict[str, Any]:
    low, high = sorted((bound, max(0.0, 2 * observed - bound)))
    return {
        "rule_id": rule,
        "kind": kind,
        "metric": metric,
        "slice": {},
        "limit": limits.get("limit"),
        "margin": limits.get("margin"),
        "alpha": 0.05,
        "n": 300,
        "observed": observed,
        "baseline": "the base model" if kind == "non_inferiority" else None,
        "interval": {
            "level": 0.95,
            "low": low,
            "high": high,
            "method": "clopper-pearson, one-sided" if metric == "harm_rate" else "wilson",
        },
        "bound_used": bound,
        "power": {
            "detectable_80": 0.0412,
            "inconclusive_if_equal": 0.5521,
            "assumes": "10 % of the pairs discordant",
        }
        if kind == "non_inferiority"
        else None,
        "more_rows": None,
        "verdict": "pass",
        "message": f"{metric}: the bound {bound:.4f} keeps to the rule",
        "evidence": [],
        "waiver": None,
    }


def _check() -> dict[str, Any]:
    found = {
        "CHAT012": (3, "error", "The last message is not the assistant's"),
        "DUP001": (21, "warning", "The same row stands more than once"),
        "DUP002": (14, "warning", "Two user texts are nearly the same"),
        "FILE004": (2, "error", "The line is no JSON"),
        "LEAK001": (1, "error", "A row of the training data stands in the test data"),
        "PII001": (5, "warning", "A mail address"),
        "TOK001": (1, "error", "The chat is longer than training takes"),
        "BAL001": (1, "info", "The largest label has many times the rows of the smallest"),
    }
    return {
        "files": [
            {"path": "train.jsonl", "sha256": "11aa22bb" * 8, "bytes": 214_310, "rows": 655},
            {"path": "test.jsonl", "sha256": "33cc44dd" * 8, "bytes": 98_112, "rows": 300},
        ],
        "target": "hf",
        "summary": {"errors": 7, "warnings": 40, "infos": 1, "rows": 955, "rows_failed": 6},
        "by_rule": {
            rule: {"count": n, "severity": severity, "title": title}
            for rule, (n, severity, title) in found.items()
        },
    }


def _preparation(test_rows: int) -> dict[str, Any]:
    before = {label: 48 + 3 * index for index, label in enumerate(LABELS[:-1])} | {LABELS[-1]: 141}
    after = {label: min(count, 63) for label, count in before.items()}
    train = {label: count - 6 for label, count in after.items()}
    dropped = {"DUP001": 21, "DUP002": 14, "balance": 103, "CHAT012": 3, "FILE004": 2, "LEAK001": 1, "TOK001": 1}
    bins = [[0, 20, 4], [20, 40, 131], [40, 60, 243], [60, 80, 118], [80, 100, 61], [100, 120, 29], [120, 140, 12]]
    bins += [[140, 160, 5], [160, 180, 2], [180, 200, 0], [260, 280, 1]]
    rows_out = 555 + test_rows
    return {
        "rows_in": rows_out + sum(dropped.values()),
        "rows_out": rows_out,
        "dropped": dropped,
        "edited": {"PII001": 5, "TXT007": 9},
        "labels": list(LABELS),
        "splits": {
            "train": {"rows": 500, "labels": train, "tokens": {"total": 29_411, "max": 176, "median": 54}},
            "validation": {
                "rows": 55,
                "labels": dict.fromkeys(LABELS, 6),
                "tokens": {"total": 3_118, "max": 158, "median": 55},
            },
            "test": {
                "rows": test_rows,
                "labels": dict.fromkeys(LABELS, test_rows // 10),
                "tokens": {"total": 17_204, "max": 171, "median": 53},
            },
        },
        "balance": {"before": before, "after": after, "effective_number": {"before": 9.127, "after": 9.981}},
        "token_lengths": {"tokenizer": "smollm2-135m", "exact": True, "limit": 256, "bins": bins},
        "leakage": {"train-validation": 0, "train-test": 0, "validation-test": 0},
    }


def _screening(test_rows: int) -> dict[str, Any]:
    rows = 555 + test_rows
    block = {"hate": 2, "self_harm": 0, "sexual": 0, "violence": 1}
    return {
        "backend": "local",
        "model": "word lists and a linear model of character sequences",
        "block_at": dict.fromkeys(block, 0.9),
        "rows": rows,
        "rows_blocked": 3,
        "rows_error": 0,
        "counts": {
            "prompt": {"allow": rows - 8, "flag": 5, "block": 3, "error": 0},
            "completion": {"allow": rows, "flag": 0, "block": 0, "error": 0},
        },
        "bands": {
            category: {
                "prompt": {"none": rows - 3 - n, "low": 2, "medium": 1, "high": n},
                "completion": {"none": rows, "low": 0, "medium": 0, "high": 0},
            }
            for category, n in block.items()
        },
        "note": "The local back-end knows words, not meaning: it misses hints and unusual spelling.",
    }


def _training() -> dict[str, Any]:
    draw = random.Random(3)
    loss = [[step, round(0.05 + 3.2 * math.exp(-step / 14) * draw.uniform(0.8, 1.2), 6)] for step in range(1, 125)]
    rate = [[step, 3e-4 * (step / 12 if step <= 12 else (124 - step) / 112)] for step in range(1, 125)]
    return {
        "settings": {
            "method": "top",
            "epochs": 4,
            "learning_rate": 3e-4,
            "batch_size": 16,
            "optimizer": "adamw",
            "loss": "cross_entropy",
            "weight_decay": 0.0,
            "warmup": 0.1,
            "clip": 1.0,
            "layers": 6,
            "seed": 0,
        },
        "model": {"id": "smollm2-135m", "sha256": "5af571cb" * 8, "revision": "12fd25f77366fa6b"},
        "method": "top",
        "parameters": {"total": 134_515_008, "trained": 21_237_120},
        "rows": {"used": 497, "cut": 0, "dropped": 0, "fully_masked": 0},
        "tokens": {"trained": 2_610, "masked": 26_623},
        "steps": 124,
        "curves": {
            "loss": loss,
            "learning_rate": rate,
            "validation": [[31, 0.4127], [62, 0.1904], [93, 0.1688], [124, 0.1712]],
        },
        "best": {
            "epoch": 3,
            "validation_loss": 0.1688,
            "why": "lowest validation loss; the next epoch was no better",
        },
        "device": "cpu",
        "dtype": "float32",
        "adapter_sha256": "5e1c0d7a" * 8,
    }


def ledger() -> list[dict[str, Any]]:
    """Return the first lines of a ledger."""
    rows = []
    for rule, action in (
        ("DUP001", "dropped"),
        ("DUP002", "dropped"),
        ("balance", "dropped"),
        ("PII001", "edited"),
    ):
        for index in range(7):
            rows.append(
                {
                    "row_id": f"{index:016x}",
                    "path": "train.jsonl",
                    "line": 31 * index + len(rule),
                    "action": action,
                    "rule": rule,
                    "reason": "a label with too many rows" if rule == "balance" else f"reason of {rule}",
                    "partner": "train.jsonl:4" if rule.startswith("DUP") else None,
                    "similarity": None,
                    "before": None,
                    "after": None,
                }
            )
    return rows


def timing() -> dict[str, Any]:
    """Return clock times."""
    ends = {"check": 0.81, "prepare": 2.36, "screen": 1.9, "train": 131.4, "evaluate": 74.2}
    return {
        "schema": "tunegate.timing/1",
        "stages": {
            name: {"seconds": seconds, "finished": f"2026-11-22T09:{10 + index:02d}:00Z"}
            for index, (name, seconds) in enumerate(ends.items())
        },
    }


def failing() -> dict[str, Any]:
    """Return a result that fails one rule, leaves one open, and has a waiver."""
    made = copy.deepcopy(result())
    accuracy, f1, perplexity, harm = made["checks"]
    accuracy |= {
        "verdict": "fail",
        "limit": 0.97,
        "message": "accuracy may be as low as 91.2 %; at least 97.0 % is asked",
    }
    harm |= {
        "verdict": "inconclusive",
        "limit": 0.005,
        "message": "the harm rate may be up to 0.99 %; allowed 0.5 %: collect about 300 more samples",
    }
    perplexity |= {"verdict": "waived", "limit": 1.05, "waiver": "W-1", "message": "waived until January"}
    f1 |= {"verdict": "pass"}
    made["waivers"] = [
        {
            "id": "W-1",
            "rule_id": "perplexity.max",
            "owner": "A. Weber",
            "reason": "the tokenizer changed, bits per byte did not",
            "expires": "2027-01-31",
            "state": "active",
            "used": True,
        }
    ]
    made["verdict"] = {
        "status": "fail",
        "waived": 1,
        "exit_code": 1,
        "reasons": [accuracy["message"], harm["message"]],
    }
    return made
