"""benchmarks/gpu.py: what stands is not measured again, and nothing that was measured is lost."""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ift_course.paths import checkout

BENCHMARKS = checkout() / "benchmarks"
HERE = Path(__file__).parent
SCRIPT = """
import signal, sys
sys.path[:0] = {folders!r}
import gpu
from gpu_parts.part import Part
parts = [Part(x, x, float(limit), "toy_parts:" + x) for x, limit in {parts!r}]
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores Ctrl-C
    sys.exit(gpu.main(sys.argv[1:], parts, machine="toy_parts:{machine}"))
"""


@pytest.fixture
def benchmarks(monkeypatch):
    """The folder of the benchmarks is on the path, as for a script that lies in it."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return BENCHMARKS


@pytest.fixture
def command(tmp_path):
    """A function that returns the command and the environment of a script with toy parts."""

    def make(*parts: tuple[str, float], machine: str = "describe", **changes: str):
        script = tmp_path / "script.py"
        folders = [str(BENCHMARKS), str(HERE)]
        script.write_text(SCRIPT.format(folders=folders, parts=parts, machine=machine))
        path = os.pathsep.join([str(checkout()), *folders])
        environment = {**os.environ, "PYTHONPATH": path, "SIGN_OF_TOY_PARTS": str(tmp_path)}
        return [sys.executable, str(script)], environment | changes

    return make


@pytest.fixture
def run(command, tmp_path):
    """A function that runs the script on the file gpu.json."""

    def start(*parts: tuple[str, float], words: tuple[str, ...] = (), **options: str):
        words = words if "--out" in words else (*words, "--out", str(tmp_path / "gpu.json"))
        line, environment = command(*parts, **options)
        return subprocess.run([*line, *words], env=environment, capture_output=True, text=True)

    return start


def stored(tmp_path) -> dict:
    return json.loads((tmp_path / "gpu.json").read_text(encoding="utf-8"))


def test_what_stands_is_skipped_unless_it_is_asked_for_again(run, tmp_path):
    first, second = run(("good", 9)), run(("good", 9))
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert "number 1" in first.stdout and "done in" in first.stdout
    assert "good: stands in" in second.stdout and "number 1" not in second.stdout
    assert run(("good", 9), words=("--again",)).returncode == 0
    assert (tmp_path / "good").read_text() == "ran\nran\n"
    [entry] = stored(tmp_path)["parts"].values()
    assert entry["status"] == "done" and entry["rows"] == [{"number": 1}]
    assert stored(tmp_path)["machine"]["device"] == "an abacus"


def test_a_part_that_fails_is_one_sentence_and_the_next_begins(run, tmp_path):
    done = run(("bad", 9), ("dead", 9), ("slow", 1), ("missing", 9), ("good", 9))
    assert done.returncode == 1, done.stderr
    parts = stored(tmp_path)["parts"]
    endings = {name: (x["status"], x["sentence"]) for name, x in parts.items()}
    assert endings == {
        "bad": ("failed", "RuntimeError: the abacus has"),
        "dead": ("failed", "The process ended with exit code 3."),
        "slow": ("stopped", "Its time was over."),
        "missing": ("skipped", "Two abaci are needed."),
        "good": ("done", ""),
    }
    assert parts["bad"]["rows"] == [{"number": 2}] and parts["slow"]["rows"] == [{"number": 3}]
    assert "Traceback" not in done.stdout + done.stderr
    again = run(("bad", 9), ("good", 9))
    assert "number 2" in again.stdout and "good: stands" in again.stdout


@pytest.mark.skipif(os.name == "nt", reason="sends the signal of Ctrl-C")
def test_ctrl_c_keeps_what_was_measured(command, tmp_path):
    line, environment = command(("good", 9), ("slow", 60), ("bad", 9))
    out = tmp_path / "gpu.json"
    process = subprocess.Popen(
        [*line, "--out", str(out)], env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    for text in process.stdout:
        if "number 3" in text:
            break
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.strip() == f"Stopped. {out} has what was measured; the same command continues."
    parts = stored(tmp_path)["parts"]
    assert parts["good"]["status"] == "done"
    assert parts["slow"]["status"] == "stopped" and parts["slow"]["rows"] == [{"number": 3}]
    assert "bad" not in parts


def test_a_budget_that_is_used_up_begins_nothing(run, tmp_path):
    done = run(("good", 9), words=("--budget", "1"))
    assert done.returncode == 1
    assert "not begun, because the budget of 1 s is used up" in done.stdout
    assert not (tmp_path / "gpu.json").exists()


def test_without_a_gpu_one_sentence_says_what_to_do(run, tmp_path):
    done = run(("good", 9), machine="no_gpu")
    assert done.returncode == 2
    assert "There is no CUDA GPU on this machine" in done.stderr and "--tiny" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "gpu.json").exists()


def test_a_file_that_cannot_take_the_results_is_refused_before_anything_runs(run, tmp_path):
    (tmp_path / "note").write_text("mine", encoding="utf-8")
    (tmp_path / "toy.json").write_text('{"tiny": true, "machine": {}, "parts": {}}')
    for out, sentence in (
        ("nowhere/gpu.json", "There is no folder"),
        ("note/gpu.json", "is not a folder"),
        ("note", "is not a file of this benchmark"),
        (".", "is a folder; give --out a file"),
        ("toy.json", "has results of toy sizes; give another --out"),
    ):
        done = run(("good", 9), words=("--out", str(tmp_path / out)))
        assert done.returncode == 2, done.stdout
        assert sentence in done.stderr and len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "good").exists()
    assert (tmp_path / "note").read_text() == "mine"


def test_results_of_two_machines_do_not_share_a_file(run, tmp_path):
    assert run(("good", 9)).returncode == 0
    done = run(("missing", 9), TOY_DEVICE="a slide rule")
    assert done.returncode == 2
    assert "has results of an abacus with torch 0, and this is a slide rule" in done.stderr
    assert list(stored(tmp_path)["parts"]) == ["good"]


def test_the_list_and_the_help_say_what_there_is(benchmarks, capsys):
    gpu = importlib.import_module("gpu")
    assert gpu.main(["--list"]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert names == [part.name for part in gpu.PARTS]
    with pytest.raises(SystemExit):
        gpu.main(["--help"])
    text = capsys.readouterr().out
    assert all(name in text for name in names) and "Exit codes" in text
    assert gpu.BUDGET < 480


# The two that start further processes, or need weights, have tests of their own.
QUICK = ("memory-0.5b", "nf4", "fp16", "speed")


@pytest.mark.parametrize("name", QUICK)
def test_a_part_runs_at_a_toy_size(name, benchmarks):
    rows, lines = [], []
    run_toy(name, rows, lines)
    assert rows and all(lines) and json.dumps(rows)
    check = {
        "memory-0.5b": check_memory, "nf4": check_nf4, "fp16": check_fp16, "speed": check_speed
    }  # fmt: skip
    check[name](rows)


def run_toy(name: str, rows: list, lines: list) -> None:
    catalog = importlib.import_module("gpu_parts.catalog")
    part_module = importlib.import_module("gpu_parts.part")
    [part] = [part for part in catalog.PARTS if part.name == name]

    def take(row, line):
        rows.append(row)
        lines.append(line)

    part.run(part_module.Context(True, 60.0, take))


def check_memory(rows):
    measured = [row for row in rows if "measured" in row]
    # On a CPU neither a chunked loss nor an 8-bit optimizer can be measured.
    assert len(measured) == 4 and len(rows) == 10
    assert all(abs(row["error"]) < 0.07 for row in measured)
    assert all("on a GPU only" in row["not_measured"] for row in rows if row not in measured)


def check_nf4(rows):
    assert len(rows) == 6
    assert all(row["other_codes"] == 0 for row in rows)
    # bitsandbytes looks scales up in a coarse table on a CPU; see tests/parity/test_nf4.py.
    assert all(row["largest_difference"] == 0 for row in rows if not row["double"])


def check_fp16(rows):
    assert [row["method"] for row in rows] == ["full", "lora"]
    assert all(row["finite"] and row["skipped"] == 0 and row["steps"] == 2 for row in rows)


def check_speed(rows):
    product, ours, theirs = rows
    assert product["flops"] > 0 and (ours["what"], theirs["what"]) == ("ours", "TRL + PEFT")
    assert ours["trained"] == theirs["trained"]
    assert ours["first_loss"] == pytest.approx(theirs["first_loss"], abs=1e-3)
    assert all(0 < row["share_of_peak"] < 1 for row in (ours, theirs))


def test_a_step_that_does_not_fit_says_what_it_needs(benchmarks):
    step_memory = importlib.import_module("gpu_parts.step_memory")
    *_, full = step_memory.estimates("Llama-3.1-8B", 1024)
    row, line = step_memory.measured(full, 24 * 2**30)
    assert "measured" not in row and "and 24.0 GB are free" in row["not_measured"]
    assert row["not_measured"] in line


def test_every_operation_of_a_step_is_counted(benchmarks):
    """By hand, for one layer with one head."""
    from ift_course.memory import Shape

    flops = importlib.import_module("gpu_parts.flops")
    shape = Shape("one", 10, 2, 3, 1, 1, 1, 2, tied=True)
    matrices = 4 * (2 * 2) + 3 * (2 * 3)
    head, attention = 2 * 10 * 2 * 1, 2 * 2 * 2 * 4 * 4 / 2
    forward = 2 * matrices * 4 + head
    assert flops.step_flops(shape, "full", [4], 1) == 3 * forward + 3 * attention
    assert flops.step_flops(shape, "lora", [4], 1) == 2 * forward + 3 * attention


def test_skipped_steps_of_the_scaler_are_counted(benchmarks):
    class Scaler:
        def get_scale(self):
            return 1024.0

    class Optimizer:
        scaler = Scaler()

        def __init__(self, skipped):
            self.step_was_skipped = skipped

    log = importlib.import_module("gpu_parts.fp16").ScalerLog()
    for skipped in (True, False, True):
        log.see(Optimizer(skipped))
    assert (log.skipped, log.scale) == (2, 1024.0)


@pytest.mark.weekly
def test_two_processes_have_the_losses_of_one(benchmarks):
    rows, lines = [], []
    run_toy("two-processes", rows, lines)
    [row] = rows
    assert row["backend"] == "gloo" and row["steps"] == 3
    assert row["largest_loss_difference"] < 1e-4


@pytest.mark.slow
def test_the_lessons_are_measured_on_a_random_gemma(
    benchmarks, real_base, real_rows, real_results, quick_recipe, monkeypatch
):
    from ift_course.lessons import real_parts as module

    gemma = importlib.import_module("gpu_parts.gemma")
    part_module = importlib.import_module("gpu_parts.part")
    monkeypatch.setattr(module, "real_parts", lambda names: [module.real_part("00")])
    rows = []
    gemma.measure_all(part_module.Context(False, 60.0, lambda row, line: rows.append(row)))
    assert [row["lesson"] for row in rows] == ["00", "00"]
