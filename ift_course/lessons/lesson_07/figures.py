"""Lesson 07's figures, tables, and the sentences under them, all made from the measured values."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from ift_course.errors import CourseError
from ift_course.evaluation.generate import Completion
from ift_course.evaluation.intervals import Interval, paired_difference
from ift_course.evaluation.judge import Verdict, cohens_kappa, consistency, place_bias
from ift_course.evaluation.paired import share_interval
from ift_course.evaluation.score import judge as verdicts_of
from ift_course.lessons.lesson_07.experiment import StudentResult
from ift_course.lessons.lesson_07.pipeline import AnsweredQuestion, Pool, text_of
from ift_course.plots.charts import bars_with_intervals, lines_with_intervals
from ift_course.plots.figure import Picture
from ift_course.world.tasks import Example

Arms = Mapping[str, Sequence[Sequence[float]]]


def share_of_right(pool: Pool) -> float:
    """The share of right answers in the whole pool."""
    return fmean(is_right for item in pool for is_right in item.right)


def fault_sentence(pool: Pool) -> str:
    """How many wrong answers begin with the right one, so that stopping would have saved them."""
    wrong = [
        (item.question, answer.text)
        for item in pool
        for answer, is_right in zip(item.answers, item.right, strict=True)
        if not is_right
    ]
    n_begin = sum(text.startswith(question.response) for question, text in wrong)
    return (
        f"{n_begin} of the pool's {len(wrong):,} wrong answers begin with the right one and go on "
        f"({n_begin / max(1, len(wrong)):.0%})"
    )


def verify_rows(examples: Sequence[Example], rows: Sequence[Mapping[str, Any]]) -> list[bool]:
    """The verifier's verdict on rows with "prompt" and "completion", whose answers have ended."""
    by_text = {text_of(question): question for question in examples}
    questions = [by_text[row["prompt"][0]["content"]] for row in rows]
    answers = [Completion(row["completion"][0]["content"], True) for row in rows]
    return list(verdicts_of(questions, answers).correct)


def most_mixed(pool: Pool) -> AnsweredQuestion:
    """The first of the questions whose answers are nearest to half right.

    Raises:
        CourseError: no question has both right and wrong answers.
    """
    mixed = [item for item in pool if 0 < sum(item.right) < len(item.answers)]
    if not mixed:
        raise CourseError(
            "The teacher's answers to each question are all right or all wrong, so no judge can "
            "choose between them; change the temperature in `ift_course.lessons.lesson_07.sizes`."
        )
    return min(mixed, key=lambda item: abs(sum(item.right) - len(item.answers) / 2))


def ranked_well(pool: Pool) -> float:
    """How often a right answer has a higher reward than a wrong one to the same question.

    Equal rewards count one half; NaN if there is no such pair.
    """
    points = []
    for item in pool:
        rewards = list(zip(item.rewards, item.right, strict=True))
        good, bad = ([r for r, is_right in rewards if is_right == x] for x in (True, False))
        points += [(1 + (a > b) - (a < b)) / 2 for a in good for b in bad]
    return fmean(points) if points else float("nan")


def one_order(verdicts: Sequence[Verdict]) -> list[str]:
    """What a judge says who is asked once, in an order drawn by chance."""
    rng = random.Random("one order")  # not the numbers that decided which answer stands first
    labels = []
    for verdict in verdicts:
        swap = rng.random() < 0.5
        letter = verdict.swapped if swap else verdict.forward
        names = {"A": "second", "B": "first"} if swap else {"A": "first", "B": "second"}
        labels.append(names.get(letter, "tie"))
    return labels


def judge_sentence(verdicts: Sequence[Verdict], truth: Sequence[str]) -> str:
    """How often the judge names the first place, repeats itself, and is right with its winners."""
    named = [v.winner for v in verdicts]
    decided = [(a, b) for a, b in zip(named, truth, strict=True) if a != "tie"]
    place, same = place_bias(verdicts), consistency(verdicts)
    right = sum(a == b for a, b in decided)
    winners = f"{len(decided)} answers win in both orders, {right} of them right."
    return (
        f"It names the answer shown first in {place:.0%} of its judgments, and says the same in "
        f"both orders for {same:.0%} of {len(verdicts)} pairs. "
        + (winners if decided else "No answer wins in both orders.")
    )


def kappa_sentence(verdicts: Sequence[Verdict], truth: Sequence[str]) -> str:
    """Whether the leaning agrees with the verifier more than chance does."""
    labels = [v.leaning for v in verdicts]
    n_agreed = sum(a == b for a, b in zip(labels, truth, strict=True))
    low, high = share_interval(n_agreed, len(labels))
    kappa = cohens_kappa(labels, truth)
    finding = "better than a coin" if low > 0.5 else "no better than a coin, as far as we can tell"
    if high < 0.5:
        finding = "worse than a coin"
    return (
        f"The leaning is right for {n_agreed} of {len(labels)} pairs ({low:.0%} to {high:.0%}), "
        f"κ = {kappa:.2f}: {finding}."
    )


def students(arms: Arms) -> Picture:
    """A bar for each way of choosing; the title says what the best and the worst one reach."""
    means = {name: fmean(map(fmean, seeds)) for name, seeds in arms.items()}
    best, worst = max(means, key=means.__getitem__), min(means, key=means.__getitem__)
    return bars_with_intervals(
        arms,
        title=f"At equal compute, “{best}” reaches {means[best]:.2f} and “{worst}” "
        f"{means[worst]:.2f}",
        xlabel="share of the exam right, and nothing else",
    )


def comparison_sentence(first: str, second: str, arms: Arms) -> str:
    """Whether one way of choosing is better than another, with the interval of the difference."""
    effect, interval = paired_difference(arms[first], arms[second])
    return f"{first} − {second}: {effect:+.3f} {_span(interval)}, {_verdict(interval)}"


def prediction_sentence(first: str, second: str, arms: Arms) -> str:
    """What became of the prediction that one way of choosing is better than another."""
    effect, interval = paired_difference(arms[first], arms[second])
    fate = {
        "better": "as predicted",
        "worse": "the reverse of what was predicted",
        "not decided": "this does not decide it",
    }[_verdict(interval)]
    return (
        f"predicted: “{first}” is better than “{second}”; "
        f"measured {effect:+.3f} {_span(interval)}: {fate}"
    )


def weaker_sentence(students: Sequence[StudentResult], weaker: Sequence[StudentResult]) -> str:
    """How far the students of the weaker base are behind, and how good their training set was."""
    first, second = ([x.generations[0].scores for x in results] for results in (students, weaker))
    effect, (low, high) = paired_difference(first, second)
    right = fmean(x.generations[0].right for x in weaker)
    behind = "is behind" if low > 0 else "is ahead" if high < 0 else "cannot be told apart"
    return (
        f"{right:.0%} of the answers are right. The stronger base reaches "
        f"{fmean(map(fmean, first)):.2f}, the weaker one {fmean(map(fmean, second)):.2f}: "
        f"it {behind} ({effect:+.2f}, {low:+.2f} to {high:+.2f})."
    )


def generations(chains: Mapping[str, Sequence[StudentResult]]) -> Picture:
    """A line for each chain of `experiment.CHAINS`; the title says where each one ends."""
    values = {name: over_generations(results, "accuracy") for name, results in chains.items()}
    start, n = fmean(values["replace"][0]), len(values["replace"])
    ends = {name: fmean(points[-1]) for name, points in values.items()}
    return lines_with_intervals(
        range(1, n + 1),
        {name: over_generations(results, "scores") for name, results in chains.items()},
        title=f"From {start:.2f} in generation 1 to {ends['replace']:.2f} in generation {n} if "
        f"models' answers replace people's, and to {ends['join']:.2f} if they join them",
        xlabel="generation",
        ylabel="share of the exam right",
    )


def over_generations(results: Sequence[StudentResult], measure: str) -> list[list[Any]]:
    """A measure of `Generation` for each generation of a chain, each with its seeds."""
    by_seed = [x.generations for x in sorted(results, key=lambda result: result.seed)]
    return [[getattr(x, measure) for x in of_number] for of_number in zip(*by_seed, strict=True)]


def generations_table(chains: Mapping[str, Sequence[StudentResult]]) -> str:
    """What each generation learned from, on average over the seeds."""
    columns = {"examples": ".0f", "right": ".2f", "different": ".0f", "accuracy": ".2f"}
    lines = [f"{'':10}{'generation':>11}" + "".join(f"{name:>11}" for name in columns)]
    for name, results in chains.items():
        measured = {x: over_generations(results, x) for x in columns}
        for g in range(len(measured["right"])):
            means = "".join(f"{fmean(measured[x][g]):11{digits}}" for x, digits in columns.items())
            lines.append(f"{name:10}{g + 1:11}{means}")
    return "\n".join(lines)


def collapse_sentence(chains: Mapping[str, Sequence[StudentResult]]) -> str:
    """Whether each chain loses accuracy from its first to its last generation."""
    sentences = []
    for name, results in chains.items():
        points = over_generations(results, "scores")
        effect, interval = paired_difference(points[-1], points[0])
        low, high = interval
        change = "falls" if high < 0 else "rises" if low > 0 else "does not clearly change"
        right = over_generations(results, "right")
        sentences.append(
            f"{name}: the accuracy {change} from generation 1 to {len(points)} "
            f"({effect:+.2f}, {low:+.2f} to {high:+.2f}); of what the last one learned from, "
            f"{fmean(right[-1]):.0%} was right"
        )
    return "\n".join(sentences)


def cause_sentence(results: Sequence[StudentResult]) -> str:
    """Whether a chain's training sets lost right answers, or different ones, on average.

    Args:
        results: of the chain in which models' answers replace people's.
    """
    right, different = (over_generations(results, x) for x in ("right", "different"))
    fewer_right = fmean(right[-1]) < fmean(right[0])
    fewer_different = fmean(different[-1]) < fmean(different[0])
    return {
        (True, True): "Errors add up, and there are fewer different answers: both happen here.",
        (True, False): "Errors add up, but the answers do not become fewer: this is not yet the "
        "loss of rare things.",
        (False, True): "There are fewer different answers, but not more errors.",
        (False, False): "Neither more errors nor fewer different answers: nothing collapses here.",
    }[fewer_right, fewer_different]


def lost_sentence(pool: Pool) -> str:
    """How many questions have no right answer, and of which kinds most are lost."""
    n_kinds = Counter(item.question.task for item in pool)
    lost = Counter(item.question.task for item in pool if not any(item.right))
    most = ", ".join(f"{kind} ({count} of {n_kinds[kind]})" for kind, count in lost.most_common(4))
    n = len(pool[0].answers)
    times = "once" if n == 1 else f"{n} times"
    return f"asked {times}: {lost.total()} of {len(pool)} questions have no right answer" + (
        f", most of all {most}" if lost else ""
    )


def _verdict(interval: Interval) -> str:
    low, high = interval
    return "better" if low > 0 else "worse" if high < 0 else "not decided"


def _span(interval: Interval) -> str:
    return "({:+.3f} to {:+.3f})".format(*interval)  # near zero, two digits hide the sign
