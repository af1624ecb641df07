"""`ift eval` as a user meets it: on a tiny model and on a planted one."""

import json
import sys

import pytest
from typer.testing import CliRunner

from ift_course.cli import app, eval_tasks
from ift_course.data import course_set
from ift_course.evaluation import answers
from ift_course.evaluation.generate import Completion
from ift_course.models.save import save

ROWS = [
    *({"prompt": f"Name the sound of cow {i}.", "completion": "Moo.", "category": "sounds"}
      for i in range(6)),
    {"prompt": "What is 2 + 3?", "verifier": {"type": "number", "value": 5}, "category": "sums"},
    {"prompt": "Say hello.", "completion": "Hello to you and to all of your cows."},
]  # fmt: skip


@pytest.fixture(autouse=True)
def results(tmp_path, monkeypatch):
    monkeypatch.setenv("IFT_RESULTS", str(tmp_path / "results"))
    return tmp_path / "results"


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "test.jsonl"
    path.write_text("\n".join(map(json.dumps, ROWS)))
    return path


@pytest.fixture
def says(monkeypatch):
    """Makes every model answer as planned; returns the number of prompts of each batch."""
    batches = []

    def plan(*texts, stop_after=None):
        def answer(model, tokenizer, prompts, **_):
            if stop_after is not None and len(batches) == stop_after:
                raise KeyboardInterrupt
            batches.append(len(prompts))
            asked = [tokenizer.decode(prompt) for prompt in prompts]
            return [Completion(texts[hash_of(text) % len(texts)], True) for text in asked]

        monkeypatch.setattr(answers, "answer_prompts", answer)
        return batches

    return plan


def hash_of(text: str) -> int:
    return sum(text.encode())


def ift(*words: object):
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, list(map(str, words)))


def refused(done, sentence: str) -> None:
    assert done.exit_code == 2, done.output
    assert sentence in done.stderr.strip().splitlines()[-1]
    assert "Traceback" not in done.output


def test_a_real_model_is_scored_and_its_result_is_written(tiny_llama_dir, data, tmp_path):
    out, page = tmp_path / "out.json", tmp_path / "page.html"
    done = ift("eval", tiny_llama_dir, "--data", data, "--max-new-tokens", 4, "--batch-size", 3,
               "--out", out, "--html", page, "--json")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "1 row judged by its own verifier; 6 rows compared with their short" in done.stderr
    result = json.loads(done.stdout)
    assert result == json.loads(out.read_text())
    assert result["summary"]["score"]["n"] == 7 and len(result["answers"]) == 8
    cut = [answer for answer in result["answers"] if not answer["finished"]]
    assert cut and not any(answer["right"] for answer in cut)
    assert "Name the sound of cow 0." in page.read_text()


def test_the_table_has_categories_intervals_lengths_and_wrong_answers(tiny_llama_dir, data, says):
    says("Moo")
    done = ift("eval", tiny_llama_dir, "--data", data)
    assert done.exit_code == 0, done.output
    table = " ".join(done.stdout.split())
    assert "sounds 100 % 61 to 100 6 of 6 sums 0 % 0 to 79 0 of 1 all 86 % 49 to 97 6 of 7" in table
    assert "Stopped by itself: 100 %" in done.stdout
    assert "holds no number" in done.stdout


def test_a_stopped_run_continues_and_a_finished_one_asks_nothing(tiny_llama_dir, data, says):
    batches = says("Moo", "5", stop_after=2)
    words = ("eval", tiny_llama_dir, "--data", data, "--batch-size", 2, "--max-new-tokens", 50,
             "--json")  # fmt: skip
    done = ift(*words)
    assert done.exit_code == 130 and "Finished work is kept." in done.stderr
    assert sum(batches) == 4
    says("Moo", "5")
    whole = ift(*words)
    assert whole.exit_code == 0, whole.output
    assert sum(batches) == 8
    again = ift(*words)
    assert sum(batches) == 8 and again.stdout == whole.stdout


def test_an_answer_cut_off_by_a_kill_is_asked_again(tiny_llama_dir, data, says, results):
    batches = says("Moo")
    ift("eval", tiny_llama_dir, "--data", data)
    [store] = (results / "evaluations" / "answers").iterdir()
    store.write_text(store.read_text()[:-12])
    assert ift("eval", tiny_llama_dir, "--data", data).exit_code == 0
    assert sum(batches) == 9
    assert ift("eval", tiny_llama_dir, "--data", data).exit_code == 0 and sum(batches) == 9


def test_other_weights_have_other_answers(tiny_llama, tiny_llama_dir, data, says, tmp_path):
    import torch

    batches = says("Moo")
    ift("eval", tiny_llama_dir, "--data", data)
    model, tokenizer = tiny_llama
    with torch.no_grad():
        model.get_input_embeddings().weight[5, 3] += 0.5
    ift("eval", save(model, tokenizer, tmp_path / "other"), "--data", data)
    assert sum(batches) == 16


def test_a_leaked_question_is_reported_with_the_score_without_it(
    tiny_llama_dir, data, says, tmp_path
):
    says("Moo")
    train = tmp_path / "train.jsonl"
    train.write_text(json.dumps({"prompt": "what is 2 + 3?", "completion": "5"}))
    done = ift("eval", tiny_llama_dir, "--data", data, "--train", train)
    assert "1 of 8 questions stand in train.jsonl, too: without them 100 % right" in done.stdout
    assert "row 7: same question as training row 1" in done.stdout
    train.write_text(json.dumps({"prompt": "Which number is the largest?", "completion": "5"}))
    clean = ift("eval", tiny_llama_dir, "--data", data, "--train", train)
    assert "No question of test.jsonl was found in train.jsonl." in clean.stdout


def test_rows_that_nothing_can_judge_are_shown(tiny_llama_dir, tmp_path, says):
    says("A poem\x1b[31m.")
    data = tmp_path / "open.jsonl"
    data.write_text('{"prompt": "Write a poem."}')
    done = ift("eval", tiny_llama_dir, "--data", data)
    assert "No row can be judged" in done.stdout
    assert r"A poem\x1b[31m." in done.stdout and "\x1b[31m" not in done.stdout


def test_the_course_set_is_scored_without_the_extra_if_that_is_requested(
    tiny_llama_dir, says, monkeypatch
):
    monkeypatch.setitem(sys.modules, "if_verifiable.ifeval", None)
    says("Moo")
    words = ("eval", tiny_llama_dir, "--data", course_set.path("test"))
    refused(ift(*words), "8 of 100 rows of test.jsonl cannot be judged (the first is row 3)")
    done = ift(*words, "--skip-unverifiable", "--json")
    assert done.exit_code == 0, done.output
    assert "8 of 100 rows of test.jsonl left out" in done.stderr
    assert len(json.loads(done.stdout)["answers"]) == 92


def test_mistakes_are_one_sentence(tiny_llama_dir, data, tmp_path):
    refused(ift("eval", tiny_llama_dir), "either --data FILE or --lm-eval TASK")
    refused(ift("eval", "no-such-model", "--data", data), 'There is no model "no-such-model"')
    refused(ift("eval", tiny_llama_dir, "--data", tmp_path / "no.jsonl"), "no.jsonl")
    refused(
        ift("eval", tiny_llama_dir, "--data", data, "--out", tmp_path / "no" / "out.json"),
        "There is no folder",
    )
    data.write_text(json.dumps(ROWS[0]) + '\n{"prompt": "Q", "verifier": {"type": "exactly"}}')
    refused(
        ift("eval", tiny_llama_dir, "--data", data), 'test.jsonl, row 2: "verifier": unknown type'
    )
    data.write_text(json.dumps({"prompt": "Moo? " * 300, "completion": "Moo."}))
    refused(ift("eval", tiny_llama_dir, "--data", data), "Row 1 has")


def test_without_lm_eval_one_sentence_says_how_to_get_it(tiny_llama_dir, monkeypatch):
    monkeypatch.setattr(eval_tasks, "find_spec", lambda _: None)
    refused(ift("eval", tiny_llama_dir, "--lm-eval", "arc_easy"), "needs the package lm-eval")
