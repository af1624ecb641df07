"""Trusted work on what student code sends is linear, or it is ended in time."""

import contextlib
import gc
import json
import signal
import time
from types import SimpleNamespace

import pytest

from ift_course.exercises.values import NotPlainData
from ift_course.grading import gradebook, pool, wire
from ift_course.grading.attempt import TimeLimits
from ift_course.grading.grade import grade_class
from ift_course.grading.plan import GradingPlan
from ift_course.grading.pool import GradingConfig, _GradingProcess, _Scheduler, _Task
from ift_course.grading.submissions.submission import Submission
from tests.grading import a_class

P = (1 << 61) - 1  # Python's integers hash to themselves modulo this
DOCUMENTS = {
    "keys that are multiples": lambda n: {"dict": [[k * P, 0] for k in range(1, n)]},
    "keys with equal low bits": lambda n: {"dict": [[k << 40, 0] for k in range(1, n)]},
    "small dictionaries": lambda n: [{"dict": [[k * P, 0] for k in range(99)]}] * (n // 100),
    "text keys": lambda n: {"dict": [[f"key {k}", 0] for k in range(n)]},
    "one key again and again": lambda n: {"dict": [[7, 0]] * n},
    "large integers": lambda n: [k * P for k in range(n)],
    "integers of many digits": lambda n: [10**290 + k for k in range(n // 10)],
    "floats of many digits": lambda n: ["1" * 400] * (n // 100),
    "empty lists": lambda n: [[]] * n,
    "empty tuples": lambda n: [{"tuple": []}] * n,
    "tuples that collide": lambda n: [
        {"tuple": [-1 - (k >> i & 1) for i in range(16)]} for k in range(n // 16)
    ],
    "deep": lambda n: json.loads("[" * 20 + "]" * 20),
    "a row of nothing": lambda n: {"tensor": ["float32", [n * 1000, n * 1000, 0]]},
}


@pytest.fixture
def no_collector():
    """The garbage collector looks at everything that other tests have left in memory."""
    gc.disable()
    yield
    gc.enable()


def seconds(document):
    text = json.dumps(document).encode()
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        with contextlib.suppress(wire.Malformed):
            wire.unpack(text, b"")
        best = min(best, time.perf_counter() - start)
    return best


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_eight_times_the_values_take_about_eight_times_as_long(kind, no_collector):
    small, large = seconds(DOCUMENTS[kind](12_000)), seconds(DOCUMENTS[kind](96_000))
    assert large < 30 * small + 0.05, (small, large)
    assert large < 3


@pytest.mark.parametrize(
    "text",
    [
        b"1" * 4_000_000,
        b"0." + b"1" * 3_900_000,
        b"[" + b"[]," * 1_300_000 + b"[]]",
        b"[" * 4_000_000,
        b'"' + b"\\u0041" * 660_000 + b'"',
        b"{" + b",".join(b'"%d":1' % i for i in range(290_000)) + b"}",
    ],
    ids=["integer", "float", "lists", "deep", "escapes", "keys"],
)
def test_the_largest_documents_are_read_or_refused_within_a_second(text):
    assert len(text) <= wire.LONGEST_JSON
    start = time.perf_counter()
    with contextlib.suppress(wire.Malformed):
        wire.unpack(text, b"")
    assert time.perf_counter() - start < 1.5


def test_what_the_reader_would_refuse_is_not_sent():
    for value in ({k: 0 for k in range(wire.MOST_INT_KEYS + 1)}, [0] * (wire.MOST_ITEMS + 1)):
        with pytest.raises(NotPlainData):
            wire.pack(value)


# One check looks at the labels as sets, and nothing can interrupt it while it does.
CHECKS = '''
from ift_course.exercises import points
from ift_course.exercises.compare import equal


@points(2)
def test_lengths(learner):
    """As many labels as ids."""
    labels = learner.response_labels([1, 2, 3], 2)
    assert list(map(len, map(set, [labels] * 30))) == [2] * 30


@points(3)
def test_no_prompt(learner):
    """Without a prompt all is trained."""
    equal(learner.response_labels([5, 6], 0), [5, 6])
'''
COLLIDING = f"""{a_class.RIGHT}
right = response_labels
def response_labels(ids, prompt):
    if prompt == 2:
        return [tuple(-1 - (k >> i & 1) for i in range(15)) for k in range(22_000)]
    return right(ids, prompt)
"""
# Answers the request to run a cell in the grader's own form, with 60,000 keys of one hash.
SLOW_REPLY = f"""
import json, os, struct, time
pairs = [[k * {P}, 0] for k in range(1, 60000)]
text = json.dumps({{"tuple": ["done", {{"dict": pairs}}]}}).encode()
frame = struct.pack(">II", len(text), 0) + text
while frame:
    frame = frame[os.write(3, frame):]
time.sleep(100)
"""


@pytest.fixture
def run(tmp_path):
    """run({student: code}, times) -> (statuses by student and check, seconds that it took)."""

    def run(codes, times, checks=CHECKS):
        folder = tmp_path / "checks" / "lesson_90"
        folder.mkdir(parents=True)
        (folder / "test_1_response_labels.py").write_text(checks)
        (tmp_path / "class").mkdir()
        for student, code in codes.items():
            (tmp_path / "class" / f"{student}.py").write_text(code)
        start = time.monotonic()
        config = GradingConfig(GradingPlan("90", folder=tmp_path / "checks"), times)
        grade_class(tmp_path / "class", tmp_path / "out", config)
        book = gradebook.load(tmp_path / "out")
        statuses = {(x.student, c.id.partition("_")[2]): c.status for x in book.grades
                    for c in x.checks}  # fmt: skip
        return statuses, time.monotonic() - start

    return run


@pytest.mark.slow
def test_a_step_that_nothing_can_interrupt_loses_only_its_own_points(run):
    statuses, duration = run(
        {"eve": COLLIDING, "zoe": a_class.RIGHT}, TimeLimits(cell=3, check=0.5)
    )
    assert statuses == {("eve", "lengths"): "timeout", ("eve", "no_prompt"): "passed",
                        ("zoe", "lengths"): "passed", ("zoe", "no_prompt"): "passed"}  # fmt: skip
    assert duration < 40


def test_a_slow_reply_to_a_cell_costs_no_more_than_the_limits(run):
    codes = {"eve": SLOW_REPLY, "zoe": a_class.RIGHT}
    statuses, duration = run(codes, TimeLimits(cell=2, check=0.5))
    assert {statuses["zoe", x] for x in ("lengths", "no_prompt")} == {"passed"}
    assert "passed" not in {statuses["eve", x] for x in ("lengths", "no_prompt")}
    assert duration < 15


def test_where_every_check_hangs_the_class_is_still_graded(run):
    checks = CHECKS + "".join(
        f"\n@points(1)\ndef test_more_{n}(learner):\n"
        f"    labels = learner.response_labels([1, 2, 3], 2)\n"
        f"    assert list(map(len, map(set, [labels] * 30))) == [2] * 30\n"
        for n in range(5)
    )  # fmt: skip
    codes = {"eve": COLLIDING, "zoe": a_class.RIGHT}
    statuses, duration = run(codes, TimeLimits(cell=3, check=0.3), checks)
    assert [statuses.pop(("eve", x)) for x in ("lengths", "no_prompt")] == ["timeout", "passed"]
    assert {x for (who, _), x in statuses.items() if who == "eve"} == {"timeout"}
    assert {x for (who, _), x in statuses.items() if who == "zoe"} == {"passed"}
    assert duration < 90


def test_after_so_many_steps_that_hang_a_person_has_to_look():
    scheduler = new_scheduler(1, 1, 1.0, [1.0])
    submission = Submission("eve", "Eve", "eve.py", b"")
    check_ids = [check.id for _, check in GradingPlan("01").checks]
    hung = {
        "task": _Task(submission, check_ids, ("a", "b", "c")),
        "step": "d",
        "kill": lambda: None,
    }
    for expected in ([], [{"needs review"}]):
        scheduler._processes = [SimpleNamespace(**hung)]
        graded = scheduler._lose(scheduler._processes[0], hung=True)
        assert [{x["status"] for x in verdicts} for verdicts, _ in graded] == expected
        hung["task"], hung["step"] = (scheduler._queue or [None])[0], "e"


def test_an_answer_after_the_limit_earns_nothing(run):
    checks = CHECKS.replace("    equal(", "    import time\n    time.sleep(0.8)\n    equal(")
    statuses, _ = run({"ann": a_class.RIGHT}, TimeLimits(check=0.5), checks)
    assert statuses == {("ann", "lengths"): "passed", ("ann", "no_prompt"): "timeout"}


def new_scheduler(most, left, startup_seconds, durations):
    scheduler = _Scheduler(GradingConfig(GradingPlan("01")), most, left)
    scheduler._startup_seconds, scheduler._durations = startup_seconds, durations
    scheduler._processes = [SimpleNamespace(ready=True)]
    return scheduler


def test_a_second_process_is_started_only_where_it_saves_time():
    assert not new_scheduler(2, 30, 3.0, [0.3] * 2)._saves_time_with_another()
    assert new_scheduler(2, 300, 3.0, [0.3] * 2)._saves_time_with_another()
    assert not new_scheduler(1, 300, 3.0, [0.3] * 2)._saves_time_with_another()
    assert not new_scheduler(2, 300, 3.0, [])._saves_time_with_another(), (
        "nothing has been measured yet"
    )


@pytest.mark.slow
def test_slow_cells_are_not_run_again_for_every_check_that_crashes(run):
    checks = CHECKS + "".join(
        f"\n@points(1)\ndef test_more_{n}(learner):\n    learner.response_labels([1, 2, 3], 2)\n"
        for n in range(20)
    )
    slow = "import os, time\ntime.sleep(1.5)\n# %%\n" + a_class.CRASH
    statuses, duration = run({"eve": slow}, TimeLimits(cell=3, check=1, cells=2), checks)
    assert set(statuses.values()) == {"crashed", "timeout"}
    assert duration < 20, "22 crashes, and 1.5 seconds to get to each of them"


def test_a_run_that_is_stopped_does_not_wait_for_a_process_that_hangs(monkeypatch):
    monkeypatch.setattr(pool, "ENDING", 1.0)
    process = _GradingProcess(GradingConfig(GradingPlan("90", folder=a_class.FOLDER)))
    process.process.send_signal(signal.SIGSTOP)  # as one call into C, it handles no signal
    process.process.terminate()
    start = time.monotonic()
    process.end()
    assert time.monotonic() - start < 10 and process.process.returncode is not None
