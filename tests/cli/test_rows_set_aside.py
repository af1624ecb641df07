"""`ift sft` and `ift dpo` report what became of every row, and set bad ones aside on request."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from ift_course.cli import app

ALTERNATING = (
    "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('roles must alternate') }}{% endif %}<|im_start|>{{ m.role }}\n"
    "{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
GOOD = {"prompt": "Name the sound of a cow.", "completion": "Moo."}
PAIR = {"prompt": "Name the sound of a cow.", "chosen": "Moo.", "rejected": "Hello."}
BRIEF = {"role": "system", "content": "Be brief."}
CHAT = [{"role": "user", "content": "Hello?"}, {"role": "assistant", "content": "Moo."}]


def ift(*arguments: object):
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.fixture
def run(tiny_llama_dir, tmp_path):
    """Tune on these rows for one step; the command's result and the folder of files."""

    def command(name: str, rows: list, *options: object, template: str = ""):
        if template:
            (tiny_llama_dir / "chat_template.jinja").write_text(template)
        path = tmp_path / "rows.jsonl"
        path.write_text("\n".join(x if isinstance(x, str) else json.dumps(x) for x in rows))
        return ift(name, "--model", tiny_llama_dir, "--data", path, "--out", tmp_path / "out",
                   "--max-steps", 1, *options)  # fmt: skip

    return command


def rejected(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize(("name", "good"), [("sft", GOOD), ("dpo", PAIR)])
def test_bad_rows_stop_a_run_unless_they_are_set_aside(name, good, run, tmp_path):
    rows = [good, "{no JSON", {**good, "prompt": 5}, good]
    failed = run(name, rows)
    assert failed.exit_code == 2
    assert "rows.jsonl, row 2: not valid JSON" in failed.stderr
    assert "--rejects FILE" in failed.stderr
    result = run(name, rows, "--rejects", tmp_path / "bad.jsonl")
    assert result.exit_code == 0, result.output
    assert "2 " in result.stderr and "of 4 set aside" in result.stderr
    assert [row["row"] for row in rejected(tmp_path / "bad.jsonl")] == [2, 3]


def test_repairs_and_unused_columns_are_reported(run):
    rows = [
        {**GOOD, "topic": "farm"},
        {"messages": [CHAT[1], *CHAT, CHAT[0]]},
    ]
    result = run("sft", rows)
    assert result.exit_code == 0, result.output
    assert "not used topic (1 row)" in result.stderr
    assert "repaired 1: dropped the assistant's words before the first question" in result.stderr
    assert run("sft", [{**PAIR}], "--out", "x", "--lr", "0").exit_code == 2


def test_the_account_of_the_rows_is_part_of_the_json(run):
    result = run("sft", [{**PAIR, "score": 3}, GOOD], "--json")
    assert result.exit_code == 0, result.output
    account = json.loads(result.stdout)["data"]
    assert account["unused"] == {"score": 1, "rejected": 1}
    assert (account["read"], account["used"], account["rejected"]) == (2, 2, 0)


def test_pairs_without_a_preference_never_stop_a_run(run):
    rows = [PAIR, {**PAIR, "rejected": "Moo."}, {**PAIR, "rejected": ""},
            {"chosen": [{"role": "system", "content": ""}, *CHAT],
             "rejected": [CHAT[0], {**CHAT[1], "content": "Baa."}]}]  # fmt: skip
    result = run("dpo", rows)
    assert result.exit_code == 0, result.output
    assert "2 pairs of 4 set aside" in result.stderr
    assert "are the same, so neither is preferred" in result.stderr
    assert "dropped an empty system turn" in result.stderr


def test_pairs_that_are_equal_after_truncation_are_counted_and_not_trained(run):
    long_text = "word " * 60
    rows = [PAIR, {**PAIR, "chosen": long_text + "a", "rejected": long_text + "b"}]
    result = run("dpo", rows, "--max-length", 40, "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert (report["tied"], report["dropped"], report["truncated"]) == (1, 0, 0)


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("sft", {"messages": [BRIEF, *CHAT]}),
        ("dpo", {"system": "Be brief.", **PAIR}),
    ],
)
def test_a_row_that_the_template_refuses_is_named_folded_or_set_aside(name, row, run, tmp_path):
    good = GOOD if name == "sft" else PAIR
    failed = run(name, [good, row], template=ALTERNATING)
    assert failed.exit_code == 2
    assert "rows.jsonl, row 2: The chat template of this model refuses" in failed.stderr
    assert "--fold-system" in failed.stderr
    result = run(name, [good, row], "--rejects", tmp_path / "bad.jsonl")
    assert result.exit_code == 0, result.output
    assert "1 " in result.stdout and "by the chat template" in result.stdout
    [bad] = rejected(tmp_path / "bad.jsonl")
    assert bad["row"] == 2 and "Be brief." in json.dumps(bad["data"])
    folded = run(name, [good, row], "--fold-system", "--out", tmp_path / "folded")
    assert folded.exit_code == 0, folded.output
    assert "put the system turn before the first question" in folded.stderr


def test_tools_that_a_template_cannot_write_are_not_lost_silently(run):
    call = {"function": {"name": "moo", "arguments": {}}}
    row = {"messages": [CHAT[0], {"role": "assistant", "tool_calls": [call]}, *CHAT]}
    failed = run("sft", [row])
    assert failed.exit_code == 2
    assert "row 1: " in failed.stderr and "does not write tool calls" in failed.stderr
