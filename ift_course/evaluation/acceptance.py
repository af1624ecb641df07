"""What the embedded base model must be able to do before it is shipped.

The lessons rest on four properties of the base; ``ift pretrain`` measures them on three seeds and
writes them on the model card.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from statistics import fmean

from ift_course.data.examples import to_records
from ift_course.evaluation.generate import complete
from ift_course.evaluation.score import score
from ift_course.training.sft import sft
from ift_course.world.facts import facts
from ift_course.world.tasks import FACT_TASKS, sample

SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Measured:
    """One property: its value per seed, the bound it must keep, and its parts by task."""

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

    def to_dict(self) -> dict:
        """Plain data for the model card's ``scores.json``."""
        return asdict(self) | {"met": self.met}


def completion(model, tokenizer) -> Measured:
    """Does "The capital of France is" go on with "Paris", then end the sentence? Every fact."""
    prompts, values = zip(*(fact.completion() for fact in facts()), strict=True)
    texts = [c.text for c in complete(model, tokenizer, prompts, max_new_tokens=16)]
    right: dict[str, list[bool]] = {}
    for fact, text, value in zip(facts(), texts, values, strict=True):
        # A quoted sentence brings its own mark; everything else ends with a period.
        end = '"' if fact.relation.name == "phrase" else "."
        right.setdefault(fact.relation.name, []).append(
            text.strip().startswith(value.rstrip(".") + end) or text.strip().startswith(value + end)
        )
    parts = {name: fmean(hits) for name, hits in right.items()}
    every = fmean(hit for hits in right.values() for hit in hits)
    return Measured("fact completion, all facts", [every], 0.99, True, parts=parts)


def untuned(model, tokenizer, questions: int = 600) -> Measured:
    """How many instructions the base model answers before any tuning."""
    values = [
        score(model, tokenizer, sample(questions, seed=100 + seed, split="test")).accuracy
        for seed in SEEDS
    ]
    return Measured("held-out instructions before tuning", values, 0.05, False)


def tuned(
    load: Callable[[], tuple],
    name: str,
    *,
    examples: int,
    epochs: float,
    bound: float,
    tasks: Sequence[str] | None = None,
    questions: int = 600,
) -> Measured:
    """Tune a fresh base model per seed and score it on held-out entities."""
    values, seconds, parts = [], [], {}
    for seed in SEEDS:
        model, tokenizer = load()
        records = to_records(sample(examples, seed=seed, tasks=tasks))
        result = sft(model, tokenizer, records, seed=seed, epochs=epochs, progress=False)
        test = sample(questions, seed=100 + seed, split="test", tasks=tasks)
        scores = score(result.model, tokenizer, test)
        values.append(scores.accuracy)
        seconds.append(round(result.seconds, 1))
        for task, share in scores.by("task").items():
            parts.setdefault(task, []).append(share)
    means = {task: round(fmean(shares), 3) for task, shares in parts.items()}
    return Measured(name, values, bound, True, seconds, means)


def measure(
    load: Callable[[], tuple], on_result: Callable[[Measured], None] | None = None
) -> list[Measured]:
    """Every property, in turn. ``load`` returns a fresh (model, tokenizer)."""
    model, tokenizer = load()
    steps: list[Callable[[], Measured]] = [
        lambda: completion(model, tokenizer),
        lambda: untuned(model, tokenizer),
        lambda: tuned(
            load, "held-out entities, all fact tasks, after SFT on 500 examples",
            examples=500, epochs=4, bound=0.95, tasks=FACT_TASKS,
        ),
        lambda: tuned(
            load, "held-out entities, all tasks, after SFT on 1,000 examples",
            examples=1000, epochs=4, bound=0.85,
        ),
    ]  # fmt: skip
    found = []
    for step in steps:
        found.append(step())
        if on_result:
            on_result(found[-1])
    return found
