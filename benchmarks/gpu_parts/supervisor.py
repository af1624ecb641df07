"""Run the parts whose results do not stand yet, one after the other, within a budget of seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from gpu_parts.part import Outcome, Part
from gpu_parts.results_file import ResultsFile
from gpu_parts.worker import MACHINE, Worker
from ift_course.errors import CourseError

LEAST = 10.0  # seconds; with less left, no part is begun
ENDINGS = {"failed": "FAILED", "stopped": "stopped", "skipped": "skipped"}


def run_parts(
    parts: Sequence[Part],
    file: ResultsFile,
    *,
    again: bool = False,
    budget: float,
    say: Callable[[str], None],
    machine: str = MACHINE,
) -> int:
    """Measure, and store each part's result as soon as it has ended.

    Args:
        parts: What to measure, in this order.
        file: Where results are stored.
        again: Measure parts whose result stands, too.
        budget: Seconds for everything.
        say: Prints a line.
        machine: As for `Worker`.

    Returns:
        0 if the results of all parts stand or were not to be had on this machine, else 1.

    Raises:
        CourseError: Nothing can be measured here, or the results of another machine are stored.
        KeyboardInterrupt: Ctrl-C; what was measured until then is stored.
    """
    started = time.monotonic()
    todo = [part for part in parts if again or not file.stands(part.name)]
    for part in parts:
        if part not in todo:
            say(f"{part.name}: stands in {file.path}; --again measures it again")
    worker: Worker | None = None
    missing = False
    try:
        for part in todo:
            if budget - (time.monotonic() - started) < LEAST:
                missing = True
                say(f"{part.name}: not begun, because the budget of {budget:.0f} s is used up")
                continue
            if worker is None:
                worker = Worker(file.content["tiny"], machine)
                if worker.refusal:
                    raise CourseError(worker.refusal)
                file.set_machine(worker.machine)
            left = budget - (time.monotonic() - started)
            say(f"{part.name}: {part.title}")
            # A toy says nothing about speed, and a busy CPU may need minutes for the imports alone.
            seconds = left if file.content["tiny"] else min(part.limit, left)
            outcome = _measure(worker, part, seconds, file, say)
            missing |= outcome.status not in ("done", "skipped")
            if outcome.status not in ("done", "skipped"):  # its process may be damaged
                worker.close()
                worker = None
    finally:
        if worker:
            worker.close()
    return 1 if missing else 0


def _measure(
    worker: Worker, part: Part, seconds: float, file: ResultsFile, say: Callable[[str], None]
) -> Outcome:
    """Run one part and store how it ended, Ctrl-C included."""
    try:
        outcome = worker.run(part, seconds, lambda line: say(f"  {line}"))
    except KeyboardInterrupt as interrupt:
        if outcome := getattr(interrupt, "outcome", None):
            file.add(part.name, outcome)
        raise
    file.add(part.name, outcome)
    if outcome.status == "done":
        say(f"  done in {outcome.seconds:.0f} s")
    else:
        say(f"  {ENDINGS[outcome.status]} after {outcome.seconds:.0f} s: {outcome.sentence}")
    return outcome
