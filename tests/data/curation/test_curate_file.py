"""A data file is curated row by row: the report and the counts account for all of them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ift_course.data.curation.curate_file import curate_file
from ift_course.data.reading import read_records
from ift_course.data.samples import ROWS, VARIANTS
from ift_course.errors import CourseError


@pytest.fixture
def file(tmp_path) -> Path:
    """Six rows: two fine ones, a duplicate, an empty answer, one without an answer, no JSON."""
    path = tmp_path / "data.jsonl"
    fine = {"instruction": "Name the sound of a cow.", "output": "Moo", "license": "MIT"}
    lines = [
        json.dumps(ROWS["Alpaca"]),
        json.dumps(fine),
        "",
        json.dumps({"inputs": "Name the capital.\nFrance", "targets": "paris"}),
        json.dumps({"prompt": "Name a bird.", "completion": "..."}),
        json.dumps({"messages": [{"role": "user", "content": "Name a bird."}]}),
        "{no JSON",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_rows_keep_their_numbers_through_to_the_report(file, tmp_path):
    out, report = tmp_path / "out.jsonl", tmp_path / "why.jsonl"
    result = curate_file(file, out, 5, report=report, seed=0)
    assert (result.read, result.selected, result.dropped, result.rejected) == (6, 2, 2, 2)
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    assert [line["row"] for line in lines] == [1, 2, 4, 5, 6, 7]
    assert [line["selected"] for line in lines] == [True, True, False, False, False, False]
    assert (lines[2]["reason"], lines[2]["similar_row"]) == (
        "duplicate except for case or white space",
        1,
    )
    assert lines[3]["reason"] == "empty answer"
    assert lines[4]["reason"].startswith("cannot be used: the last turn must be the assistant's")
    assert [r.turns[-1].content for r in read_records(out)] == ["Paris", "Moo"]
    assert json.loads(out.read_text().splitlines()[1])["license"] == "MIT"
    assert result.rejects is not None
    rejects = [json.loads(line) for line in result.rejects.read_text().splitlines()]
    assert [line["row"] for line in rejects] == [6, 7]


def test_a_report_can_be_a_table_with_the_scores(file, tmp_path, tiny_llama):
    model, tokenizer = tiny_llama
    report = tmp_path / "why.csv"
    curate_file(file, tmp_path / "out.jsonl", 1, report=report, seed=0, model=model,
                tokenizer=tokenizer, prefer="low_ifd")  # fmt: skip
    rows = list(csv.DictReader(report.open()))
    assert [row["selected"] for row in rows].count("True") == 1
    assert float(rows[0]["ifd"]) > 0 and float(rows[0]["perplexity"]) > 1
    assert rows[3]["ifd"] == ""


@pytest.mark.parametrize("name", VARIANTS)
def test_every_schema_can_be_curated(name, tmp_path):
    path = tmp_path / "one.json"
    path.write_text(json.dumps([VARIANTS[name]]), encoding="utf-8")
    assert curate_file(path, tmp_path / "out.jsonl", 1, seed=0).selected == 1


def test_when_nothing_is_selected_the_report_says_why_and_an_old_result_stays(tmp_path):
    path, out, report = (tmp_path / name for name in ("in.jsonl", "out.jsonl", "why.csv"))
    path.write_text(json.dumps({"prompt": "Name a bird.", "completion": "..."}))
    out.write_text("an earlier result")
    with pytest.raises(CourseError, match=r"No row of .* was selected; 1 of 1: empty answer"):
        curate_file(path, out, 1, report=report, seed=0)
    assert out.read_text() == "an earlier result"
    assert "empty answer" in report.read_text()


def test_equal_or_unknown_file_names_are_refused(file, tmp_path):
    out = tmp_path / "out.jsonl"
    for options in ({"report": out}, {"report": file}, {"rejects": out}):
        with pytest.raises(CourseError, match="must be different files"):
            curate_file(file, out, 1, seed=0, **options)
    with pytest.raises(CourseError, match="must be different files"):
        curate_file(file, file, 1, seed=0)
    with pytest.raises(CourseError, match=r"a \.csv or \.jsonl file"):
        curate_file(file, out, 1, seed=0, report=tmp_path / "why.txt")
    with pytest.raises(CourseError, match="no folder"):
        curate_file(file, tmp_path / "none" / "out.jsonl", 1, seed=0)


def test_a_file_without_a_usable_row_is_one_sentence(tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text('{"body": "x"}\n')
    with pytest.raises(CourseError, match=r"None of the 1 rows of .* is usable; row 1: found"):
        curate_file(path, tmp_path / "out.jsonl", 1, seed=0)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.jsonl"]


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
rows_ = st.lists(st.sampled_from(list(VARIANTS.values())) | junk, min_size=1, max_size=15)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=rows_, keep=st.integers(1, 5))
def test_no_row_is_lost_whatever_it_holds(rows, keep, tmp_path):
    path, out, report = (tmp_path / name for name in ("in.jsonl", "out.jsonl", "why.jsonl"))
    good = {"prompt": "Say moo.", "completion": "Moo."}
    path.write_text("\n".join(json.dumps(row) for row in [good, *rows]), encoding="utf-8")
    result = curate_file(path, out, keep, report=report, seed=0)
    assert result.read == len(rows) + 1 == result.selected + result.dropped + result.rejected
    # Not splitlines: to it U+0085 ends a line too, and a JSON string may hold it.
    lines = [json.loads(line) for line in report.read_text(encoding="utf-8").split("\n") if line]
    assert [line["row"] for line in lines] == list(range(1, result.read + 1))
    n_selected = sum(line["selected"] for line in lines)
    assert n_selected == result.selected == len(read_records(out)) <= keep
    assert result.dropped + result.rejected == result.reasons.total()
