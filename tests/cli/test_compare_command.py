"""`ift compare` as a user meets it: two results, two models, and blind votes."""

import json

import pytest
from typer.testing import CliRunner

from ift_course.cli import app
from ift_course.evaluation import answers
from ift_course.evaluation.generate import Completion
from ift_course.models.save import save

N = 30


@pytest.fixture(autouse=True)
def results(tmp_path, monkeypatch):
    monkeypatch.setenv("IFT_RESULTS", str(tmp_path / "results"))
    return tmp_path / "results"


@pytest.fixture
def models(tiny_llama, tmp_path, monkeypatch):
    """Two model folders: the first answers wrong and long, the second one right and short."""
    import torch

    model, tokenizer = tiny_llama
    first = save(model, tokenizer, tmp_path / "first")
    with torch.no_grad():
        model.get_input_embeddings().weight[0, 0] = 7.0
    second = save(model, tokenizer, tmp_path / "second")

    def answer(model, tokenizer, prompts, **_):
        text = "Moo" if model.get_input_embeddings().weight[0, 0] == 7.0 else "No, it says nothing"
        return [Completion(text, True) for _ in prompts]

    monkeypatch.setattr(answers, "answer_prompts", answer)
    return first, second


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "test.jsonl"
    rows = [{"prompt": f"Cow {i}?", "completion": "Moo.", "category": "cows"} for i in range(N)]
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def ift(*words: object, **options):
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, list(map(str, words)), **options)


def test_a_better_model_is_named_with_the_interval_and_the_changes(models, data, tmp_path):
    page = tmp_path / "page.html"
    done = ift("compare", *models, "--data", data, "--html", page)
    assert done.exit_code == 0, done.output
    assert "B is better by 100 points (" in done.stdout
    assert "The 10 largest changes:" in done.stdout and "cows" in done.stdout
    assert "B's answers are 3 words shorter" in done.stdout
    assert "McNemar" in done.stdout
    assert "B is better by 100 points" in page.read_text()


def test_a_model_cannot_be_told_from_itself(models, data):
    done = ift("compare", models[0], models[0], "--data", data, "--json")
    report = json.loads(done.stdout)
    assert report["difference"] == 0 and report["changes"] == []
    assert report["verdict"].startswith("A and B cannot be told apart with 30 items")


def test_stored_results_give_the_same_comparison(models, data, tmp_path):
    paths = [tmp_path / "a.json", tmp_path / "b.json"]
    for model, path in zip(models, paths, strict=True):
        assert ift("eval", model, "--data", data, "--out", path).exit_code == 0
    stored = ift("compare", *paths, "--json")
    assert stored.stdout == ift("compare", *models, "--data", data, "--json").stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("{first}", "{second}"), "Name the test questions: --data FILE."),
        (("{a}", "{a}", "--data", "{data}"), "leave out --data"),
        (("{a}", "{first}", "--data", "{data}"), "evaluate the model first: ift eval"),
        (("{data}", "{a}"), "is not a result of ift eval"),
    ],
)
def test_mistakes_are_one_sentence(models, data, tmp_path, words, sentence):
    a = tmp_path / "a.json"
    assert ift("eval", models[0], "--data", data, "--out", a, "--limit", 3).exit_code == 0
    names = {"a": a, "data": data, "first": models[0], "second": models[1]}
    done = ift("compare", *(word.format(**names) for word in words))
    assert done.exit_code == 2, done.output
    assert sentence in done.stderr.strip().splitlines()[-1]


def test_blind_votes_hide_the_models_are_stored_and_continue(models, data, results):
    words = ("compare", *models, "--data", data, "--limit", 4, "--blind")
    first = ift(*words, input="a\nwhat\nt\nq\n")
    assert first.exit_code == 0, first.output
    shown, _, report = first.output.partition("Votes:")
    ballots = shown.partition(" wins ")[0].rpartition("better: ")[0]
    assert "first" not in ballots and "second" not in ballots
    assert "2 ballots left; the same command continues." in report
    assert (
        len(json.loads(next((results / "evaluations" / "votes").iterdir()).read_text())["votes"])
        == 2
    )
    second = ift(*words, "--json", input="s\nb\n")
    counted = json.loads(second.stdout)
    assert counted["wins_a"] + counted["wins_b"] == 2 and counted["open"] == 0
    assert counted["ties"] == counted["skipped"] == 1
    assert counted["first_chosen"] == counted["second_chosen"] == 1


def test_equal_answers_are_no_choice(models, data):
    done = ift("compare", models[0], models[0], "--data", data, "--blind")
    assert done.exit_code == 2 and "the same answer to every question" in done.stderr
