"""The first screen: the verdict, why, on what, rule by rule, and what was not measured."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from tunegate.core.visible import visible
from tunegate.reports.figures import ABSENT, Figure, Node, say
from tunegate.reports.names import (
    METRICS,
    NOT_JUDGED,
    Status,
    metric_name,
    status_of,
    value_kind,
)
from tunegate.reports.view_rules import Rule, rule_view, sentence
from tunegate.reports.view_samples import Samples

ROLES = {"eval": "Measured on", "train": "Trained on", "validation": "Chosen on"}


@dataclass(frozen=True, slots=True)
class Fact:
    """One line about what is released."""

    term: str
    value: Markup


@dataclass(frozen=True, slots=True)
class Counter:
    """A count that matters for a release, with the kind of samples that it leads to."""

    title: str
    value: Figure
    note: Markup
    state: str


@dataclass(frozen=True, slots=True)
class Waiver:
    """A rule that someone has allowed to fail, with the reason."""

    rule: Figure
    reason: Figure
    owner: Figure
    expires: Figure
    state: Figure


@dataclass(frozen=True, slots=True)
class Verdict:
    """All of the first screen."""

    status: Status
    name: Figure
    why: Markup
    gist: Markup | None
    reasons: tuple[Markup, ...]
    facts: tuple[Fact, ...]
    level: Figure
    rules: tuple[Rule, ...]
    counters: tuple[Counter, ...]
    waivers: tuple[Waiver, ...]
    gaps: tuple[Markup, ...]


def verdict_view(result: Node, samples: Samples, timing: Node) -> Verdict:
    """Make the first screen of a result."""
    status = _overall(result["verdict"])
    why, reasons = _why(result, status)
    said = {reason.value for reason in result.at("verdict", "reasons")}
    return Verdict(
        status=status,
        name=result.at("subject", "name").show("text"),
        why=why,
        gist=_gist(result),
        reasons=reasons,
        facts=_facts(result, timing),
        level=_level(result),
        rules=tuple(rule_view(check, result, said) for check in result["checks"]),
        counters=_counters(result, samples),
        waivers=tuple(_waiver(waiver) for waiver in result["waivers"]),
        gaps=tuple(_gaps(result, samples)),
    )


def _overall(verdict: Node) -> Status:
    status = status_of(verdict["status"]) if verdict else NOT_JUDGED
    if status.name == "pass" and (verdict["waived"].number() or 0) > 0:
        return Status("waived", "Pass with waivers")
    return status


def _why(result: Node, status: Status) -> tuple[Markup, tuple[Markup, ...]]:
    """Return one sentence, and the further reasons; where all is well, the rules below say the rest."""
    reasons = [sentence(reason.show("text")) for reason in result.at("verdict", "reasons")]
    if reasons:
        return reasons[0], () if status.name in ("pass", "waived") else tuple(reasons[1:])
    if status is NOT_JUDGED:
        return say("The gate was not run on this result, so nothing here is a release decision."), ()
    checks = result["checks"]
    return say("{} of {} rules of the policy hold.", checks.tally("verdict", "pass"), checks.size()), ()


def _gist(result: Node) -> Markup | None:
    """Say in one sentence what tuning did to the first metric."""
    metric = result["metrics"][0]
    base, tuned = metric.at("baseline", "value"), metric["value"]
    if base.number() is None or tuned.number() is None:
        return None
    kind = value_kind(metric)
    gist = say(
        "{} went from {} to {} on {} rows that the model had not seen",
        metric_name(metric),
        base.show(kind),
        tuned.show(kind),
        metric["n"].show("count"),
    )
    reference = result["references"].find(id="tfidf").at("metrics", metric["id"].string(), "value")
    if reference.number() is None:
        return say("{}.", gist)
    return say("{}; the TF-IDF reference reaches {}.", gist, reference.show(kind))


def _facts(result: Node, timing: Node) -> tuple[Fact, ...]:
    subject, policy, tool = result["subject"], result["policy"], result["tool"]
    facts = [
        Fact("Model", say("{}", subject["name"].show("text"))),
        Fact("Base model", _with_revision(subject)),
        Fact("Weights", say("{}", subject["adapter_sha256"].show("digest"))),
    ]
    screened = " after screening" if result["screening"] else ""
    for file in result["data"]:
        facts.append(
            Fact(
                ROLES.get(file["role"].string(), visible(file["role"].string()).capitalize() or "Data"),
                say("{} rows{} {}", file["rows"].show("count"), screened, file["sha256"].show("digest")),
            )
        )
    committed = policy["committed_before_run"].value
    note = " in git before the run" if committed is True else ", not in git before the run" if policy else ""
    facts.append(Fact("Policy", say("{}{}", policy["sha256"].show("digest"), note)))
    if tool:
        facts.append(Fact("Made with", say("{} {}", tool["name"].show("text"), tool["version"].show("text"))))
    if timing:
        facts.append(Fact("Took", _duration(timing)))
    return tuple(facts)


def _with_revision(subject: Node) -> Markup:
    if subject["revision"]:
        return say("{}, {}", subject["base_model"].show("text"), subject["revision"].show("digest"))
    return say("{}", subject["base_model"].show("text"))


def _duration(timing: Node) -> Markup:
    """Say how long the stages took; each clock begins at the stage's last start, not before an interruption."""
    total = say("{} since the last start", timing["stages"].total("seconds", kind="seconds"))
    ends = [(stage["finished"].string(), stage["finished"]) for _, stage in timing["stages"].items()]
    last = max(ends, key=lambda end: end[0], default=("", None))[1]
    if last is not None and last.string():
        return say("{}, ended {}", total, last.show("text"))
    return total


def _level(result: Node) -> Figure:
    """Return the level of the intervals, where all rules have the same."""
    levels = [check.at("interval", "level") for check in result["checks"] if check["interval"]]
    levels = levels or [metric.at("ci", "level") for metric in result["metrics"] if metric["ci"]]
    same = len({level.value for level in levels}) == 1
    return Figure(levels[0].value if same else ABSENT, levels[0].key if levels else "", "share")


def _counters(result: Node, samples: Samples) -> tuple[Counter, ...]:
    invalid = result["invalid_answers"]
    return (
        Counter(
            "Newly failing",
            samples.count("newly-failing"),
            say("right in the base, wrong now"),
            "newly-failing",
        ),
        Counter(
            "Newly passing",
            samples.count("newly-passing"),
            say("wrong in the base, right now"),
            "newly-passing",
        ),
        Counter(
            "Answers that are no label",
            invalid["tuned"].show("count"),
            say("in the base {}", invalid["base"].show("count")),
            "",
        ),
    )


def _waiver(waiver: Node) -> Waiver:
    names = ("rule_id", "reason", "owner", "expires", "state")
    return Waiver(*(waiver[name].show("text") for name in names))


# Sections of the result and what their absence means, in the order of the work.
SECTIONS = {
    "check": "The source files were not checked.",
    "preparation": "What preparation kept and dropped is not recorded.",
    "screening": "The data were not screened for harm.",
    "training": "How the model was trained is not recorded.",
    "metrics": "Nothing was measured on held-out rows.",
    "policy": "No release policy is recorded.",
}


def _gaps(result: Node, samples: Samples) -> list[Markup]:
    """Say all that a reader could take for granted and that was not done."""
    gaps = [say("{}", absence) for section, absence in SECTIONS.items() if not result[section]]
    metrics = {metric["id"].value: metric for metric in result["metrics"]}
    missing = [
        name for id_, name in METRICS.items() if id_ not in metrics or metrics[id_]["value"].number() is None
    ]
    told = {entry["id"].value for entry in result["not_measured"]}
    for entry in result["not_measured"]:
        gaps.append(say("{}: {}.", metric_name(entry), entry["reason"].show("text")))
    untold = [name for id_, name in METRICS.items() if name in missing and id_ not in told]
    if metrics and untold:
        gaps.append(say("Not measured: {}.", ", ".join(untold)))
    for reason, rows in result["unscored_rows"].items():
        gaps.append(say("{} rows could not be measured: {}.", rows.show("count"), visible(reason)))
    for metric in result["metrics"]:
        if (metric["n_unscored"].number() or 0) > 0:
            gaps.append(
                say("{}: {} rows could not be scored.", metric_name(metric), metric["n_unscored"].show("count"))
            )
    if metrics and not samples.total:
        gaps.append(say("The answers to single rows are not kept."))
    if metrics and not result["baseline"]:
        gaps.append(say("No earlier release was compared; differences are to the base model."))
    if result["repeats"].value == 1:
        gaps.append(say("Trained with one seed: how much the result varies from run to run is not known."))
    return gaps
