"""Every accepted layout becomes the same record, and every bad row is named with its remedy."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ift_course.data.fields import MISSING_TEXTS
from ift_course.data.reading import read_records
from ift_course.data.records import Record, user_text
from ift_course.errors import CourseError

EXPECTED = [
    {"role": "user", "content": "Name the capital.\nFrance"},
    {"role": "assistant", "content": "Paris"},
]
USER, ASSISTANT = EXPECTED
LAYOUTS = {
    "alpaca": {"instruction": "Name the capital.", "input": "France", "output": "Paris"},
    "response": {"instruction": "Name the capital.", "input": "France", "response": "Paris"},
    "dolly": {"instruction": "Name the capital.", "context": "France", "response": "Paris",
              "category": "closed_qa"},
    "no input": {"instruction": "Name the capital.\nFrance", "output": "Paris"},
    "null input": {"instruction": "Name the capital.\nFrance", "input": None, "output": "Paris"},
    "prompt": {"prompt": "Name the capital.\nFrance", "completion": "Paris"},
    "prompt messages": {"prompt": [USER], "completion": [ASSISTANT]},
    "messages": {"messages": EXPECTED},
    "ultrachat": {"prompt": "Name the capital.\nFrance", "prompt_id": "x", "messages": EXPECTED},
}  # fmt: skip


def write(path, rows) -> None:
    path.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_becomes_the_same_record(layout, tmp_path):
    lines, array = tmp_path / "data.jsonl", tmp_path / "data.json"
    write(lines, [LAYOUTS[layout]] * 2)
    array.write_text(json.dumps([LAYOUTS[layout]] * 2, indent=1), encoding="utf-8")
    for path in (lines, array):
        assert [record.messages for record in read_records(path)] == [EXPECTED] * 2
    assert read_records(lines)[1].source == "data.jsonl, row 2"


words = st.text(min_size=1).filter(lambda text: text.strip() not in {"", *MISSING_TEXTS})


@settings(deadline=None)
@given(st.lists(st.tuples(*[words] * 3), min_size=1))
def test_written_rows_are_read(tmp_path_factory, triples):
    path = tmp_path_factory.mktemp("data") / "data.jsonl"
    rows = [dict(zip(("instruction", "input", "output"), t, strict=True)) for t in triples]
    # ensure_ascii off: a line separator of Unicode inside a string must not end the row
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text(text, encoding="utf-8")
    expected = [Record.from_instruction(*t).messages for t in triples]
    assert [record.messages for record in read_records(path)] == expected


def test_instruction_and_input_are_joined_in_one_way():
    assert user_text("Add.", "1 2") == "Add.\n1 2"
    assert user_text("Add.") == "Add."
    record = Record.from_instruction("Add.", "1 2", "3", system="Be brief.")
    assert [turn.role for turn in record.turns] == ["system", "user", "assistant"]
    assert record.turns[1].content == user_text("Add.", "1 2")


def test_a_byte_order_mark_and_blank_lines_do_not_matter(tmp_path):
    path = tmp_path / "data.jsonl"
    text = "\ufeff" + json.dumps(LAYOUTS["alpaca"]) + "\r\n\r\n" + json.dumps(LAYOUTS["alpaca"])
    path.write_text(text, encoding="utf-8")
    assert [record.source for record in read_records(path)] == [
        "data.jsonl, row 1",
        "data.jsonl, row 3",
    ]


GOOD = {"instruction": "Say it.", "output": "It."}
BAD_ROWS = {
    "missing output": ({"instruction": "Say it."}, '"output" is missing'),
    "empty response": ({"instruction": "Say it.", "output": " "}, '"output" is empty'),
    "wrong type": ({"instruction": "Say it.", "output": 5}, '"output" should be text'),
    "null": ({"instruction": None, "output": "It."}, '"instruction" is missing'),
    "unknown columns": ({"body": "It.", "id": 3}, "found the columns body, id, but need"),
    "not an object": (["Say it.", "It."], "expected an object with named columns"),
    "no completion": ({"prompt": "Say it."}, '"completion" is missing'),
    "strange role": ({"messages": [{"role": "narrator", "content": "x"}]},
                     'the unknown speaker "narrator"'),
    "empty turn": ({"messages": [USER, {"role": "assistant", "content": ""}]},
                   'turn 2 of "messages": "content" is empty'),
    "no answer": ({"messages": [USER]}, "the last turn must be the assistant's"),
    "no messages": ({"messages": []}, "an empty list"),
    "messages as text": ({"messages": "hello"}, "should be a list of turns, but is text"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_ROWS)
def test_a_bad_row_is_named_with_its_fault(case, tmp_path):
    bad, complaint = BAD_ROWS[case]
    path = tmp_path / "data.jsonl"
    write(path, [GOOD] * 16 + [bad] + [GOOD])
    with pytest.raises(CourseError) as error:
        read_records(path)
    sentence = str(error.value)
    assert sentence.startswith("data.jsonl, row 17: ")
    assert complaint in sentence
    assert "Fix or delete that row and run again, or set such rows aside with --rejects" in sentence


def test_broken_json_is_named_by_row_and_column(tmp_path):
    path = tmp_path / "data.jsonl"
    write(path, [GOOD] * 20)
    lines = path.read_text().split("\n")
    lines[16] = '{"instruction": "Say it." "output": "It."}'
    path.write_text("\n".join(lines))
    with pytest.raises(CourseError) as error:
        read_records(path)
    assert str(error.value) == (
        "data.jsonl, row 17: not valid JSON (Expecting ',' delimiter at column 27). "
        "Fix or delete that line and run again, or set such rows aside with --rejects FILE "
        "(`ift data convert` does so, too)."
    )


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"[]", "is empty"),
        (b'[{"instruction": "a", "output": "b"},\n {]', "line 2: not valid JSON"),
        (b'{"data":\n [1]\n}', "one JSON object over many lines"),
        ("caf\u00e9".encode("latin-1"), "not UTF-8"),
        (b"PAR1\x00\x15\xff", "damaged Parquet"),
        (b"instruction,output\nSay it.,It.\n", "row 1: not valid JSON"),
    ],
)
def test_a_file_of_another_kind_is_refused(content, complaint, tmp_path):
    path = tmp_path / "data.json"
    path.write_bytes(content)
    with pytest.raises(CourseError, match=complaint):
        read_records(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(CourseError, match="There is no file"):
        read_records(tmp_path / "nothing.jsonl")
    with pytest.raises(CourseError, match="is a folder"):
        read_records(tmp_path)
