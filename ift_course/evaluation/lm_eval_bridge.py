"""Known tasks: a bridge to EleutherAI's lm-eval, which is an extra.

lm-eval asks and scores; the intervals are this course's, so that they mean the same everywhere.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ift_course.data.hub import first_sentence
from ift_course.errors import CourseError
from ift_course.evaluation.intervals import Interval, items_interval
from ift_course.evaluation.paired import share_interval

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

INSTALL = "pip install 'ift-course[evaluation]'"


@dataclass(frozen=True)
class Metric:
    """One number of a task.

    Attributes:
        task: The task's name.
        name: The metric's name, such as "acc"; with the answer filter's name if it has one.
        value: The mean over the items, as lm-eval computed it.
        low: Lower end of the 95 % interval of the mean over items: Wilson's for shares, bootstrap
            for others. NaN if lm-eval combines the items in another way.
        high: Upper end.
        n: Items.
        higher_is_better: What the task says; None if it says nothing.
    """

    task: str
    name: str
    value: float
    low: float
    high: float
    n: int
    higher_is_better: bool | None

    def to_dict(self) -> dict[str, Any]:
        """The metric as plain data."""
        return asdict(self)


def run_task(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    task: str,
    *,
    limit: int | None = None,
    batch_size: int = 16,
    seed: int = 0,
) -> list[Metric]:
    """Run a task of lm-eval through the model's chat template.

    Args:
        model: A causal language model.
        tokenizer: Its tokenizer, with a chat template.
        task: The name of a task, or the YAML file of your own.
        limit: Use only so many items.
        batch_size: Items per forward pass.
        seed: Of the examples in the prompt, where the task takes them at random.

    Raises:
        CourseError: lm-eval is not installed, there is no such task, or its data cannot be read.
    """
    try:
        lm_eval: Any = import_module("lm_eval")
        models: Any = import_module("lm_eval.models.huggingface")
        tasks: Any = import_module("lm_eval.tasks")
    except ImportError:
        raise CourseError(f"--lm-eval needs the package lm-eval; install it: {INSTALL}") from None
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    path = Path(task)
    is_file = path.suffix in (".yaml", ".yml")
    if is_file and not path.is_file():
        raise CourseError(f"There is no file {task}; name a task of lm-eval, or its YAML file.")
    manager = tasks.TaskManager(include_defaults=not is_file)
    if not is_file and not manager.match_tasks([task]):
        raise CourseError(f'lm-eval has no task "{task}"; `lm_eval ls tasks` lists them.')
    arguments: dict[str, Any] = {
        "model": models.HFLM(pretrained=model, tokenizer=tokenizer, batch_size=batch_size),
        "tasks": [str(path.absolute()) if is_file else task],
        "limit": limit,
        "task_manager": manager,
        "apply_chat_template": True,
        "bootstrap_iters": 0,  # for its standard errors, which are not used here
    }
    seeds = ("random_seed", "numpy_random_seed", "torch_random_seed", "fewshot_random_seed")
    try:
        results = lm_eval.simple_evaluate(**arguments, **dict.fromkeys(seeds, seed))
    except Exception as error:  # a task is code and data of others: anything can be raised
        raise CourseError(
            f"lm-eval cannot run {task} ({first_sentence(error)}); a task's data come from the "
            "Hub, unless its YAML file names files of yours."
        ) from error
    return _metrics(results)


def _metrics(results: Any) -> list[Metric]:
    metrics = []
    for task, numbers in results["results"].items():
        samples = results["samples"].get(task, [])
        better = results.get("higher_is_better", {}).get(task, {})
        for key, value in numbers.items():
            name, _, filter_name = key.partition(",")
            if not isinstance(value, (int, float)) or not filter_name or "_stderr" in name:
                continue
            scores = _scores(samples, name, filter_name)
            low, high = _interval(scores, float(value))
            metrics.append(
                Metric(
                    task,
                    name if filter_name == "none" else f"{name} ({filter_name})",
                    float(value),
                    low,
                    high,
                    len(scores),
                    better.get(name),
                )
            )
    return metrics


def _scores(samples: Sequence[Any], name: str, filter_name: str) -> list[float]:
    """The score of every item, where lm-eval keeps one number for it."""
    return [
        float(sample[name])
        for sample in samples
        if sample.get("filter", "none") == filter_name
        and isinstance(sample.get(name), (bool, int, float))
    ]


def _interval(scores: list[float], value: float) -> Interval:
    """The interval of the mean of the scores, if that is the metric's value."""
    if not scores or abs(sum(scores) / len(scores) - value) > 1e-6:
        return float("nan"), float("nan")
    if set(scores) <= {0.0, 1.0}:
        return share_interval(int(sum(scores)), len(scores))
    return items_interval(scores)
