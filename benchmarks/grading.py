"""How fast a class is graded: nbgrader and we, the same assignment, in one run.

    python benchmarks/grading.py [--students 100] [--class-of 1000] [--kills 10] [--only throughput]

throughput  the same function and the same six checks, without torch and with `import torch` in each
            submission. nbgrader is installed into a virtual environment of its own.
scale       a large class: seconds for each hundred, and the memory of all processes of ours.
kills       a class of 200, killed at random moments and resumed: the same bytes as an unbroken run.
"""

import argparse
import importlib.util
import json
import os
import random
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
A_CLASS = ROOT / "tests" / "grading" / "a_class.py"
SPEC = importlib.util.spec_from_file_location("a_class", A_CLASS)
a_class = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(a_class)

# The checks of tests/grading/exercises, as nbgrader's assignment states them.
ASSERTS = [
    (2, "ids = [17, 3, 88, 41, 9, 60]\n"
        "assert response_labels(ids, 2) == [-100, -100, 88, 41, 9, 60]"),
    (1, "assert response_labels([11, 12, 13], 3) == [-100, -100, -100]"),
    (1, "assert response_labels([11, 12, 13], 0) == [11, 12, 13]"),
    (1, "ids = list(range(7, 1007))\nassert response_labels(ids, 400) == [-100] * 400 + ids[400:]"),
    (1, "try:\n    response_labels([1, 2], 3)\nexcept ValueError:\n    pass\n"
        "else:\n    raise AssertionError"),
    (1, "ids = [7, 8, 9, 10]\nassert response_labels(ids, 1) == [-100, 8, 9, 10]\n"
        "assert ids == [7, 8, 9, 10]"),
]  # fmt: skip


def nbgrader(home: Path, environment: Path, students: int, head: str) -> dict:
    """Seconds of `nbgrader autograde` for all. environment: made, with nbgrader, if not there."""
    python = environment / "bin" / "python"
    if not python.exists():
        venv.create(python.parents[1], with_pip=True)
        pip = [python, "-m", "pip", "install", "-q", "nbgrader", "ipykernel"]
        subprocess.run(pip, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # torch is taken from the environment of the course, behind nbgrader's own packages.
        [packages] = python.parents[1].glob("lib/python*/site-packages")
        (packages / "torch-of-the-course.pth").write_text(sysconfig.get_path("purelib"))
    course = home / f"course{len(head)}"
    kinds = list(a_class.POINTS)
    put(course / "source" / "ps1" / "ps1.ipynb", a_class.RIGHT, head)
    for number in range(students):
        path = course / "submitted" / f"student{number:04}" / "ps1" / "ps1.ipynb"
        put(path, kinds[number % len(kinds)], head)
    command = [python, "-m", "nbgrader"]
    path = os.pathsep.join([str(python.parent), os.environ["PATH"]])
    run = {"cwd": course, "capture_output": True, "env": os.environ | {"PATH": path}}
    subprocess.run([*command, "generate_assignment", "ps1"], check=True, **run)
    started = time.perf_counter()
    subprocess.run([*command, "autograde", "ps1"], check=False, **run)
    seconds = time.perf_counter() - started
    done = len(list((course / "autograded").glob("*/ps1/ps1.ipynb")))
    return {"seconds": seconds, "graded": done, "per submission": seconds / max(1, done)}


def put(path: Path, code: str, head: str) -> None:
    """A notebook as nbgrader wants it: the function, then a locked cell for each check."""
    solution = f"{head}{code}"
    if "source" in path.parts:
        solution = f"{head}### BEGIN SOLUTION\n{code}\n### END SOLUTION"
    cells = [cell(solution, "answer", solution=True, locked=False)]
    cells += [
        cell(text, f"check{i}", grade=True, points=worth) for i, (worth, text) in enumerate(ASSERTS)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": cells}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook))


def cell(text: str, name: str, *, grade=False, solution=False, locked=True, points=0) -> dict:
    about = {"schema_version": 3, "grade_id": name, "grade": grade, "solution": solution,
             "locked": locked, "task": False, "cell_type": "code"}  # fmt: skip
    if grade:
        about["points"] = points
    return {"cell_type": "code", "id": name, "source": text, "metadata": {"nbgrader": about},
            "outputs": [], "execution_count": None}  # fmt: skip


def ours(home: Path, students: int, head: str, jobs: int) -> dict:
    """Seconds from nothing to all reports; and for each submission after the first."""
    name = f"{len(head)}-{jobs}"
    expected = a_class.make(home / f"class{name}", students, head=head)
    moments = []
    started = time.perf_counter()
    a_class.grade(home / f"class{name}", home / f"out{name}", jobs,
                  on_done=lambda done: moments.append(time.perf_counter()))  # fmt: skip
    seconds = time.perf_counter() - started
    check(home / f"out{name}", expected)
    later = (moments[-1] - moments[0]) / max(1, len(moments) - 1)
    return {"seconds": seconds, "graded": len(moments), "per submission": seconds / students,
            "per submission after the first": later}  # fmt: skip


def check(out: Path, expected: dict[str, int]) -> None:
    from ift_course.grading import gradebook

    totals = {x.student: x.total for x in gradebook.load(out).grades}
    if totals != expected:
        raise SystemExit(f"wrong grades in {out}: {totals}")


def throughput(home: Path, environment: Path, students: int) -> None:
    for name, head in (("without torch", ""), ("with torch", "import torch\n")):
        theirs = nbgrader(home, environment, students, head)
        show(f"nbgrader, {name}", theirs)
        for jobs in (1, 2):
            mine = ours(home, students, head, jobs)
            factor = theirs["per submission"] / mine["per submission"]
            show(f"ift grade --jobs {jobs}, {name}", mine | {"times nbgrader's": factor})


def scale(home: Path, students: int) -> None:
    expected = a_class.make(home / "large", students)
    started, me = time.perf_counter(), psutil.Process()

    def on_done(done) -> None:
        if done.number % (students // 10) == 0:
            family = [me, *me.children(recursive=True)]
            memory = sum(x.memory_info().rss for x in family if x.is_running()) / 1e6
            print(f"  {done.number:5} graded, {time.perf_counter() - started:7.1f} s, "
                  f"{memory:.0f} MB in all processes", flush=True)  # fmt: skip

    print(f"a class of {students}", flush=True)
    a_class.grade(home / "large", home / "large-out", 2, on_done=on_done)
    check(home / "large-out", expected)


def kills(home: Path, times: int, students: int = 200) -> None:
    expected = a_class.make(home / "killed", students)
    command = [sys.executable, str(A_CLASS), str(home / "killed")]
    started = time.perf_counter()
    subprocess.run([*command, str(home / "whole"), "2"], check=True)
    whole = time.perf_counter() - started
    moments = random.Random(0)
    for _ in range(times):
        run = subprocess.Popen([*command, str(home / "broken"), "2"])
        time.sleep(moments.uniform(0, whole / times * 2))
        run.send_signal(signal.SIGKILL)
        run.wait()
    subprocess.run([*command, str(home / "broken"), "2"], check=True)
    for out in (home / "whole", home / "broken"):
        check(out, expected)
    same = all(
        path.read_bytes() == (home / "broken" / path.relative_to(home / "whole")).read_bytes()
        for path in (home / "whole").rglob("*")
        if path.suffix in (".csv", ".xml", ".html", ".md", ".json") and path.name != "overview.html"
    )
    lines = (home / "broken" / "results.jsonl").read_text().splitlines()
    verdicts = [(x["student"], x["check"]) for x in map(json.loads, lines) if "check" in x]
    twice = len(verdicts) - len(set(verdicts))
    print(
        f"{students} submissions, killed {times} times: same bytes: {same}; graded twice: {twice}"
    )


def show(name: str, numbers: dict) -> None:
    values = ", ".join(f"{key} {value:.3g}" for key, value in numbers.items())
    print(f"{name}: {values}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--students", type=int, default=100)
    parser.add_argument("--class-of", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--nbgrader", type=Path, help="a virtual environment that has it already")
    parser.add_argument("--only", choices=["throughput", "scale", "kills"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ift-benchmark-") as name:
        if options.only in (None, "throughput"):
            environment = options.nbgrader or Path(name, "nbgrader-venv")
            throughput(Path(name), environment.absolute(), options.students)
        if options.only in (None, "scale"):
            scale(Path(name), options.class_of)
        if options.only in (None, "kills"):
            kills(Path(name), options.kills)


if __name__ == "__main__":
    main()
