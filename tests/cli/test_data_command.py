"""`ift data inspect`, `convert` and `curate`, as a person meets them."""

from __future__ import annotations

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
    rows = [ROWS["Dolly"], ROWS["ShareGPT"], {"body": "x"}]
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_inspect_describes_the_file(mixed):
    output = ift("inspect", mixed).output
    assert "Dolly (1), ShareGPT (1)" in output
    assert "3, of which 2 can be used" in output
    assert "1: found the columns body" in output
    assert "assistant: Paris" in output
    report = json.loads(ift("inspect", mixed, "--json").stdout)
    assert (report["rows"], report["usable"], report["duplicates"]) == (3, 2, 1)


def test_convert_writes_and_names_the_file_of_rejected_rows(mixed, tmp_path):
    out = tmp_path / "chat.jsonl"
    result = ift("convert", mixed, "--out", out, "--license", "CC-BY-SA-3.0")
    assert result.exit_code == 0
    assert "3 rows read, 2 written" in result.output
    assert str(tmp_path / "chat.rejects.jsonl") in result.output.replace("\n", "")
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["messages"] for row in rows] == [CONVERSATION] * 2
    assert rows[0]["license"] == "CC-BY-SA-3.0"


def test_the_result_is_what_sft_reads(mixed, tmp_path):
    from ift_course.data.reading import read_records

    for layout in ("messages", "prompt-completion"):
        out = tmp_path / f"{layout}.jsonl"
        assert ift("convert", mixed, "--out", out, "--to", layout).exit_code == 0
        assert [record.messages for record in read_records(out)] == [CONVERSATION] * 2


def test_bad_input_is_one_sentence(tmp_path):
    result = ift("convert", tmp_path / "none.json", "--out", tmp_path / "out.jsonl")
    assert result.exit_code == 2
    assert "There is no file" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("command", ["inspect", "convert", "curate"])
def test_each_help_teaches_with_an_example(command):
    output = ift(command, "--help").output
    assert f"ift data {command}" in output.split("Example", 1)[1]


def test_curate_selects_and_drops_rows_and_gives_the_reasons(mixed, tmp_path):
    out, report = tmp_path / "best.jsonl", tmp_path / "why.csv"
    words = ("curate", mixed, "--keep", 5, "--out", out, "--report", report)
    result = ift(*words)
    assert result.exit_code == 0
    assert "3 rows read, 1 selected" in result.output
    assert "1 dropped, 1 rejected" in result.output
    assert "Fewer than the 5 you requested" in result.output
    assert "exact duplicate" in result.output
    assert "row 2: Name the capital. France" in result.output
    assert len(report.read_text().splitlines()) == 4
    assert len(out.read_text().splitlines()) == 1
    counts = json.loads(ift(*words, "--json").stdout)
    assert counts["read"] == counts["selected"] + counts["dropped"] + counts["rejected"] == 3


def test_curate_ranks_with_a_model(mixed, tmp_path, tiny_llama_dir):
    report = tmp_path / "why.jsonl"
    result = ift("curate", mixed, "--keep", 1, "--out", tmp_path / "best.jsonl", "--report", report,
                 "--model", tiny_llama_dir, "--prefer", "low_ifd")  # fmt: skip
    assert result.exit_code == 0
    first = json.loads(report.read_text().splitlines()[0])
    assert first["selected"] and first["ifd"] > 0 and first["perplexity"] > 1


def test_curate_refuses_mistakes_in_one_sentence(mixed, tmp_path):
    out = tmp_path / "best.jsonl"
    for words, sentence in (
        (("--keep", 5, "--out", out, "--prefer", "high_ifd"), "--prefer high_ifd needs a model"),
        (("--keep", 5, "--out", out, "--model", "base"), "add --prefer low_ifd"),
        (
            ("--keep", 5, "--out", out, "--model", tmp_path / "none", "--prefer", "low_ifd"),
            "There is no model",
        ),
        (("--keep", 5, "--out", mixed), "must be different files"),
        (("--keep", 5, "--out", out, "--report", "why.txt"), "A report is a .csv or .jsonl"),
    ):
        result = ift("curate", mixed, *words)
        assert result.exit_code == 2
        assert sentence in result.output.replace("\n", " ")
        assert "Traceback" not in result.output
    assert ift("curate", mixed, "--keep", 0, "--out", out).exit_code == 2
    assert not out.exists()


@pytest.mark.parametrize(
    "words",
    [
        ("inspect", "FILE", "--examples", "-1"),
        ("convert", "FILE", "--out", "OUT", "--to", "alpaca"),
        ("convert", "FILE", "--out", "OUT", "--without", "pictures"),
        ("curate", "FILE", "--keep", "1", "--out", "OUT", "--prefer", "hard"),
        ("curate", "FILE", "--keep", "0", "--out", "OUT"),
        ("curate", "FILE", "--keep", "1", "--out", "OUT", "--threshold", "nan"),
        ("curate", "FILE", "--keep", "1", "--out", "OUT", "--threshold", "inf"),
        ("curate", "FILE", "--keep", "1", "--out", "OUT", "--shortest", "9", "--longest", "3"),
    ],
)
def test_an_invalid_option_is_refused_before_anything_is_read(words, mixed, tmp_path):
    places = {"FILE": str(mixed), "OUT": str(tmp_path / "out.jsonl")}
    result = ift(*(places.get(word, word) for word in words))
    assert result.exit_code == 2 and "Traceback" not in result.output
    assert not (tmp_path / "out.jsonl").exists()
