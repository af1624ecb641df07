"""What was predicted before it was measured, in `results/predictions.yaml`.

A lesson's source holds the bound of each claim, and `real.py` that of each difference on the real
model. Whoever writes one commits it here before the seeds that decide it are drawn. After that it
stays: a bound that has moved in a source is refused.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import yaml

from ift_course.disk import atomic_write_text
from ift_course.errors import CourseError
from ift_course.lessons.discover import select
from ift_course.lessons.real_parts import has_real_part, real_part
from ift_course.paths import evidence_root

FILE = "predictions.yaml"
BOUNDS = ("at_least", "at_most")
HEAD = """\
# What was predicted before it was measured, and the day on which it was written down here.
# Written by `ift predict` from the lessons' sources. A bound does not move: a new one is a new
# claim with a new name. "gemma" marks a difference on the real base model. What the lessons no
# longer claim, whatever the measurement gave, stays with the day on which it was withdrawn.
"""

Prediction = dict[str, Any]


def predicted() -> dict[str, Prediction]:
    """The predictions in the file, by the claim's id or the name of the difference.

    Raises:
        CourseError: The file is not YAML, or holds something else.
    """
    path = evidence_root() / FILE
    if not path.exists():
        return {}
    restore = f"restore it with: git checkout -- results/{FILE}"
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
        raise CourseError(f"{path} is no YAML (line {line}); {restore}") from None
    entries = content.values() if isinstance(content, dict) else [None]
    if not all(isinstance(entry, dict) and "written" in entry for entry in entries):
        raise CourseError(f"{path} has an entry that is no prediction with its day; {restore}")
    return content


def in_the_sources() -> dict[str, Prediction]:
    """The bounds that the sources of the lessons hold now, by the same names."""
    bounds: dict[str, Prediction] = {}
    for lesson in select([]):
        bounds |= dict(_claims(lesson.source))
        if has_real_part(lesson.number):
            for x in real_part(lesson.number).contrasts:
                if x.at_least is not None:
                    name = f"{lesson.number}.gemma: {x.second} − {x.first}, {x.metric}"
                    bounds[name] = {"at_least": x.at_least}
    return bounds


def write() -> tuple[list[str], list[str]]:
    """Add what is new in the sources, and mark what they no longer hold as withdrawn.

    Returns:
        The names that were added, and those that were withdrawn.

    Raises:
        CourseError: A bound has moved.
    """
    before, now = predicted(), in_the_sources()
    for name in moved(before, now):
        raise CourseError(
            f"The bound of {name} was written down as {_bounds(before[name])} on "
            f"{before[name]['written']} and is now {now[name]}; a prediction does not move. "
            "Restore it, or give the new claim a new name."
        )
    today = datetime.now(timezone.utc).date().isoformat()
    added, withdrawn = now.keys() - before.keys(), current(before).keys() - now.keys()
    after = before | {name: now[name] | {"written": today} for name in added}
    for name in before.keys() & now.keys():
        after[name].pop("withdrawn", None)
    for name in withdrawn:
        after[name]["withdrawn"] = today
    text = yaml.safe_dump(after, sort_keys=True, allow_unicode=True, width=100)
    atomic_write_text(evidence_root() / FILE, HEAD + text)
    return sorted(added), sorted(withdrawn)


def current(predictions: dict[str, Prediction]) -> dict[str, Prediction]:
    """Those that a lesson still makes."""
    return {name: x for name, x in predictions.items() if "withdrawn" not in x}


def moved(before: dict[str, Prediction], now: dict[str, Prediction]) -> list[str]:
    """The names whose bounds are not those that were written down."""
    return sorted(k for k in before.keys() & now.keys() if _bounds(before[k]) != now[k])


def _bounds(prediction: Prediction) -> Prediction:
    return {name: prediction[name] for name in BOUNDS if name in prediction}


def _claims(path: Path) -> Iterator[tuple[str, Prediction]]:
    """The id and the bounds of each `ift.claim` in a lesson's source.

    Raises:
        CourseError: A bound is computed, so that it could move with the measurement.
    """
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or ast.unparse(node.func) != "ift.claim":
            continue
        name = ast.literal_eval(node.args[0])
        keywords = {x.arg: x.value for x in node.keywords if x.arg in BOUNDS}
        try:
            yield name, {str(k): float(ast.literal_eval(v)) for k, v in keywords.items()}
        except ValueError:
            raise CourseError(
                f"{path.name}, claim {name}: a bound is computed; write it as a number."
            ) from None
