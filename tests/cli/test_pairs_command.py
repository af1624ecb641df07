"""`ift data pairs` makes pairs of a model's own answers, which `ift dpo` reads."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from ift_course.cli import app
from ift_course.data.reading import read_rows
from ift_course.evaluation import sampling
from ift_course.evaluation.generate import Completion

CAPITALS = {"Switzerland": "Bern", "Norway": "Oslo", "France": "Paris", "Italy": "Rome"}
ROWS = [
    {"prompt": f"Name the capital of {country}.", "category": "fact",
     "verifier": {"type": "contains", "answers": [capital], "max_words": 9}}
    for country, capital in CAPITALS.items()
]  # fmt: skip


@pytest.fixture(autouse=True)
def results(tmp_path, monkeypatch):
    monkeypatch.setenv("IFT_RESULTS", str(tmp_path / "results"))


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "prompts.jsonl"
    path.write_text("\n".join(map(json.dumps, ROWS)))
    return path


@pytest.fixture
def says(monkeypatch):
    """Lets the model answer each prompt with these texts in turn; returns the prompts."""
    prompts_seen = []

    def plan(*texts):
        def answer(model, tokenizer, prompts, **_):
            prompts_seen.append(tokenizer.decode(prompts[0]))
            return [Completion(texts[i % len(texts)], True) for i in range(len(prompts))]

        monkeypatch.setattr(sampling, "answer_prompts", answer)
        return prompts_seen

    return plan


def ift(*words: object):
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, list(map(str, words)))


def refused(done, sentence: str) -> None:
    assert done.exit_code == 2, done.output
    assert sentence in done.stderr.strip().splitlines()[-1] and "Traceback" not in done.output


def test_pairs_name_their_rule_and_dpo_can_read_them(tiny_llama_dir, data, says, tmp_path):
    says("It is Bern.", "It is Oslo.")
    out = tmp_path / "pairs.jsonl"
    done = ift("data", "pairs", "--model", tiny_llama_dir, "--data", data, "--out", out)
    assert done.exit_code == 0, done.output
    assert "4 prompts gave 2 pairs:" in done.stdout
    assert "2  the chosen answer states the right fact" in done.stdout
    assert "2 gave none:" in done.stdout and "2  every answer is wrong" in done.stdout
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["rule"] for row in rows] == ["states the right fact"] * 2
    assert rows[0]["fault"] == 'does not contain "Bern"'
    assert rows[0]["source"] == str(tiny_llama_dir)
    account = read_rows(out, pairs=True).account
    assert account.used == 2 and not account.rejected
    records = read_rows(out, pairs=True).records
    assert [r.turns[-1].content for r in records] == ["It is Bern.", "It is Oslo."]


def test_the_numbers_for_a_program(tiny_llama_dir, data, says, tmp_path):
    says("It is Bern.", "It is Oslo.")
    out = tmp_path / "pairs.jsonl"
    done = ift("data", "pairs", "--model", tiny_llama_dir, "--data", data, "--out", out, "--json")
    counts = json.loads(done.stdout)
    assert (counts["prompts"], counts["pairs"]) == (4, 2)
    assert counts["without_a_pair"] == {"every answer is wrong": 2}
    assert counts["mean_words"] == {"chosen": 3, "rejected": 3}


def test_a_finished_run_asks_nothing_again(tiny_llama_dir, data, says, tmp_path):
    prompts = says("It is Bern.", "It is Oslo.")
    words = ("data", "pairs", "--model", tiny_llama_dir, "--data", data, "--out")
    ift(*words, tmp_path / "a.jsonl")
    ift(*words, tmp_path / "b.jsonl")
    assert len(prompts) == 4
    assert (tmp_path / "a.jsonl").read_text() == (tmp_path / "b.jsonl").read_text()


def test_without_a_pair_no_file_appears_and_it_says_what_to_try(tiny_llama_dir, data, tmp_path):
    out = tmp_path / "pairs.jsonl"
    done = ift("data", "pairs", "--model", tiny_llama_dir, "--data", data, "--out", out,
               "--samples", 2, "--max-new-tokens", 2)  # fmt: skip
    assert done.exit_code == 0, done.output
    assert not out.exists() and "No file was written. Try more --samples" in done.stdout


def test_a_row_that_nothing_can_rank_is_named(tiny_llama_dir, data, tmp_path):
    data.write_text('{"prompt": "Tell me a story."}\n')
    done = ift("data", "pairs", "--model", tiny_llama_dir, "--data", data, "--out", tmp_path / "p")
    refused(done, "prompts.jsonl, row 1 has no verifier and no short answer")


@pytest.mark.parametrize(("out", "sentence"), [("", "is a folder"), ("no/p.jsonl", "no folder")])
def test_a_place_that_cannot_be_written_is_refused_first(tiny_llama_dir, tmp_path, out, sentence):
    refused(ift("data", "pairs", "--model", tiny_llama_dir, "--out", tmp_path / out), sentence)
