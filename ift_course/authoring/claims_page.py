"""docs/claims.md and the README's lines on what was measured, from stored results."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

from ift_course.authoring.markdown import GENERATED, format_number, lesson_link, table_row
from ift_course.lessons.objectives import OBJECTIVES
from ift_course.panels.summary import prediction, prediction_verdict, sentence

if TYPE_CHECKING:
    from ift_course.claims.claim import Claim
    from ift_course.panels.panel import Panel


@dataclass(frozen=True)
class SeedRun:
    """A whole run with other seeds.

    Attributes:
        first_seed: The number given to `ift run --seed`.
        claims: What it measured.
    """

    first_seed: int
    claims: Sequence[Claim]


def claims_page(
    claims: Sequence[Claim],
    runs: Sequence[SeedRun] = (),
    panels: Sequence[Panel] = (),
    withdrawn: Mapping[str, Mapping[str, Any]] | None = None,
) -> str:
    """docs/claims.md, which lists every claim under the objectives that it shows.

    Args:
        claims: The published claims.
        runs: Whole runs with other seeds.
        panels: What lessons measured on the real model.
        withdrawn: Predictions that no lesson makes any more, by name, as in predictions.yaml.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    sections = []
    for number, objective in OBJECTIVES.items():
        matching = [claim for claim in claims if number in claim.subject]
        waiting = f"Not measured yet: lesson {objective.lesson}."
        sections.append((f"{number}. {objective.text}", _rows(matching, runs) or waiting))
    words = "Not measured: each lesson ends with a quiz; there is a [glossary](glossary.md)."
    sections.append((f"{max(OBJECTIVES) + 1}. Words and questions", words))
    if others := [claim for claim in claims if not claim.subject]:
        sections.append(("Further claims", _rows(others, runs)))
    environment = Environment(
        loader=PackageLoader("ift_course", "authoring"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["fill"] = lambda text: textwrap.fill(
        " ".join(text.split()), 100, break_long_words=False, break_on_hyphens=False
    )
    environment.filters["listed"] = _listed
    environment.filters["code"] = lambda text: f"`{text}`"
    page = environment.get_template("claims.md.j2").render(
        generated=GENERATED.format(source="results/tiny/claims.json"),
        runs=[_run_summary(run, claims) for run in runs],
        sections=sections,
        panels=[(panel, lines) for panel in panels if (lines := panel_lines(panel))],
        withdrawn=[_withdrawn_line(name, x) for name, x in sorted((withdrawn or {}).items())],
    )
    return page.rstrip() + "\n"


def finding(claims: Sequence[Claim], panels: Sequence[Panel], headline: str) -> str:
    """The README's lines on what was measured: one claim, and how all of them came out.

    Args:
        claims: The published claims.
        panels: What lessons measured on the real model.
        headline: The id of the claim that is shown.
    """
    lines = []
    for claim in claims:
        if claim.id == headline:
            lines.append(
                f"> {verdict_mark(claim)} {claim.statement} **{format_number(claim.effect)}** "
                f"(95 % interval {_range(claim)}; {claim.metric}), in the closed world.\n"
            )
    marks = Counter(verdict_mark(claim) for claim in claims)
    lines.append(
        f"Of {len(claims)} claims measured in the closed world, {marks['✓']} hold, {marks['≠']} "
        "hold but differ from the literature or from what we expected, and "
        f"{marks['✗']} do not hold."
    )
    for model in dict.fromkeys(panel.model for panel in panels):
        verdicts = Counter(
            verdict
            for panel in panels
            for contrast in panel.contrasts
            if panel.model == model and (verdict := prediction_verdict(panel, contrast))
        )
        if n_predictions := sum(verdicts.values()):
            lines.append(
                f"On {model}, {verdicts['it is']} of {n_predictions} predictions came out, "
                f"{verdicts['it is not']} failed, and the others stay undecided."
            )
    return "\n".join(lines) + "\n"


def panel_lines(panel: Panel) -> list[str]:
    """A sentence for each difference that a panel reports, with what was predicted of it."""
    sentences = ((sentence(panel, x), prediction(panel, x)) for x in panel.contrasts)
    return [f"{text} {predicted}".strip() for text, predicted in sentences if text]


def _withdrawn_line(name: str, entry: Mapping[str, Any]) -> str:
    bounds = [
        f"{words} {format_number(entry[key])}"
        for key, words in (("at_least", "at least"), ("at_most", "at most"))
        if key in entry
    ]
    return (
        f"`{name}`: {' and '.join(bounds)}; written on {entry['written']}, "
        f"withdrawn on {entry['withdrawn']}"
    )


def _run_summary(run: SeedRun, claims: Sequence[Claim]) -> dict[str, Any]:
    """How many published claims a run measured, and which of them miss today's bound."""
    pairs = [(claim, other) for claim in claims for other in run.claims if claim.id == other.id]
    missed = [claim.id for claim, other in pairs if not _keeps_bound(other, claim)]
    return {"first_seed": run.first_seed, "measured": len(pairs), "missed": missed}


def _listed(items: Any) -> str:
    """Items as "1, 2 and 3"."""
    *others, last = map(str, items)
    return f"{', '.join(others)} and {last}" if others else last


def _rows(claims: Sequence[Claim], runs: Sequence[SeedRun]) -> str:
    """The full table of these claims; empty without claims."""
    if not claims:
        return ""
    rows = ["| claim | measured here | verdict | lesson | s |", "| --- " * 5 + "|"]
    for claim in claims:
        field = f"The field: “{claim.literature}” " if claim.literature else ""
        verdict = f"{verdict_mark(claim)} {'holds' if claim.holds else 'does not hold'}"
        if claim.differs:
            verdict += f", but not as in the literature: {claim.differs}"
        rows.append(
            table_row(
                f'<a id="{claim.id}"></a>{claim.statement} {field}({_linked(claim.source)})',
                f"{claim.metric}: **{format_number(claim.effect)}** ({_range(claim)}; "
                f"{_seed_count(claim)} seeds; needed "
                f"{claim.bound}). {_arms(claim)}. {_other_runs(claim, runs)}",
                verdict,
                lesson_link(claim.lesson, "../notebooks"),
                claim.seconds,
            )
        )
    return "\n".join(rows)


def _arms(claim: Claim) -> str:
    means = {name: sum(values) / len(values) for name, values in claim.arms.items()}
    return "; ".join(f"{name} {format_number(mean)}" for name, mean in means.items())


def _other_runs(claim: Claim, runs: Sequence[SeedRun]) -> str:
    """The claim's results with other seeds, judged by today's bound, and pooled over all seeds."""
    others = [other for run in runs for other in run.claims if other.id == claim.id]
    results = [
        f"{'✓' if _keeps_bound(other, claim) else '✗'} {format_number(other.effect)} "
        f"({_range(other)})"
        for other in others
    ]
    if not results:
        return ""
    return f"With other seeds: {', '.join(results)}.{_pooled([claim, *others])}"


def _keeps_bound(measured: Claim, published: Claim) -> bool:
    """Whether the interval of one measurement keeps the bound of the published claim."""
    low, high = measured.interval
    return (published.at_least is None or low >= published.at_least) and (
        published.at_most is None or high <= published.at_most
    )


def _pooled(measurements: Sequence[Claim]) -> str:
    """The mean over the seeds of all measurements of a claim, with Student's interval.

    Empty if some of them share seeds. Stored seeds are the lowest ones, so such measurements begin
    with the same numbers.
    """
    from ift_course.claims.claim import FEWEST_SEEDS
    from ift_course.evaluation.intervals import seeds_interval

    effects = [_seed_effects(claim) for claim in measurements]
    if len({tuple(seeds[:FEWEST_SEEDS]) for seeds in effects}) < len(measurements):
        return ""
    pooled = [value for seeds in effects for value in seeds]
    interval = " to ".join(map(format_number, seeds_interval(pooled)))
    return f" All {len(pooled)} seeds: {format_number(fmean(pooled))} ({interval})."


def _seed_effects(claim: Claim) -> list[float]:
    """The effect of each seed."""
    first, *second = (claim.arms[name] for name in claim.of)
    return [a - b for a, b in zip(first, *second, strict=True)] if second else list(first)


def measured(claim: Claim) -> str:
    """The effect and its 95 % interval, as "0.5 (0.4 to 0.6)"."""
    return f"{format_number(claim.effect)} ({_range(claim)})"


def _range(claim: Claim) -> str:
    return " to ".join(map(format_number, claim.interval))


def _seed_count(claim: Claim) -> int:
    return len(claim.arms[claim.of[0]])


def verdict_mark(claim: Claim) -> str:
    if not claim.holds:
        return "✗"
    return "≠" if claim.differs else "✓"


def _linked(source: str) -> str:
    return re.sub(r"arXiv:(\d{4}\.\d{4,5})", r"[arXiv:\1](https://arxiv.org/abs/\1)", source)
