"""docs/claims.md and the README's table of claims, from stored results."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

from ift_course.authoring.markdown import GENERATED, format_number, lesson_link, table_row
from ift_course.lessons import timings
from ift_course.lessons.objectives import OBJECTIVES

if TYPE_CHECKING:
    from ift_course.claims.claim import Claim


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
    claims: Sequence[Claim], runs: Sequence[SeedRun] = (), smollm2: Sequence[Claim] = ()
) -> str:
    """docs/claims.md, which lists every claim under the objectives that it shows.

    Args:
        claims: The published claims.
        runs: Whole runs with other seeds.
        smollm2: The claims measured on SmolLM2; without any, the page has no section on it.
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
    environment.filters["minutes"] = timings.minutes
    page = environment.get_template("claims.md.j2").render(
        generated=GENERATED.format(source="results/tiny/claims.json"),
        runs=[_run_summary(run, claims) for run in runs],
        sections=sections,
        smollm2=_smollm2_summary(smollm2, claims) if smollm2 else None,
    )
    return page.rstrip() + "\n"


def claims_table(claims: Sequence[Claim]) -> str:
    """The README's tables: claims that differ from the literature, and the others folded."""
    agree = [claim for claim in claims if claim.holds and not claim.differs]
    others = [claim for claim in claims if claim not in agree]
    parts = []
    if others:
        parts.append(
            f"{len(agree)} claims came out as the field has them, {len(others)} did not:\n\n"
            f"{_short_rows(others)}"
        )
    if agree:
        summary = f"<summary>The {len(agree)} that came out as the field has them</summary>"
        parts.append(f"<details>\n{summary}\n\n{_short_rows(agree)}\n\n</details>")
    return "\n\n".join(parts) + "\n"


def _run_summary(run: SeedRun, claims: Sequence[Claim]) -> dict[str, Any]:
    """How many published claims a run measured, and which of them miss today's bound."""
    pairs = [(claim, other) for claim in claims for other in run.claims if claim.id == other.id]
    missed = [claim.id for claim, other in pairs if not _keeps_bound(other, claim)]
    return {"first_seed": run.first_seed, "measured": len(pairs), "missed": missed}


def _smollm2_summary(smollm2: Sequence[Claim], claims: Sequence[Claim]) -> dict[str, Any]:
    """What the page says about the runs with SmolLM2, all of it from stored results."""
    lessons_run = {claim.lesson for claim in smollm2}
    costs = timings.read_timings("smollm2", published=True)
    measured = {claim.id for claim in smollm2}
    return {
        "costs": [costs[lesson] for lesson in sorted(lessons_run & set(costs))],
        "n_seeds": min(_seed_count(claim) for claim in smollm2),
        "holding": sum(claim.holds for claim in smollm2),
        "measured": len(smollm2),
        "missing": [c.id for c in claims if c.lesson in lessons_run and c.id not in measured],
        "rows": _short_rows(smollm2, root="../"),
    }


def _listed(items: Any) -> str:
    """Items as "1, 2 and 3"."""
    *others, last = map(str, items)
    return f"{', '.join(others)} and {last}" if others else last


def _short_rows(claims: Sequence[Claim], root: str = "") -> str:
    """A table without sources and arms.

    Args:
        claims: One for each row.
        root: Relative path to the repository's folder, such as "../". Without it, as in the
            README, a claim that differs from the literature links to the row that says why.
    """
    rows = [
        "| claim | measured (95 % interval) | seeds | verdict | lesson | s |",
        "| --- " * 6 + "|",
    ]
    rows += [
        table_row(
            claim.literature or claim.statement,
            f"{format_number(claim.effect)} ({_range(claim)}), {claim.metric}",
            _seed_count(claim),
            verdict_mark(claim)
            + (f" [why](docs/claims.md#{claim.id})" if claim.differs and not root else ""),
            lesson_link(claim.lesson, f"{root}notebooks"),
            claim.seconds,
        )
        for claim in claims
    ]
    return "\n".join(rows)


def _rows(claims: Sequence[Claim], runs: Sequence[SeedRun]) -> str:
    """The full table of these claims; empty without claims."""
    if not claims:
        return ""
    rows = ["| the field says | measured here | verdict | lesson | s |", "| --- " * 5 + "|"]
    for claim in claims:
        verdict = f"{verdict_mark(claim)} {'holds' if claim.holds else 'does not hold'}"
        if claim.differs:
            verdict += f", but not as in the literature: {claim.differs}"
        rows.append(
            table_row(
                f'<a id="{claim.id}"></a>{claim.literature or claim.statement} '
                f"({_linked(claim.source)})",
                f"{claim.statement if claim.literature else ''} {claim.metric}: "
                f"**{format_number(claim.effect)}** ({_range(claim)}; "
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
