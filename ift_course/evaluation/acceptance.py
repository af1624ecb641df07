"""The properties that the embedded base model must have before it is shipped.

The lessons rest on them. `ift pretrain` measures them on three seeds and writes them on the model
card.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING, Any

from ift_course.data.examples import dialogue_records, to_records
from ift_course.evaluation.base_probes import (
    completed_facts,
    copied_names,
    few_shot,
    plain_questions,
)
from ift_course.evaluation.natural import score_assistant
from ift_course.evaluation.score import score
from ift_course.training.assistant import DIALOGUES, RECIPE
from ift_course.training.sft import sft
from ift_course.world.tasks import FACT_TASKS, sample

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    Load = Callable[[], tuple[PreTrainedModel, PreTrainedTokenizerBase]]

SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class AcceptanceResult:
    """One measured property.

    Attributes:
        name: The property in words.
        values: A share between 0 and 1, or a count, for each seed.
        bound: What every seed must reach; None for a property that is only reported.
        at_least: Whether the bound is a lower bound; otherwise it is an upper bound.
        seconds: Training time of each seed, where a model was tuned.
        parts: The mean share of each task.
    """

    name: str
    values: list[float]
    bound: float | None
    at_least: bool
    seconds: list[float] = field(default_factory=list)
    parts: dict[str, float] = field(default_factory=dict)

    @property
    def met(self) -> bool:
        """Whether every seed keeps the bound."""
        if self.bound is None:
            return True
        return all(v >= self.bound if self.at_least else v <= self.bound for v in self.values)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for the model card's `scores.json`."""
        return asdict(self) | {"met": self.met}


def completion(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, *, line_start: bool
) -> AcceptanceResult:
    """Measure whether the model completes every fact, behind a space or on a line of its own."""
    correct = completed_facts(model, tokenizer, line_start=line_start)
    share = fmean(verdict for verdicts in correct.values() for verdict in verdicts)
    parts = {name: round(fmean(verdicts), 3) for name, verdicts in correct.items()}
    where, bound = ("at the start of a line", 0.97) if line_start else ("after a space", 0.99)
    return AcceptanceResult(f"facts completed {where}", [share], bound, True, parts=parts)


def before_tuning(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, questions: int = 600
) -> list[AcceptanceResult]:
    """Measure what the base answers before any tuning: through the template and in plain text."""
    tests = [sample(questions, seed=100 + seed, split="test") for seed in SEEDS]
    template = [score(model, tokenizer, test).accuracy for test in tests]
    plain = [plain_questions(model, tokenizer, test) for test in tests]
    return [
        AcceptanceResult("held-out instructions before tuning, template", template, 0.05, False),
        AcceptanceResult(
            "the same in plain text, strict", [fmean(strict) for strict, _ in plain], None, False
        ),
        AcceptanceResult(
            "the same in plain text, lenient", [fmean(loose) for _, loose in plain], None, False
        ),
    ]


def in_context(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> list[AcceptanceResult]:
    """Measure what the base does with what stands in its prompt: examples, and a new name."""
    shots = [fmean(few_shot(model, tokenizer, seed=seed)) for seed in SEEDS]
    copies = [fmean(copied_names(model, tokenizer, seed=seed)) for seed in SEEDS]
    return [
        AcceptanceResult("held-out facts after three examples in the prompt", shots, 0.8, True),
        AcceptanceResult("unseen names copied", copies, 0.95, True),
    ]


def after_tuning(
    load: Load,
    name: str,
    *,
    examples: int,
    epochs: float,
    bound: float,
    tasks: Sequence[str] | None = None,
    questions: int = 600,
) -> AcceptanceResult:
    """Tune a fresh base model for each seed and score it on held-out entities.

    Args:
        load: Returns a fresh model and its tokenizer.
        name: The property in words.
        examples: Training examples.
        epochs: Passes over the training examples.
        bound: The accuracy that every seed must reach.
        tasks: The tasks to train and test on; None means all.
        questions: Test questions.
    """
    values, seconds = [], []
    shares: dict[str, list[float]] = {}
    for seed in SEEDS:
        model, tokenizer = load()
        records = to_records(sample(examples, seed=seed, tasks=tasks))
        result = sft(model, tokenizer, records, seed=seed, epochs=epochs, progress=False)
        test = sample(questions, seed=100 + seed, split="test", tasks=tasks)
        scores = score(result.model, tokenizer, test)
        values.append(scores.accuracy)
        seconds.append(round(result.seconds, 1))
        for task, share in scores.by("task").items():
            shares.setdefault(task, []).append(share)
    means = {task: round(fmean(of_task), 3) for task, of_task in shares.items()}
    return AcceptanceResult(name, values, bound, True, seconds, means)


def assistant(load: Load) -> list[AcceptanceResult]:
    """Tune the assistant for each seed, and measure how it answers people."""
    measured, developed, seconds = [], [], []
    for seed in SEEDS:
        model, tokenizer = load()
        records = dialogue_records(DIALOGUES, seed=seed)
        result = sft(model, tokenizer, records, seed=seed, progress=False, **RECIPE)
        seconds.append(round(result.seconds, 1))
        measured.append(score_assistant(result.model, tokenizer, seed=seed))
        developed.append(score_assistant(result.model, tokenizer, seed=seed, development=True))
    by_bound: list[tuple[str, list[float], float | None, bool]] = [
        ("60 natural prompts", [m.natural for m in measured], 0.85, True),
        ('"I do not know" on 60 outside questions', [m.outside for m in measured], 0.9, True),
        ("false refusals on held-out facts", [m.false_refusals for m in measured], 0.03, False),
        ("lists with a repeated item", [float(m.repeats) for m in measured], 0, False),
        ("held-out facts answered right", [m.facts for m in measured], None, True),
        ("60 natural prompts, development list", [m.natural for m in developed], None, True),
        (
            "60 outside questions of the development list",
            [m.outside for m in developed],
            None,
            True,
        ),
    ]
    return [
        AcceptanceResult(f"assistant: {name}", values, bound, at_least, seconds)
        for name, values, bound, at_least in by_bound
    ]


def measure(
    load: Load, on_result: Callable[[AcceptanceResult], None] | None = None
) -> list[AcceptanceResult]:
    """Measure all properties in turn.

    Args:
        load: Returns a fresh model and its tokenizer.
        on_result: Called with each result as soon as it is there.
    """
    model, tokenizer = load()
    steps: list[Callable[[], list[AcceptanceResult]]] = [
        lambda: [completion(model, tokenizer, line_start=False)],
        lambda: [completion(model, tokenizer, line_start=True)],
        lambda: before_tuning(model, tokenizer),
        lambda: in_context(model, tokenizer),
        lambda: [after_tuning(
            load, "held-out entities, all fact tasks, after SFT on 500 examples",
            examples=500, epochs=4, bound=0.95, tasks=FACT_TASKS,
        )],
        lambda: [after_tuning(
            load, "held-out entities, all tasks, after SFT on 1,000 examples",
            examples=1000, epochs=4, bound=0.85,
        )],
        lambda: assistant(load),
    ]  # fmt: skip
    results: list[AcceptanceResult] = []
    for step in steps:
        for result in step():
            results.append(result)
            if on_result:
                on_result(result)
    return results
