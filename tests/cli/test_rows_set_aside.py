"""`ift sft` and `ift dpo` say what became of every row, and set bad ones aside on request."""

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
TALK = [{"role": "user", "content": "Hello?"}, {"role": "assistant", "content": "Moo."}]


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
    stopped = run(name, rows)
    assert stopped.exit_code == 2
    assert "rows.jsonl, row 2: not valid JSON" in stopped.stderr
    assert "--rejects FILE" in stopped.stderr
    done = run(name, rows, "--rejects", tmp_path / "bad.jsonl")
    assert done.exit_code == 0, done.output
    assert "2 " in done.stderr and "of 4 set aside" in done.stderr
    assert [row["row"] for row in rejected(tmp_path / "bad.jsonl")] == [2, 3]


def test_repairs_and_unused_columns_are_said_and_in_json(run):
    rows = [{**GOOD, "topic": "farm"}, {"messages": [TALK[1], *TALK, TALK[0]]}]
    done = run("sft", rows)
    assert done.exit_code == 0, done.output
    assert "not used topic (1 row)" in done.stderr
    assert "repaired 1: dropped what the assistant said before anyone asked" in done.stderr
    assert run("sft", [{**PAIR}], "--out", "x", "--lr", "0").exit_code == 2


def test_the_account_of_the_rows_is_part_of_the_json(run):
    done = run("sft", [{**PAIR, "score": 3}, GOOD], "--json")
    assert done.exit_code == 0, done.output
    account = json.loads(done.stdout)["data"]
    assert account["unused"] == {"score": 1, "rejected": 1}
    assert (account["read"], account["used"], account["rejected"]) == (2, 2, 0)


def test_pairs_that_prefer_nothing_never_stop_a_run(run):
    rows = [PAIR, {**PAIR, "rejected": "Moo."}, {**PAIR, "rejected": ""},
            {"chosen": [{"role": "system", "content": ""}, *TALK],
             "rejected": [TALK[0], {**TALK[1], "content": "Baa."}]}]  # fmt: skip
    done = run("dpo", rows)
    assert done.exit_code == 0, done.output
    assert "2 pairs of 4 set aside" in done.stderr
    assert "are the same, so neither is preferred" in done.stderr
    assert "dropped an empty system turn" in done.stderr


def test_pairs_that_are_the_same_up_to_the_cut_are_not_trained_and_counted(run):
    long = "word " * 60
    rows = [PAIR, {**PAIR, "chosen": long + "a", "rejected": long + "b"}]
    done = run("dpo", rows, "--max-length", 40, "--json")
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert (result["tied"], result["dropped"], result["truncated"]) == (1, 0, 0)


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("sft", {"messages": [BRIEF, *TALK]}),
        ("dpo", {"system": "Be brief.", **PAIR}),
    ],
)
def test_what_a_template_refuses_is_named_folded_or_set_aside(name, row, run, tmp_path):
    good = GOOD if name == "sft" else PAIR
    stopped = run(name, [good, row], template=ALTERNATING)
    assert stopped.exit_code == 2
    assert "rows.jsonl, row 2: The chat template of this model refuses" in stopped.stderr
    assert "--fold-system" in stopped.stderr
    done = run(name, [good, row], "--rejects", tmp_path / "bad.jsonl")
    assert done.exit_code == 0, done.output
    assert "1 " in done.stdout and "by the chat template" in done.stdout
    [bad] = rejected(tmp_path / "bad.jsonl")
    assert bad["row"] == 2 and "Be brief." in json.dumps(bad["data"])
    folded = run(name, [good, row], "--fold-system", "--out", tmp_path / "folded")
    assert folded.exit_code == 0, folded.output
    assert "put the system turn before the first question" in folded.stderr


def test_tools_that_a_template_cannot_write_are_no_silent_loss(run):
    call = {"function": {"name": "moo", "arguments": {}}}
    row = {"messages": [TALK[0], {"role": "assistant", "tool_calls": [call]}, *TALK]}
    stopped = run("sft", [row])
    assert stopped.exit_code == 2
    assert "row 1: " in stopped.stderr and "does not write tool calls" in stopped.stderr
