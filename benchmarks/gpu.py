"""Measure on a CUDA GPU what this course could only estimate or measure on a CPU.

    python benchmarks/gpu.py [--parts memory-0.5b nf4] [--out benchmarks/gpu.json]

All models have real shapes and random weights, so nothing is downloaded. The whole takes less than
eight minutes. Each part has a time limit, and its result is stored as soon as it has ended: after
Ctrl-C, an error or a lost machine, the same command continues with the parts that are missing.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Without an installed package, that of this checkout; and the folder of this file, for the parts.
sys.path[:0] = [str(Path(__file__).resolve().parent), str(ROOT)]

from gpu_parts.catalog import PARTS  # noqa: E402
from gpu_parts.part import Part  # noqa: E402

OUT, TINY_OUT = ROOT / "benchmarks" / "gpu.json", ROOT / "scratch" / "gpu-tiny.json"
BUDGET = 460.0  # seconds
TEACHING = """\
What to run first: `--list` shows the parts. `--tiny` runs all of them at toy sizes on any machine,
to see that the libraries are there. Then run it without options on the GPU.

A part ends in one of four ways. "done": its result stands, and the next call skips it. "failed" and
"stopped" (its time was over, or Ctrl-C): the reason and the rows measured so far are stored, the
next part begins, and the next call measures the part again. "skipped": this machine cannot run it.

Afterwards, `ift build --docs` writes the results into docs/scaling.md and docs/platforms.md.

Exit codes: 0, all results stand or cannot be had here; 1, something is missing; 2, nothing was
measured; 130, Ctrl-C.
"""


def parser(parts: Sequence[Part]) -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    limits = "\n".join(f"  {part.name:14} {part.limit:4.0f} s  {part.title}" for part in parts)
    options = argparse.ArgumentParser(
        description=__doc__,
        epilog=f"parts, each with its time limit:\n{limits}\n\n{TEACHING}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = [part.name for part in parts]
    options.add_argument(
        "--parts", nargs="+", choices=names, metavar="PART", help="only these; default: all"
    )
    options.add_argument("--list", action="store_true", help="list the parts and end")
    options.add_argument("--again", action="store_true", help="measure what stands already, too")
    options.add_argument(
        "--tiny", action="store_true", help="toy sizes without limits, as on a CPU"
    )
    options.add_argument(
        "--out",
        type=Path,
        help="the file of results; default: benchmarks/gpu.json, with --tiny scratch/gpu-tiny.json",
    )
    options.add_argument(
        "--budget",
        type=float,
        default=BUDGET,
        metavar="SECONDS",
        help="for everything; default: %(default).0f",
    )
    return options


def main(words: Sequence[str] | None = None, parts: Sequence[Part] = PARTS, **options) -> int:
    """Run the command; return its exit code.

    Args:
        words: The command line; None takes that of the process.
        parts: What can be measured.
        options: Passed on to `run_parts`, for tests.
    """
    chosen = parser(parts).parse_args(words)
    selected = [part for part in parts if not chosen.parts or part.name in chosen.parts]
    if chosen.list:
        for part in selected:
            print(f"{part.name:14} {part.limit:4.0f} s  {part.title}")
        return 0
    from gpu_parts.results_file import ResultsFile
    from gpu_parts.supervisor import run_parts

    from ift_course.errors import CourseError

    os.environ["HF_HUB_OFFLINE"] = "1"
    out = chosen.out or (TINY_OUT if chosen.tiny else OUT)
    if out == TINY_OUT:
        out.parent.mkdir(exist_ok=True)
    try:
        return run_parts(
            selected,
            ResultsFile(out, chosen.tiny),
            again=chosen.again,
            budget=chosen.budget,
            say=lambda line: print(line, flush=True),
            **options,
        )
    except CourseError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"Stopped. {out} has what was measured; the same command continues.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
