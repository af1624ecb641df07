"""`ift eval --lm-eval`: tasks that the field knows."""

from __future__ import annotations

import json
import math
import sys
from importlib.util import find_spec
from pathlib import Path


def eval_task(
    model: str,
    task: str,
    *,
    base: str | None,
    profile: str | None,
    limit: int | None,
    batch_size: int,
    seed: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Run a task of lm-eval and print its metrics.

    Args:
        model: The model's name.
        task: The task's name, or its YAML file.
        base: The base of an adapter, if it is not where the adapter says.
        profile: Decides which models "base" and "sft" are.
        limit: Use only so many items.
        batch_size: Items per forward pass.
        seed: Of the examples in the prompt.
        out: A file for the result as JSON.
        as_json: Print the result as JSON.

    Raises:
        CourseError: lm-eval is not installed, or the task cannot be run.
    """
    from ift_course.cli.evaluating import open_to_answer
    from ift_course.disk import atomic_write_text, disk_errors
    from ift_course.errors import CourseError
    from ift_course.evaluation.lm_eval_bridge import INSTALL, run_task

    if not find_spec("lm_eval"):  # before the model is loaded
        raise CourseError(f"--lm-eval needs the package lm-eval; install it: {INSTALL}") from None
    loaded, tokenizer = open_to_answer(
        model, base=base, profile=profile, on_note=lambda note: print(note, file=sys.stderr)
    )
    metrics = run_task(loaded, tokenizer, task, limit=limit, batch_size=batch_size, seed=seed)
    content = {
        "model": model,
        "task": task,
        "metrics": [
            {
                k: None if isinstance(v, float) and math.isnan(v) else v
                for k, v in m.to_dict().items()
            }
            for m in metrics
        ],
    }
    text = json.dumps(content, indent=1)
    if out:
        with disk_errors(out):
            atomic_write_text(out, text + "\n")
    if as_json:
        print(text)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("task", "metric", "value", "95 % interval", "items", box=None, pad_edge=False)
    for metric in metrics:
        bounds = "" if math.isnan(metric.low) else f"{metric.low:.3f} to {metric.high:.3f}"
        table.add_row(metric.task, metric.name, f"{metric.value:.3f}", bounds, f"{metric.n:,}")
    console = Console(soft_wrap=True, highlight=False)
    console.print(f"{model}, asked through its chat template:", markup=False)
    console.print(table)
