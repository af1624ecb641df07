"""The properties that the embedded base model must have before it is shipped.

The lessons rest on four properties of the base. `ift pretrain` measures them on three seeds and
writes them on the model card.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING, Any

from ift_course.data.examples import to_records
from ift_course.evaluation.generate import complete
from ift_course.evaluation.score import score
from ift_course.training.sft import sft
from ift_course.world.facts import facts
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
        values: A share between 0 and 1 for each seed.
        bound: What every seed must reach.
        at_least: Whether the bound is a lower bound; otherwise it is an upper bound.
        seconds: Training time of each seed, where a model was tuned.
        parts: The mean share of each task.
    """

    name: str
    values: list[float]
    bound: float
    at_least: bool
    seconds: list[float] = field(default_factory=list)
    parts: dict[str, float] = field(default_factory=dict)

    @property
    def met(self) -> bool:
        """Whether every seed keeps the bound."""
        return all(v >= self.bound if self.at_least else v <= self.bound for v in self.values)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for the model card's `scores.json`."""
        return asdict(self) | {"met": self.met}


def completion(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> AcceptanceResult:
    """Measure whether the model completes every fact of the world and then ends the sentence.

    For example, "The capital of France is" must continue with "Paris.".
    """
    prompts, values = zip(*(fact.completion() for fact in facts()), strict=True)
    texts = [c.text for c in complete(model, tokenizer, prompts, max_new_tokens=16)]
    correct: dict[str, list[bool]] = {}
    for fact, text, value in zip(facts(), texts, values, strict=True):
        # A quoted sentence has its own punctuation mark; everything else ends with a period.
        end = '"' if fact.relation.name == "phrase" else "."
        correct.setdefault(fact.relation.name, []).append(
            text.strip().startswith(value.rstrip(".") + end) or text.strip().startswith(value + end)
        )
    parts = {name: fmean(verdicts) for name, verdicts in correct.items()}
    share = fmean(verdict for verdicts in correct.values() for verdict in verdicts)
    return AcceptanceResult("fact completion, all facts", [share], 0.99, True, parts=parts)


def before_tuning(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, questions: int = 600
) -> AcceptanceResult:
    """Measure the share of instructions that the base model answers before any tuning."""
    values = [
        score(model, tokenizer, sample(questions, seed=100 + seed, split="test")).accuracy
        for seed in SEEDS
    ]
    return AcceptanceResult("held-out instructions before tuning", values, 0.05, False)


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


def measure(
    load: Load, on_result: Callable[[AcceptanceResult], None] | None = None
) -> list[AcceptanceResult]:
    """Measure all properties in turn.

    Args:
        load: Returns a fresh model and its tokenizer.
        on_result: Called with each result as soon as it is there.
    """
    model, tokenizer = load()
    steps: list[Callable[[], AcceptanceResult]] = [
        lambda: completion(model, tokenizer),
        lambda: before_tuning(model, tokenizer),
        lambda: after_tuning(
            load, "held-out entities, all fact tasks, after SFT on 500 examples",
            examples=500, epochs=4, bound=0.95, tasks=FACT_TASKS,
        ),
        lambda: after_tuning(
            load, "held-out entities, all tasks, after SFT on 1,000 examples",
            examples=1000, epochs=4, bound=0.85,
        ),
    ]  # fmt: skip
    results = []
    for step in steps:
        results.append(step())
        if on_result:
            on_result(results[-1])
    return results
