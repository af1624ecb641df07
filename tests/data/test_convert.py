"""Conversion keeps every row: json_lines, or rejected with its number and the reason."""

from __future__ import annotations

import csv
import json
import time
import tracemalloc

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ift_course.data.convert import convert
from ift_course.data.files import Rows
from ift_course.data.inspection import inspect
from ift_course.data.samples import CONVERSATION, ROWS, VARIANTS
from ift_course.errors import CourseError


def write(folder, rows, kind: str):
    path = folder / f"data.{kind}"
    if kind == "json":
        path.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    elif kind == "jsonl":
        path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    elif kind == "parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, list(rows[0]))
            table.writeheader()
            cells = [{k: json.dumps(v) if isinstance(v, list) else v for k, v in row.items()}
                     for row in rows]  # fmt: skip
            table.writerows(cells)
    return path


def lines(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("kind", ["json", "jsonl", "parquet", "csv"])
@pytest.mark.parametrize("name", ROWS)
def test_every_schema_in_every_kind_of_file(name, kind, tmp_path):
    path, out = write(tmp_path, [ROWS[name]] * 3, kind), tmp_path / "out.jsonl"
    account = convert(path, out)
    assert (account.read, account.used, account.rejected) == (3, 3, 0)
    rows = [row.get("messages") or row["prompt"] + row["chosen"] for row in lines(out)]
    assert rows == [CONVERSATION] * 3
    assert sorted(p.name for p in tmp_path.iterdir()) == [path.name, "out.jsonl"]


def test_the_other_layout_and_the_data_set_s_origin_and_license(tmp_path):
    path, out = write(tmp_path, [ROWS["LIMA"], ROWS["Alpaca"]], "jsonl"), tmp_path / "out.jsonl"
    convert(path, out, to="prompt-completion", origin="mixed", license="CC-BY-4.0")
    split = {"prompt": CONVERSATION[:1], "completion": CONVERSATION[1:], "license": "CC-BY-4.0"}
    assert lines(out) == [split | {"origin": "stackexchange"}, split | {"origin": "mixed"}]


def test_rejected_rows_are_kept_with_number_reason_and_data(tmp_path):
    rows = [ROWS["Dolly"], {"body": "Paris"}, ROWS["Flan"], {"inputs": "Why?", "targets": ""}]
    path, out = write(tmp_path, rows, "jsonl"), tmp_path / "out.jsonl"
    with path.open("a", encoding="utf-8") as file:
        file.write('\n{"prompt": "Why?", \n')
    account = convert(path, out, rejects=tmp_path / "bad.jsonl")
    assert (account.read, account.used, account.rejected) == (5, 2, 3)
    bad = lines(tmp_path / "bad.jsonl")
    assert [entry["row"] for entry in bad] == [2, 4, 5]
    assert bad[0]["data"] == {"body": "Paris"}
    assert "not valid JSON" in bad[2]["reason"]
    assert account.schemas == {"Dolly": 1, "Flan": 1}


# Whatever JSON can say, and rows that are nearly right.
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
anything = st.recursive(
    scalars,
    lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=5), x, max_size=3),
    max_leaves=6,
)  # fmt: skip
names = sorted({column for row in VARIANTS.values() for column in row} | {"from", "value", "role"})
nearly = st.sampled_from(list(VARIANTS.values())).flatmap(
    lambda row: st.dictionaries(st.sampled_from(names), anything, max_size=2).map(row.__or__)
)
parts = st.fixed_dictionaries(
    {},
    optional={"from": anything, "value": anything, "content": anything,
              "role": st.sampled_from(["user", "gpt", 3, None])},
)  # fmt: skip
turned = st.sampled_from(["conversations", "messages", "prompt", "chosen", "completion"]).flatmap(
    lambda name: st.fixed_dictionaries({name: st.lists(parts | anything, max_size=3)})
)
broken = st.sampled_from(
    [b"{", b"nul", b'{"a": \xff}', b'"\\ud800"', b"[" * 3000, b"1" * 5000, b"NaN", b'{"a"}', b"\0"]
)
line = broken | (anything | nearly | turned).map(lambda row: json.dumps(row).encode())
unhurried = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@unhurried
@given(st.lists(line, max_size=8))
def test_no_row_of_a_jsonl_file_is_lost_and_none_stops_the_run(tmp_path_factory, json_lines):
    folder = tmp_path_factory.mktemp("fuzz")
    good = json.dumps(ROWS["Alpaca"]).encode()
    (folder / "data.jsonl").write_bytes(b"\n".join([good, *json_lines]))
    account = convert(folder / "data.jsonl", folder / "out.jsonl")
    assert account.read == 1 + len(json_lines) == account.used + account.rejected
    assert len(lines(folder / "out.jsonl")) == account.used
    bad = folder / "out.rejects.jsonl"
    assert len(lines(bad) if bad.exists() else []) == account.rejected
    assert inspect(folder / "data.jsonl").usable == account.used


@unhurried
@given(st.lists(anything | nearly | turned, max_size=8))
def test_no_row_of_a_json_array_is_lost(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("fuzz")
    path = write(folder, [ROWS["Alpaca"], *rows], "json")
    account = convert(path, folder / "out.jsonl")
    assert account.read == 1 + len(rows) == account.used + account.rejected


@unhurried
@given(st.binary(max_size=300))
def test_bytes_of_any_kind_are_read_or_refused_in_one_sentence(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("bytes")
    for name in ("data.json", "data.jsonl", "data.csv", "data.parquet"):
        (folder / name).write_bytes(content)
        try:
            account = convert(folder / name, folder / "out.jsonl")
        except CourseError as error:
            assert "\n" not in str(error)
        else:
            assert account.read == account.used + account.rejected


def test_a_row_longer_than_the_window_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("ift_course.data.json_rows.WINDOW", 16)
    rows = [ROWS["Alpaca"], 12345, ROWS["LIMA"], 1.5, [], "é" * 40, None]
    path = write(tmp_path, rows, "json")
    assert [row for _, row in Rows(path)] == rows
    assert [number for number, _ in Rows(path)] == [1, 2, 3, 4, 5, 6, 7]


def test_objects_over_many_lines_are_rows_too(tmp_path):
    path = tmp_path / "data.json"
    path.write_text("\n".join(json.dumps(row, indent=1) for row in ROWS.values()))
    assert [row for _, row in Rows(path)] == list(ROWS.values())


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.jsonl", b"", "is empty"),
        ("a.json", b"[]", "has no rows"),
        (
            "a.json",
            b'[{"prompt": "a", "completion": "b"},',
            "row 2, line 1: not valid JSON .it ends before",
        ),
        (
            "a.json",
            b'[{"prompt": "a", "completion": "b"}, {"prompt" 1}]',
            "row 2, line 1: not valid JSON",
        ),
        ("a.json", b'[{"prompt": "a", "completion": "b"}] {}', "text after its closing bracket"),
        ("a.jsonl", b'{"body": "a"}\n' * 3, "None of the 3 rows of .* row 1: found the columns"),
        ("a.txt", b"hello", "neither JSON nor JSONL nor Parquet"),
        ("a.parquet", b"hello", "is not a Parquet file"),
        ("a.parquet", b"PAR1 and no more", "damaged Parquet"),
        ("a.json", b"\x1f\x8b\x08", "cannot be decompressed"),
        ("a.csv", b"instruction,output\n", "has no rows"),
    ],
)
def test_an_unusable_file_is_refused_and_nothing_is_written(name, content, complaint, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CourseError, match=complaint):
        convert(tmp_path / name, tmp_path / "out.jsonl")
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_places_that_cannot_be_written_are_refused(tmp_path):
    path = write(tmp_path, [ROWS["Alpaca"]], "jsonl")
    with pytest.raises(CourseError, match="three different files"):
        convert(path, path)
    with pytest.raises(CourseError, match="no folder"):
        convert(path, tmp_path / "none" / "out.jsonl")
    with pytest.raises(CourseError, match="There is no file"):
        convert(tmp_path / "none.jsonl", tmp_path / "out.jsonl")


def test_csv_rows_that_do_not_fit_their_header_are_rejected(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text('instruction,output\nSay,It\na,b,c\n"two\nlines",It\n\nonly\nx,\n')
    account = convert(path, tmp_path / "out.jsonl")
    assert (account.read, account.used, account.rejected) == (5, 2, 3)
    assert account.reasons["3 cells, but the header names 2 columns"] == 1


def test_a_run_that_is_stopped_leaves_the_old_file(tmp_path):
    path, out = write(tmp_path, [ROWS["Alpaca"]] * 500, "jsonl"), tmp_path / "out.jsonl"
    out.write_text("old")

    def stop(rows, account):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(path, out, on_rows=stop)
    assert out.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    "kind", ["jsonl", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("json", "csv"))]
)
def test_memory_does_not_grow_with_the_file(kind, tmp_path, monkeypatch):
    monkeypatch.setattr("ift_course.data.json_rows.WINDOW", 2**14)
    peaks = []
    for rows in (1000, 6000):
        path = write(tmp_path, [ROWS["Alpaca"]] * rows, kind)
        convert(path, tmp_path / "warm.jsonl")
        tracemalloc.start()
        convert(path, tmp_path / "out.jsonl")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0] + 20_000


def test_inspection_counts_what_is_there(tmp_path):
    rows = [ROWS["Dolly"]] * 3 + [
        ROWS["preference"],
        {"body": "x"},
        ROWS["Dolly"] | {"response": "?"},
    ]
    result = inspect(write(tmp_path, rows, "jsonl"))
    assert (result.kind, result.rows, result.usable) == ("JSONL", 6, 5)
    assert result.account.schemas == {"Dolly": 4, "preference": 1}
    assert (result.duplicates, result.repeated_prompts, result.preferences) == (2, 4, 1)
    assert result.turns == {2: 5}
    assert result.prompt.longest == len("Name the capital.\nFrance")
    assert len(result.examples) == 3
    assert sum(result.account.reasons.values()) == 1


def test_a_hundred_thousand_rows_take_less_than_a_minute(tmp_path):
    path = write(tmp_path, [ROWS["ShareGPT"]] * 10_000, "jsonl")
    started = time.process_time()  # of this process: other work on the machine does not count
    assert convert(path, tmp_path / "out.jsonl").used == 10_000
    assert time.process_time() - started < 6
