"""`ift data inspect` and `ift data convert`, as a person meets them."""

import json

import pytest
from typer.testing import CliRunner

from ift_course.cli import app
from ift_course.data.samples import CONVERSATION, ROWS


def ift(*words):
    return CliRunner().invoke(app, ["data", *map(str, words)])


@pytest.fixture
def mixed(tmp_path):
    path = tmp_path / "mixed.jsonl"
    rows = [ROWS["Dolly"], ROWS["ShareGPT"], {"text": "x"}]
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_inspect_says_what_the_file_is(mixed):
    said = ift("inspect", mixed).output
    assert "Dolly (1), ShareGPT (1)" in said
    assert "3, of which 2 can be used" in said
    assert "1: found the columns text" in said
    assert "assistant: Paris" in said
    found = json.loads(ift("inspect", mixed, "--json").stdout)
    assert (found["rows"], found["usable"], found["duplicates"]) == (3, 2, 1)


def test_convert_writes_and_says_where_the_rest_is(mixed, tmp_path):
    out = tmp_path / "chat.jsonl"
    result = ift("convert", mixed, "--out", out, "--license", "CC-BY-SA-3.0")
    assert result.exit_code == 0
    assert "3 rows read, 2 written" in result.output
    assert str(tmp_path / "chat.rejects.jsonl") in result.output.replace("\n", "")
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["messages"] for row in rows] == [CONVERSATION] * 2
    assert rows[0]["license"] == "CC-BY-SA-3.0"


def test_the_result_is_what_sft_reads(mixed, tmp_path):
    from ift_course.data.records import read_records

    for layout in ("messages", "prompt-completion"):
        out = tmp_path / f"{layout}.jsonl"
        assert ift("convert", mixed, "--out", out, "--to", layout).exit_code == 0
        assert [record.messages for record in read_records(out)] == [CONVERSATION] * 2


def test_bad_input_is_one_sentence(tmp_path):
    result = ift("convert", tmp_path / "none.json", "--out", tmp_path / "out.jsonl")
    assert result.exit_code == 2
    assert "There is no file" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("command", ["inspect", "convert"])
def test_each_help_teaches_with_an_example(command):
    said = ift(command, "--help").output
    assert f"ift data {command}" in said.split("Example", 1)[1]
