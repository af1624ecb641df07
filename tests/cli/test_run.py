"""`ift run` executes lessons, keeps their results, and reports each problem in a sentence."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from ift_course.cli import app

BROKEN = """\
# %%
x = 1

# %%
def divide():
    return x / 0

divide()
"""

CLAIMING = """\
# %%
import json, os, pathlib
path = pathlib.Path(os.environ["IFT_RESULTS"], os.environ["IFT_PROFILE"], "claims.json")
claim = dict(id="01.toys", lesson="01", statement="Toys are fun.", source="a test", metric="fun",
             arms={"toys": [0.4, 0.6]}, of=["toys"], effect=0.5, interval=[0.4, 0.6], holds=HOLDS,
             method="over seeds", at_least=0.1, at_most=None, seconds=1, peak_mb=1)
path.write_text(json.dumps([claim]))
"""

SLOW = """\
# %%
import time
from types import SimpleNamespace
for _ in range(6000):
    time.sleep(0.1)
"""


def ift(*arguments):
    return CliRunner().invoke(app, list(arguments))


def claims(course):
    return json.loads((course.results / "tiny" / "claims.json").read_text())


def test_a_run_keeps_timing_notebook_and_report(course):
    course.lesson("01_fine")
    result = ift("run")
    assert result.exit_code == 0, result.output
    folder = course.results / "tiny"
    timings = json.loads((folder / "lessons.json").read_text())
    (timing,) = [x for x in timings if x["lesson"] == "01"]  # the others are the published ones
    assert (timing["lesson"], timing["title"]) == ("01", "A fine lesson")
    assert (timing["status"], timing["cells"]) == ("ok", 1)
    assert timing["peak_mb"] > 10, "a kernel needs more than that"
    executed = json.loads((folder / "notebooks" / "01_fine.ipynb").read_text())
    assert executed["cells"][1]["outputs"][0]["data"]["text/plain"] == ["42"]
    assert str(folder / "report.html") in result.output


def test_a_failing_cell_is_named_with_its_error_and_line(course):
    course.lesson("01_fine")
    course.lesson("02_broken", BROKEN)
    result = ift("run")
    assert result.exit_code == 1
    assert "Lesson 02, cell 2: ZeroDivisionError: division by zero\n    divide()" in result.stderr
    assert "Traceback" not in result.output
    stored = json.loads((course.results / "tiny" / "lessons.json").read_text())
    statuses = {x["lesson"]: x["status"] for x in stored}  # the others are the published ones
    assert (statuses["01"], statuses["02"]) == ("ok", "failed"), "the other lesson's run is kept"


@pytest.mark.parametrize("holds", [True, False])
def test_a_claim_that_does_not_hold_fails_the_run(course, holds):
    course.lesson("01_claims", CLAIMING.replace("HOLDS", str(holds)))
    result = ift("run")
    assert result.exit_code == (0 if holds else 1)
    verdict = "claim 01.toys does not hold: Toys are fun."
    assert (verdict in result.stderr) == (not holds)


def test_a_claim_its_lesson_no_longer_makes_does_not_survive(course):
    course.lesson("01_claims", CLAIMING.replace("HOLDS", "False"))
    assert ift("run").exit_code == 1
    course.lesson("01_claims")
    result = ift("run")
    assert result.exit_code == 0
    assert claims(course) == []


@pytest.mark.slow
def test_a_stated_claim_that_is_no_longer_measured_fails_the_run_until_the_page_is_built(course):
    (course.notebooks.parent / "docs").mkdir()
    course.lesson("01_claims", CLAIMING.replace("HOLDS", "True"))
    assert ift("build").exit_code == 0
    assert ift("run").exit_code == 0
    course.lesson("01_claims")
    result = ift("run")
    assert result.exit_code == 1
    assert "Lesson 01 no longer measures the claim 01.toys, which docs/claims.md" in result.stderr
    result = ift("run", "--seed", "7")
    assert result.exit_code == 1
    assert "ift run 01 --full --seed 7 --seeds N" in result.stderr
    assert ift("build").exit_code == 0
    assert ift("run").exit_code == 0


def test_a_claim_whose_grid_is_not_stored_names_the_command_that_computes_it(monkeypatch):
    from ift_course.authoring import generated_docs
    from ift_course.claims import grids
    from ift_course.cli.run import _missing_claims

    outcome = SimpleNamespace(error="", lesson=SimpleNamespace(number="03"), claims=[])
    monkeypatch.setattr(generated_docs, "published_claim_ids", lambda number: ["03.one"])
    for missing, remedy in ((7, "`ift run 03 --full`"), (0, "run: ift build 03")):
        monkeypatch.setattr(grids, "n_missing", lambda number, n=missing, **_: n)
        [sentence] = _missing_claims(outcome, None)
        assert "03.one" in sentence and remedy in sentence


def test_a_lesson_that_kills_its_kernel_is_one_sentence(course):
    course.lesson("01_dies", "# %%\nimport os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    result = ift("run")
    assert result.exit_code == 1
    assert "Lesson 01, cell 1: the kernel died" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send")
def test_ctrl_c_ends_the_kernels_and_keeps_what_was_finished(course):
    course.lesson("01_claims", CLAIMING.replace("HOLDS", "True"))
    assert ift("run").exit_code == 0
    course.lesson("01_claims", CLAIMING.replace("HOLDS", "False") + SLOW)
    course.lesson("02_fine")
    process = subprocess.Popen(
        course.command("run", "--jobs", "2"),
        stderr=subprocess.PIPE,
        text=True,
        env=course.environment,
        # Under nohup, and in some CIs, Ctrl-C is ignored from the start, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    notebook = course.results / "tiny" / "notebooks" / "02_fine.ipynb"
    deadline = time.monotonic() + 300
    try:
        while not notebook.exists() or not claims_of_running(course):
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=300)
    finally:
        process.kill()
    assert process.returncode == 130
    assert stderr.rstrip().endswith("Stopped. Finished work is kept.")
    assert "Traceback" not in stderr
    assert [x["holds"] for x in claims(course)] == [True], "the unfinished lesson's are as before"
    stored = json.loads((course.results / "tiny" / "lessons.json").read_text())
    statuses = {x["lesson"]: x["status"] for x in stored}
    assert (statuses["01"], statuses["02"]) == ("ok", "ok")


def claims_of_running(course):
    return any(not x["holds"] for x in claims(course))


def test_a_full_disk_is_one_sentence(course, monkeypatch):
    course.lesson("01_fine")

    def raise_full_disk(*_):
        raise OSError(errno.ENOSPC, "No space left on device", "results/tiny/notebooks/x.ipynb")

    monkeypatch.setattr("ift_course.authoring.build.write", raise_full_disk)
    result = ift("run")
    assert result.exit_code == 1
    assert "The disk is full at results/tiny/notebooks/x.ipynb; free some space" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("word", ["2", "07", "99_no_such", "fine"])
def test_an_unknown_lesson_lists_the_known_ones(course, word):
    course.lesson("01_fine")
    result = ift("run", word)
    assert result.exit_code == 2
    assert f'There is no lesson "{word}"; the lessons are 01_fine.' in result.stderr


def test_an_unknown_profile_lists_the_known_ones(course):
    course.lesson("01_fine")
    result = ift("run", "--profile", "huge")
    assert result.exit_code == 2
    message = " ".join(result.stderr.replace("│", " ").split())
    assert "'huge' is not one of 'tiny', 'smollm2', 'gemma', 't4', 'gpu24'" in message


def test_a_source_that_is_not_python_names_file_and_line_and_runs_nothing(course):
    course.lesson("01_fine")
    course.lesson("02_typo", "# %%\nx = 1\n\n# %%\nprint(x\n")
    result = ift("run")
    assert result.exit_code == 2
    assert "02_typo.py, line 5 is not valid Python: '(' was never closed." in result.stderr
    assert not (course.results / "tiny" / "lessons.json").exists()


def test_no_lessons_at_all_is_one_sentence(course):
    result = ift("run")
    assert result.exit_code == 2
    assert f"There are no lessons in {course.notebooks}." in result.stderr


def test_a_damaged_ledger_is_named_with_its_remedy(course):
    course.lesson("01_fine")
    (course.results / "tiny").mkdir(parents=True)
    (course.results / "tiny" / "claims.json").write_text("[{")
    result = ift("run")
    assert result.exit_code == 2
    assert "claims.json is damaged; delete it and run the lessons again." in result.stderr


SEEDED = """\
# %%
import ift_course as ift
profile = ift.setup("01")

# %%
import random
ift.claim("01.toys", "Toys are fun.", source="a test", metric="fun", effect="toys", at_least=-9.0,
          arms={"toys": [random.Random(seed).random() + seed for seed in profile.seeds]})
"""


@pytest.mark.slow
def test_seed_shifts_the_seeds_and_keeps_what_comes_out_beside_the_published(course):
    course.lesson("01_seeds", SEEDED)
    assert ift("run").exit_code == 0
    published = (course.results / "tiny" / "claims.json").read_bytes()
    assert [int(x) for x in claims(course)[0]["arms"]["toys"]] == [0, 1, 2]
    result = ift("run", "--seed", "7")
    assert result.exit_code == 0, result.output
    beside = course.results / "tiny" / "seeds" / "7"
    [shifted] = json.loads((beside / "claims.json").read_text())
    assert [int(x) for x in shifted["arms"]["toys"]] == [7, 8, 9]
    assert (beside / "notebooks" / "01_seeds.ipynb").exists()
    assert str(beside / "report.html") in result.output
    assert (course.results / "tiny" / "claims.json").read_bytes() == published
    assert "IFT_SEED" not in os.environ, "the next run has the published seeds again"


@pytest.mark.slow
def test_with_other_seeds_a_claim_that_no_longer_holds_fails_the_run(course):
    course.lesson("01_seeds", SEEDED.replace("at_least=-9.0", "at_most=9.0"))
    assert ift("run").exit_code == 0
    result = ift("run", "--seed", "7")
    assert result.exit_code == 1
    assert "claim 01.toys does not hold" in result.stderr


def test_full_computes_the_grids_before_the_lessons(course, monkeypatch):
    from ift_course.claims import grids

    course.lesson("01_fine")
    course.lesson("03_grid")
    calls = []

    def compute(number, *, seeds, profile, jobs, on_progress):
        on_progress(0, 1, None)
        calls.append((number, list(seeds), profile))

    monkeypatch.setattr(grids, "full", compute)
    result = ift("run", "--full", "--seeds", "5")
    assert result.exit_code == 0, result.output
    assert ift("run", "--full", "--seed", "4").exit_code == 0
    expected = [("03", [0, 1, 2, 3, 4], "tiny"), ("03", [4, 5, 6], "tiny")]
    assert calls == expected, "only lessons that have a grid"
    assert (course.results / "tiny" / "notebooks" / "03_grid.ipynb").exists()


def test_a_log_file_gets_a_line_for_each_lesson_and_each_row_of_a_grid(course, monkeypatch):
    from ift_course.claims import grids

    course.lesson("03_grid")
    monkeypatch.setattr(grids, "full", lambda *_, on_progress, **__: on_progress(1, 2, None))
    lines = ift("run", "--full").stderr.splitlines()
    assert "grid of lesson 03: 1 of 2" in [line.strip() for line in lines]
    assert any(line.startswith("03_grid: ok, ") for line in lines)


def test_full_on_a_lesson_without_a_grid_is_said_and_runs_nothing(course):
    course.lesson("01_fine")
    result = ift("run", "01", "--full")
    assert result.exit_code == 2
    assert "Lesson 01 has no grid" in result.stderr
    assert not (course.results / "tiny").exists()


def test_the_summary_has_the_published_effects_beside_ones_own(course, tmp_path, monkeypatch):
    from ift_course.claims import store

    course.lesson("01_toys", CLAIMING.replace("HOLDS", "True"))
    assert "published" not in ift("run").output
    published = tmp_path / "published" / "tiny" / "claims.json"
    published.parent.mkdir(parents=True)
    published.write_text(json.dumps([claim | {"effect": 0.7} for claim in claims(course)]))
    monkeypatch.setattr(store, "evidence_root", lambda: tmp_path / "published")
    lines = [line.split() for line in ift("run").output.splitlines()]
    assert ["claim", "yours", "published"] in lines
    assert ["01.toys", "0.5", "0.7"] in lines
