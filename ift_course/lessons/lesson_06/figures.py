"""Lesson 06's figures and tables: results of the grid in, plain data for the charts out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from ift_course.claims.results import origin
from ift_course.evaluation.intervals import paired_difference, two_level_interval
from ift_course.lessons.lesson_06 import experiment
from ift_course.lessons.lesson_06.bases import PROSE, SHIPPED
from ift_course.lessons.lesson_06.experiment import ALL, MultitaskConfig, MultitaskResult
from ift_course.lessons.lesson_06.rouge import rouge_1
from ift_course.plots.figure import COLORS, INK, MARKERS, Picture, axes, footnote, new_figure
from ift_course.plots.transcript import Reply
from ift_course.world.tasks import FAMILIES, HELD_OUT_FAMILIES, TASKS

Arm = list[list[float]]  # item scores, one list for each seed

ALL_TOGETHER = f"all {ALL} families"
ALL_OTHERS = f"the {len(FAMILIES) - 1} others"


def paired(results: Sequence[MultitaskResult], *configs: MultitaskConfig) -> list[Arm]:
    """An arm for each configuration, with the seeds that all of them have."""
    seeds = set.intersection(
        *({result.seed for result in results if result.config == config} for config in configs)
    )
    return [
        [result.scores() for result in _by_seed(results, config) if result.seed in seeds]
        for config in configs
    ]


def together_and_alone(results: Sequence[MultitaskResult]) -> tuple[Arm, Arm]:
    """(all families together, one family alone): a pair for each family that was tuned on alone.

    The two models of a pair have the same seed, and so the same questions.
    """
    together = {result.seed: result for result in _by_seed(results, experiment.TOGETHER)}
    alone = [result for result in _alone(results) if result.seed in together]
    return [together[result.seed].scores() for result in alone], [x.scores() for x in alone]


def by_held_out(results: Sequence[MultitaskResult]) -> dict[tuple[str, str], float]:
    """(what was tuned on, held-out family) → share of right answers.

    A row for each family that was tuned on alone, the one that teaches least first, one for all
    families together, and one for the models that were tuned on everything but the column.
    """
    groups: dict[str, list[MultitaskResult]] = defaultdict(list)
    for result in sorted(_alone(results), key=lambda result: result.accuracy()):
        groups[f"{result.families[0]} alone"].append(result)
    groups[ALL_TOGETHER] = _by_seed(results, experiment.TOGETHER)
    shares = {
        (row, family): fmean(family_shares(result)[family] for result in group)
        for row, group in groups.items()
        if group
        for family in HELD_OUT_FAMILIES
    }
    for config in experiment.LEAVE_ONE_OUT:
        if group := _by_seed(results, config):
            shares[ALL_OTHERS, config.tested] = fmean(result.accuracy() for result in group)
    return shares


def leave_one_out(results: Sequence[MultitaskResult]) -> Arm:
    """The item scores of all held-out families, each asked of the model that did without it.

    One list for each seed that all of these models have, family by family.
    """
    arms = paired(results, *experiment.LEAVE_ONE_OUT)
    return [[score for scores in seed for score in scores] for seed in zip(*arms, strict=True)]


def rouge_arms(results: Sequence[MultitaskResult]) -> tuple[Arm, Arm]:
    """The ROUGE-1 of each summary: (tuned without the neighbor, tuned with it)."""
    configs = (experiment.WITHOUT_NEIGHBOR, experiment.WITH_NEIGHBOR)
    by_config = [{x.seed: x for x in _by_seed(results, config)} for config in configs]
    seeds = sorted(by_config[0].keys() & by_config[1].keys())
    without, neighbor = ([_rouge(runs[seed]) for seed in seeds] for runs in by_config)
    return without, neighbor


def _rouge(result: MultitaskResult) -> list[float]:
    questions = {experiment.prompt(x): x for x in experiment.questions(result.config, result.seed)}
    return [
        rouge_1(text, questions[question].answer.accept)
        for question, text in result.answers.items()
    ]


def mean_and_interval(arm: Arm) -> str:
    """The mean of an arm with its 95 % interval, such as "0.48 (0.41 to 0.55)"."""
    low, high = two_level_interval(arm)
    return f"{fmean(map(fmean, arm)):.2f} ({low:.2f} to {high:.2f})"


def difference(first: Arm, second: Arm) -> str:
    """How much better the first arm is, with its 95 % interval."""
    effect, (low, high) = paired_difference(first, second)
    return f"{effect:.2f} ({low:.2f} to {high:.2f})"


def arm(results: Sequence[MultitaskResult]) -> Arm:
    """The item scores of results: an arm of a claim."""
    return [result.scores() for result in results]


def n_tasks(families: Iterable[str]) -> int:
    """How many tasks these families have."""
    chosen = set(families)
    return sum(task.family in chosen for task in TASKS)


def by_tasks(results: Sequence[MultitaskResult]) -> dict[int, list[tuple[int, float, str]]]:
    """Number of families → for each model (number of tasks, share of right answers, its label).

    Only a family that was tuned on alone has a label.
    """
    points: dict[int, list[tuple[int, float, str]]] = {}
    for config in (*experiment.ALONE, experiment.FOUR, experiment.TOGETHER):
        for result in _by_seed(results, config):
            label = result.families[0] if config.families == 1 else ""
            point = (n_tasks(result.families), result.accuracy(), label)
            points.setdefault(config.families, []).append(point)
    return points


def tasks_view(results: Sequence[MultitaskResult]) -> Picture:
    """Each model as a point: the tasks that it was tuned on, and its share of right answers."""
    points = by_tasks(results)
    title = _tasks_title(points)
    words = "; ".join(
        f"{_families(n)}: " + ", ".join(f"{share:.2f} with {tasks} tasks {label}".strip()
                                      for tasks, share, label in models)
        for n, models in sorted(points.items())
    )  # fmt: skip
    fig = new_figure(4.6, title=title, alt=f"Scatter plot, {title}; {words}.")
    xlabel = f"tasks tuned on, {experiment.EXAMPLES} examples in all"
    ax = axes(fig, xlabel=xlabel, ylabel="share right, unseen families")
    for i, (n, models) in enumerate(sorted(points.items())):
        ax.scatter([x for x, _, _ in models], [y for _, y, _ in models], s=52, color=COLORS[i],
                   marker=MARKERS[i], edgecolor="white", label=_families(n), zorder=3)  # fmt: skip
    for tasks, share, label, lift in _spread(points.get(1, [])):
        ax.annotate(label, (tasks, share), xytext=(7, lift), textcoords="offset points",
                    va="center", fontsize=9, color=INK)  # fmt: skip
    ax.set_xscale("log")
    ticks = sorted({tasks for models in points.values() for tasks, _, _ in models})
    wide = [x for x, below in zip(ticks, [0, *ticks], strict=False) if x > 1.12 * below]
    ax.set_xticks(wide, [str(x) for x in wide])
    ax.minorticks_off()
    ax.set_ylim(0, 0.7)
    ax.legend(loc="lower right", frameon=False)
    footnote(fig, origin(results))
    return fig


def _tasks_title(points: Mapping[int, Sequence[tuple[int, float, str]]]) -> str:
    """In one sentence, the mean for each number of families, and the range of single ones."""
    parts = []
    for n, models in sorted(points.items()):
        shares = [share for _, share, _ in models]
        span = f" ({min(shares):.2f} to {max(shares):.2f})" if n == 1 else ""
        parts.append(f"{fmean(shares):.2f} after {_families(n)}{span}")
    return f"Right on average: {', '.join(parts)}"


def _families(n: int) -> str:
    return "1 family" if n == 1 else f"{n} families"


def _spread(points: Sequence[tuple[int, float, str]]) -> list[tuple[int, float, str, float]]:
    """Each labeled point with the points by which its label is lifted off its neighbor's."""
    placed: list[tuple[int, float, str, float]] = []
    for tasks, share, label in sorted(points):
        below = [x for x in placed if x[0] == tasks and share - x[1] < 0.05]
        placed.append((tasks, share, label, 8.0 if below else 0.0))
    return placed


def families_view(results: Sequence[MultitaskResult]) -> Picture:
    """A table in colors: what was tuned on, by the held-out family that was asked about."""
    from ift_course.plots.grid_figures import heat

    shares = by_held_out(results)
    return heat(
        shares,
        title=families_finding(shares),
        xlabel="share right on the held-out family",
        ylabel="tuned on",
        note=origin(results),
    )


def families_finding(shares: Mapping[tuple[str, str], float]) -> str:
    """In one sentence, where all families together are ahead of single ones, and where not."""
    row = {column: share for (name, column), share in shares.items() if name == ALL_TOGETHER}
    alone = {
        column: [share for (name, x), share in shares.items() if x == column and "alone" in name]
        for column in row
    }
    if not row or not all(alone.values()):
        return "Share right by what was tuned on"
    gains = {column: share - max(alone[column]) for column, share in row.items()}
    losses = {column: share - fmean(alone[column]) for column, share in row.items()}
    best, worst = max(gains, key=gains.__getitem__), min(losses, key=losses.__getitem__)
    title = (
        f"All {ALL} families against single ones: {row[best]:.2f} against at best "
        f"{max(alone[best]):.2f} on {best}"
    )
    if losses[worst] < 0:
        title += f", {row[worst]:.2f} against {fmean(alone[worst]):.2f} on average on {worst}"
    return title


def family_shares(result: MultitaskResult) -> dict[str, float]:
    """Held-out family → share of right answers, of a model that was asked about all of them."""
    scores = result.scores()
    each = len(scores) // len(HELD_OUT_FAMILIES)
    return {family: fmean(scores[i * each :][:each]) for i, family in enumerate(HELD_OUT_FAMILIES)}


def replies(result: MultitaskResult) -> dict[str, Reply]:
    """Question → the reply with its verdict, for the questions whose answers are stored."""
    scores = result.scores()
    verdicts = scores[:: len(scores) // len(result.answers)]
    return {
        question: Reply(text, correct=bool(verdict))
        for (question, text), verdict in zip(result.answers.items(), verdicts, strict=True)
    }


def in_prose(results: Sequence[MultitaskResult], base: str) -> tuple[Arm, Arm]:
    """(the untuned base completing sentences, the base tuned on all families answering).

    Both on the questions that have such a sentence, one list for each seed that both have.
    """
    untuned = MultitaskConfig(0, base=base)
    before = {result.seed: result for result in _by_seed(results, untuned)}
    tuned = MultitaskConfig(ALL, base=base)
    after = {result.seed: result for result in _by_seed(results, tuned)}
    completed, answered = [], []
    for seed in sorted(before.keys() & after.keys()):
        sentences = before[seed].items["in prose"]
        pairs = zip(sentences, after[seed].items["held out"], strict=True)
        completed.append(before[seed].scores("in prose"))
        answered.append([float(right) for sentence, right in pairs if sentence != "-"])
    return completed, answered


def bases_view(results: Sequence[MultitaskResult]) -> Picture:
    """Bars: what each base completes before tuning, and what it answers after."""
    from ift_course.plots.charts import bars_with_intervals

    arms: dict[str, Arm] = {}
    findings = []
    for base, name in ((SHIPPED, "shipped base"), (PROSE, "prose base")):
        completed, answered = in_prose(results, base)
        if completed:
            arms[f"{name}: completes, before tuning"] = completed
            arms[f"{name}: answers, after tuning"] = answered
            before, after = (fmean(map(fmean, x)) for x in (completed, answered))
            findings.append(f"the {name} completes {before:.2f} and then answers {after:.2f}")
    title = ", ".join(findings)
    return bars_with_intervals(arms, title=title[:1].upper() + title[1:])


def _by_seed(results: Sequence[MultitaskResult], config: MultitaskConfig) -> list[MultitaskResult]:
    return sorted((x for x in results if x.config == config), key=lambda result: result.seed)


def _alone(results: Sequence[MultitaskResult]) -> list[MultitaskResult]:
    return [result for config in experiment.ALONE for result in _by_seed(results, config)]
