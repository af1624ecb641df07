"""No text from a file reaches the terminal as an escape sequence."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from ift_course.cli import app
from ift_course.terminal import printable

ESCAPES = "\x1b[31mred\x1b]0;title\x07\x9b2J\rgone\x08\u202e\x00"
RAW = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@given(st.text())
def test_nothing_is_left_that_a_terminal_would_obey(text):
    assert not RAW.search(printable(text))
    if not RAW.search(text):
        assert printable(text) == text


def test_words_of_every_script_stay_as_they_are():
    text = "Zürich, القاهرة, 東京, 👩‍🚀\n\tend"
    assert printable(text) == text


@pytest.mark.parametrize(
    "words",
    [
        ("inspect", "FILE"),
        ("convert", "FILE", "--out", "OUT"),
        ("curate", "FILE", "--keep", "1", "--out", "OUT"),
    ],
)
def test_commands_print_what_a_file_holds_without_obeying_it(words, tmp_path):
    path = tmp_path / "data.jsonl"
    rows = [
        {"instruction": f"Say {ESCAPES}", "output": f"ok{ESCAPES}", f"tag{ESCAPES}": 1},
        {"instruction": f"Say {ESCAPES}", "output": ""},
        {"messages": [{"role": f"elf{ESCAPES}", "content": "x"}]},
        {f"odd{ESCAPES}": 1},
        {"instruction": f"Say {ESCAPES}", "output": f"ok{ESCAPES}"},
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    places = {"FILE": str(path), "OUT": str(tmp_path / "out.jsonl")}
    result = CliRunner().invoke(app, ["data", *(places.get(word, word) for word in words)])
    assert result.exit_code == 0
    assert not RAW.search(result.output)
    path.write_text(json.dumps(rows[3]))
    result = CliRunner().invoke(app, ["data", *(places.get(word, word) for word in words)])
    assert result.exit_code != 0 and not RAW.search(result.output)
