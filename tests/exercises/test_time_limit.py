"""A function that never ends is stopped in the learner's own kernel, and a card reports it."""

import contextlib
import signal
import threading
import time

import pytest

import ift_course as ift
from ift_course.exercises import catalog, notebook_api, time_limit
from ift_course.exercises.learner import ENDLESS
from ift_course.exercises.report import report
from tests.exercises import learners

HALF = catalog.by_id("01.2")


def counts():
    number = 0
    while True:
        number += 1


def catches_everything():
    while True:
        try:
            counts()
        except BaseException:
            continue


def tries_again_in_the_handler():
    while True:
        with contextlib.suppress(BaseException):
            try:
                counts()
            finally:
                counts()


def consumes_an_endless_iterator():
    return [x for x in iter(int, 1) if x]


LOOPS = [counts, catches_everything, tries_again_in_the_handler, consumes_an_endless_iterator]
TIMERS = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers here")


@pytest.fixture(params=[pytest.param(time_limit.SignalGuard, marks=TIMERS), time_limit.ThreadGuard])
def way(request, monkeypatch):
    monkeypatch.setattr(time_limit, "guard_here", lambda: request.param)


@pytest.mark.parametrize("loop", LOOPS, ids=lambda x: x.__name__)
def test_an_endless_loop_in_python_is_stopped(way, loop):
    start = time.monotonic()
    with pytest.raises(time_limit.StillRunning):
        time_limit.limited(loop, 0.2)
    assert 0.15 < time.monotonic() - start < 10


@pytest.mark.parametrize("loop", LOOPS, ids=lambda x: x.__name__)
def test_an_endless_loop_in_another_thread_is_stopped(loop):
    stopped = threading.Event()

    def run():
        with contextlib.suppress(time_limit.StillRunning):
            time_limit.limited(loop, 0.2)
        stopped.set()

    threading.Thread(target=run, daemon=True).start()
    assert stopped.wait(20)


def test_what_ends_in_time_returns_and_nothing_comes_later(way):
    for _ in range(20):
        assert time_limit.limited(lambda: time.sleep(0.004) or 7, 0.3) == 7
    time.sleep(0.4)
    with pytest.raises(KeyError):
        time_limit.limited(lambda: {}["x"], 1)


def test_an_end_close_to_the_limit_is_one_or_the_other(way):
    """No exception arrives after the block, however the two race."""
    for number in range(2000):
        with contextlib.suppress(time_limit.StillRunning):
            time_limit.limited(lambda: sum(range(2000)), 1e-6 + number % 100 * 5e-6)
    for _ in range(200_000):
        pass


def gives_up_when_interrupted():
    try:
        counts()
    except BaseException:
        return "an answer"


def test_nothing_is_left_behind_when_the_exception_was_caught(way):
    alarm = getattr(signal, "SIGALRM", signal.SIGINT)
    handler, threads = signal.getsignal(alarm), threading.active_count()
    for _ in range(20):
        with contextlib.suppress(time_limit.StillRunning):
            time_limit.limited(gives_up_when_interrupted, 0.02)
        assert signal.getsignal(alarm) is handler
    time.sleep(0.2)
    assert threading.active_count() <= threads


@TIMERS
def test_sleep_is_stopped_and_a_timer_of_somebody_elses_handler_is_back():
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(time_limit.StillRunning):
        time_limit.limited(lambda: time.sleep(100), 0.2)
    assert signal.getsignal(signal.SIGALRM) is before


def endless_perplexity(losses):
    if not any(losses):
        raise ValueError("no token")
    total = 0.0
    while total < 1:
        total += 0.0
    return total


@pytest.fixture
def short(monkeypatch, tmp_path):
    monkeypatch.setattr(notebook_api, "LIMIT", 0.5)
    monkeypatch.setenv("IFT_PROGRESS", str(tmp_path / "progress.json"))


def test_a_card_says_that_the_function_was_stopped_and_where(short, capsys):
    endless_perplexity.__name__ = "perplexity"
    start = time.monotonic()
    ift.check(endless_perplexity)
    text = capsys.readouterr().out
    assert time.monotonic() - start < 5
    assert text.count(ENDLESS) == 1 and "on your line" in text and "total" in text
    assert "Traceback" not in text and "StillRunning" not in text


def test_one_endless_case_costs_only_the_checks_that_ask_for_it():
    right = learners.namespace(HALF)["perplexity"]

    def perplexity(losses):
        while not losses or ([] in losses and any(losses)):
            pass
        return right(losses)

    result = report(HALF, {"perplexity": perplexity}, limit=0.5)
    statuses = {x.check.partition("/")[2]: x.status for x in result.verdicts}
    assert statuses["test_one_document"] == statuses["test_each_token_counts_the_same"] == "passed"
    assert statuses["test_empty_documents"] == "error"


@pytest.fixture
def interrupt_soon():
    """A function that presses Ctrl-C after 0.3 s.

    A job in the background of a script ignores that signal, and so does a pytest in it.
    """
    if not hasattr(signal, "pthread_kill"):
        pytest.skip("no signals here")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    main = threading.main_thread().ident
    yield lambda: threading.Timer(0.3, signal.pthread_kill, (main, signal.SIGINT)).start()
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_is_a_card_and_nothing_is_counted(
    tmp_path, monkeypatch, capsys, interrupt_soon
):
    monkeypatch.setenv("IFT_PROGRESS", str(tmp_path / "progress.json"))
    endless_perplexity.__name__ = "perplexity"
    interrupt_soon()
    ift.check(endless_perplexity)
    text = capsys.readouterr().out
    assert text.startswith("• Interrupted: 01.2") and "It was on line" in text
    assert not (tmp_path / "progress.json").exists()


def test_an_interrupt_in_jupyter_is_a_line_and_stops_the_cells_that_wait(
    tmp_path, monkeypatch, interrupt_soon
):
    from IPython.core.interactiveshell import InteractiveShell

    monkeypatch.setenv("IFT_PROGRESS", str(tmp_path / "progress.json"))
    shell = InteractiveShell.instance()
    monkeypatch.setattr(notebook_api, "show", lambda card: None)
    lines = []
    monkeypatch.setattr(shell, "_showtraceback", lambda kind, value, text: lines.extend(text))
    try:
        shell.run_cell("def perplexity(losses):\n    while True: pass\nimport ift_course as ift")
        interrupt_soon()
        result = shell.run_cell("ift.check(perplexity)")
    finally:
        InteractiveShell.clear_instance()
    assert isinstance(result.error_in_exec, notebook_api.Interrupted)
    assert lines == ["Interrupted."]


def test_a_name_that_holds_its_own_result_is_a_card(capsys):
    names = {"ift": ift, "collate": {"input_ids": []}}
    exec("ift.check(collate)", names)
    text = capsys.readouterr().out
    assert text.startswith("• Nothing to check: The name collate holds a dict")
    exec("collate = collate['input_ids']\nift.check(collate)", names)
    assert "collate holds a list" in capsys.readouterr().out
