"""What lesson 10 shows of SmolLM2-135M-Instruct: its answers, and its verdicts as a judge.

Computing it takes minutes, so the lesson reads results/smollm2/10.json. To compute it anew:

    python -m ift_course.lessons.lesson_10.smollm2

It needs the profile smollm2 and if-verifiable (`make real`). With IFT_RESULTS=results it replaces
the published file.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from ift_course.claims.results import item_digits, item_scores
from ift_course.data import course_set
from ift_course.errors import CourseError
from ift_course.evaluation.generate import Completion, generate_replies
from ift_course.evaluation.items import Item, read_items
from ift_course.lessons.lesson_10.judge import REQUESTS, Pair, judge_both_orders
from ift_course.lessons.real_answers import score_answers, store_replies
from ift_course.panels.compute import compute
from ift_course.panels.panel import Measurement, Panel, StoredReply
from ift_course.panels.real_part import Arm, Job, RealPart
from ift_course.panels.store import stored_panel
from ift_course.profile import get_profile

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

LESSON, PROFILE = "10", "smollm2"
COMMAND = "python -m ift_course.lessons.lesson_10.smollm2"
MAX_NEW_TOKENS = 64
N_PAIRS = 40  # questions that the judge sees: the first ones of a single turn
ANSWERS, OWN, PADDED = "answers", "judge, own answers", "judge, the wrong answer padded"
JUDGES = tuple(f"judge, request {i}" for i in range(1, len(REQUESTS) + 1))
# Digits of a judge: 1 if it preferred the answer in the first place, which was …
RIGHT_FIRST, RIGHT_SECOND = "right_first", "right_second"
# … and 1 if it prefers the right answer after the bias for the place has been subtracted.
BALANCED = "balanced"
SPECIAL = re.compile(r"<\|[a-z_]+\|>")


def smollm2_part() -> RealPart:
    """What is measured: the answers once, and the verdicts on several sets of pairs.

    The judge's seeds are the numbers of the hand-written wrong answers: each question has three.
    """
    return RealPart(
        lesson=LESSON,
        title="SmolLM2-135M-Instruct as a model that is tested, and as a judge",
        data={"test": course_set.path("test")},
        recipe={"max_new_tokens": MAX_NEW_TOKENS, "pairs": N_PAIRS, "requests": list(REQUESTS)},
        metrics={
            "strict": "right, and stopped",
            "lenient": "right, stop ignored",
            "stopped": "stopped by itself",
            RIGHT_FIRST: "prefers the first, which is right",
            RIGHT_SECOND: "prefers the first, which is wrong",
            BALANCED: "prefers the right one, both orders together",
        },
        arms=(
            Arm(ANSWERS, answer_test, n_seeds=1),
            Arm(JUDGES[0], partial(judge_written, request=REQUESTS[0])),
            Arm(PADDED, partial(judge_written, request=REQUESTS[0], padded=True), n_seeds=1),
            Arm(OWN, judge_own, n_seeds=1),
            *(
                Arm(name, partial(judge_written, request=request), n_seeds=1)
                for name, request in zip(JUDGES[1:], REQUESTS[1:], strict=True)
            ),
        ),
    )


def stored() -> Panel:
    """The panel that came with the course, or that was computed on this machine.

    Raises:
        CourseError: Neither is there, or the file is damaged.
    """
    panel = stored_panel(PROFILE, LESSON)
    if panel is None:
        raise CourseError(
            f"results/{PROFILE}/{LESSON}.json is missing; restore it, or compute it: {COMMAND}"
        )
    return panel


def judged_rows() -> list[int]:
    """The indices of the test questions that the judge sees."""
    rows = course_set.load("test")
    return [i for i, row in enumerate(rows) if len(row["messages"]) == 1][:N_PAIRS]


def written_pairs(number: int) -> list[Pair]:
    """The ideal answer of each question, and the hand-written wrong one of this number."""
    rows = course_set.load("test")
    return [
        Pair(rows[i]["messages"][0]["content"], rows[i]["ideal"], rows[i]["wrong"][number])
        for i in judged_rows()
    ]


def own_pairs(replies: Sequence[StoredReply]) -> list[Pair]:
    """The ideal answer of each question, and SmolLM2's own, which may be right, too."""
    rows = course_set.load("test")
    return [
        Pair(rows[i]["messages"][0]["content"], rows[i]["ideal"], replies[i].text)
        for i in judged_rows()
    ]


def answer_test(job: Job) -> Measurement:
    """Let SmolLM2 answer the test questions, and judge its answers by their verifiers."""
    items, completions = _answers(job.profile.name)
    lenient = [x.fault(c.text, c.finished, True) for x, c in zip(items, completions, strict=True)]
    return Measurement(
        scores=score_answers(items, completions)
        | {"lenient": item_digits([fault is None for fault in lenient])},
        replies=store_replies(items, completions),
    )


def judge_written(job: Job, request: str, padded: bool = False) -> Measurement:
    """Judge ideal answers against hand-written wrong ones; the seed is the number of the wrong one.

    Args:
        job: Its seed chooses the wrong answer.
        request: The last line of the judge's prompt.
        padded: Whether the wrong answer gets two polite sentences more.
    """
    pairs = written_pairs(job.seed)
    return _judge(job, [pair.padded for pair in pairs] if padded else pairs, request)


def judge_own(job: Job) -> Measurement:
    """Judge ideal answers against those of the judge itself."""
    return _judge(job, own_pairs(store_replies(*_answers(job.profile.name))), REQUESTS[0])


def verdicts(panel: Panel, arm: str, seed: int = 0) -> tuple[list[float], list[float]]:
    """A judge's verdicts: 1 if it preferred the first answer, with the right one first and second.

    Args:
        panel: The stored panel.
        arm: The name of the judge.
        seed: The number of its set of pairs.
    """
    return _digits(panel, arm, seed, RIGHT_FIRST), _digits(panel, arm, seed, RIGHT_SECOND)


def balanced(panel: Panel, arm: str, seed: int = 0) -> list[float]:
    """1 for each pair whose right answer has the higher log-odds in the mean of both orders.

    Args:
        panel: The stored panel.
        arm: The name of the judge.
        seed: The number of its set of pairs.
    """
    return _digits(panel, arm, seed, BALANCED)


def main() -> None:
    """Compute what is missing, and write the file."""
    from ift_course.panels.progress import RunBars
    from ift_course.paths import results_path

    profile = get_profile(PROFILE)
    with RunBars(LESSON) as bars:
        panel = compute(smollm2_part(), profile, on_run=bars.show_run, on_step=bars.show_step)
    path = results_path(PROFILE) / f"{LESSON}.json"
    panel.write(path)
    print(path)


def _digits(panel: Panel, arm: str, seed: int, metric: str) -> list[float]:
    return item_scores(next(x.scores[metric] for x in panel.arms[arm] if x.seed == seed))


def _judge(job: Job, pairs: Sequence[Pair], request: str) -> Measurement:
    first, second = judge_both_orders(
        *_model(job.profile.name), pairs, request, lambda n, total: job.on_step("pairs", n, total)
    )
    prefers_right = [x - y > 0 for x, y in zip(first, second, strict=True)]
    return Measurement(
        scores={
            RIGHT_FIRST: item_digits([x > 0 for x in first]),
            RIGHT_SECOND: item_digits([x > 0 for x in second]),
            BALANCED: item_digits(prefers_right),
        }
    )


@lru_cache(maxsize=1)
def _model(profile: str) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    import torch

    from ift_course.hardware import bf16_is_fast
    from ift_course.training.open_model import load

    dtype = torch.bfloat16 if bf16_is_fast() else None  # two to three times as fast
    return load("base", profile=profile, dtype=dtype)


@lru_cache(maxsize=1)
def _answers(profile: str) -> tuple[list[Item], list[Completion]]:
    items = read_items(course_set.path("test"))
    conversations = [[dict(message) for message in item.messages] for item in items]
    return items, generate_replies(
        *_model(profile), conversations, max_new_tokens=MAX_NEW_TOKENS, batch_size=25
    )


if __name__ == "__main__":
    try:
        main()
    except CourseError as error:
        sys.exit(str(error))
