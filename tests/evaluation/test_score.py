"""A score counts what a user would accept: the answer, only the answer, and then the end."""

from dataclasses import dataclass
from typing import Any

import pytest

from ift_course.evaluation import score as module
from ift_course.evaluation.generate import Completion
from ift_course.evaluation.score import judge, lenient, score


@dataclass(frozen=True)
class _Question:
    """The shape of `world.tasks.Example`, without the world."""

    response: str
    task: str = "capital"
    family: str = "geography"
    instruction: str = "What is the capital of France?"
    input: str = ""
    entity: str = "France"


def question(*fields: str) -> Any:
    return _Question(*fields)


@pytest.fixture(autouse=True)
def plain_verifier(monkeypatch):
    monkeypatch.setattr(module, "verify", lambda example, text: text.strip() == example.response)


def test_an_answer_that_does_not_end_is_wrong():
    questions = [question("Paris"), question("Paris"), question("Paris")]
    completions = [
        Completion("Paris", True),
        Completion("Paris", False),
        Completion("Paris is", True),
    ]
    assert judge(questions, completions).correct == [True, False, False]


def test_accuracy_is_split_by_task_and_family():
    questions = [question("Paris"), question("moo", "sound", "animals"), question("calf", "young",
                 "animals")]  # fmt: skip
    scores = judge(questions, [Completion(t, True) for t in ("Paris", "moo", "pup")])
    assert scores.accuracy == pytest.approx(2 / 3)
    assert scores.by("task") == {"capital": 1.0, "sound": 1.0, "young": 0.0}
    assert scores.by("family") == {"animals": 0.5, "geography": 1.0}
    assert scores.items == [1.0, 1.0, 0.0]
    low, high = scores.interval
    assert 0 <= low < 2 / 3 < high <= 1
    assert scores.rows()[2]["answer"] == "pup" and scores.rows()[2]["correct"] is False


def test_lenient_finds_the_answer_in_rambling_but_not_within_a_word():
    assert lenient(question("Paris"), "It is paris, and Paris is in\nFrance")
    assert not lenient(question("Paris"), "Parisian")
    assert lenient(question("Hola, ¿cómo estás?"), "He said: Hola, ¿cómo estás? and left")


def test_nothing_to_score_is_an_error(tiny_llama):
    model, tokenizer = tiny_llama
    with pytest.raises(ValueError, match="nothing to score"):
        score(model, tokenizer, [])


def test_a_model_is_scored(tiny_llama):
    model, tokenizer = tiny_llama
    scores = score(model, tokenizer, [question("Paris"), question("Rome")], max_new_tokens=3)
    assert [c.finished for c in scores.completions] == [False, False]
    assert scores.accuracy == 0.0 and scores.interval[1] > 0.5


def test_the_worlds_own_examples_fit(tiny_llama, monkeypatch):
    from ift_course.world import tasks

    monkeypatch.setattr(module, "verify", tasks.verify)
    examples = tasks.sample(20, seed=0)
    assert judge(examples, [Completion(e.response, True) for e in examples]).accuracy == 1.0
    assert judge(examples, [Completion(e.response, False) for e in examples]).accuracy == 0.0
