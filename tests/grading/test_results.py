"""The file of results survives whatever kills a run."""

import pytest

from ift_course.errors import CourseError
from ift_course.grading.results import ResultsFile, read


def line(check, status="passed", key="k"):
    return {"kind": "verdict", "student": "ann", "check": check, "status": status, "key": key}


def test_what_was_added_is_read_again_and_the_last_line_counts(tmp_path):
    path = tmp_path / "out" / "results.jsonl"
    with ResultsFile(path) as file:
        file.add([line("a"), line("b")])
        file.add([line("a", "failed", "k2")])
        assert file.results.has("ann", "b", "k") and not file.results.has("ann", "a", "k")
    assert read(path).verdicts["ann", "a"]["status"] == "failed"


@pytest.mark.parametrize("cut", range(1, 40, 3))
def test_half_a_line_is_no_line_and_what_follows_does_not_join_it(tmp_path, cut):
    path = tmp_path / "results.jsonl"
    with ResultsFile(path) as file:
        file.add([line("a"), line("b")])
    path.write_bytes(path.read_bytes()[:-cut])
    assert list(read(path).verdicts) == [("ann", "a")]
    with ResultsFile(path) as file:
        file.add([line("c")])
    assert list(read(path).verdicts) == [("ann", "a"), ("ann", "c")]


def test_a_damaged_line_in_the_middle_is_named(tmp_path):
    path = tmp_path / "results.jsonl"
    path.write_text('{"kind": "plan"}\nnonsense\n{"kind": "plan"}\n')
    with pytest.raises(CourseError, match="Line 2"):
        read(path)


def test_two_runs_do_not_write_at_once(tmp_path):
    with ResultsFile(tmp_path / "results.jsonl"), pytest.raises(CourseError, match="Another run"):
        ResultsFile(tmp_path / "results.jsonl")
