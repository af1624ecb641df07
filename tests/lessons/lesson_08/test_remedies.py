import copy

import pytest
import torch

from ift_course.data.records import Record
from ift_course.errors import CourseError
from ift_course.evaluation.generate import Completion
from ift_course.lessons.lesson_08.remedies import interpolate_weights, own_answers, with_replay

SPECIAL, EARLIER = list(range(100)), list(range(1000, 1200))


@pytest.mark.parametrize("share, count", [(0.0, 0), (0.001, 1), (0.05, 5), (0.25, 25), (1.0, 100)])
def test_replay_replaces_a_share_and_keeps_the_number(share, count):
    mixture = with_replay(SPECIAL, EARLIER, share, seed=0)
    assert len(mixture) == len(set(mixture)) == 100
    assert sum(example >= 1000 for example in mixture) == count
    assert mixture == with_replay(SPECIAL, EARLIER, share, seed=0)
    assert mixture != with_replay(SPECIAL, EARLIER, share, seed=1)


def test_replay_is_spread_over_the_rows():
    mixture = with_replay(SPECIAL, EARLIER, 0.25, seed=0)
    assert sum(example >= 1000 for example in mixture[:50]) in range(6, 20)


def test_more_replay_than_there_is_is_refused():
    with pytest.raises(CourseError, match="needs 50 earlier examples, and there are 3"):
        with_replay(SPECIAL, EARLIER[:3], 0.5, seed=0)


@pytest.fixture
def moved(tiny_llama):
    """A copy of the model whose weights have moved."""
    model = copy.deepcopy(tiny_llama[0])
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return model


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_every_weight_is_averaged_once(tiny_llama, moved, share):
    start = tiny_llama[0]
    assert start.config.tie_word_embeddings, "a tied weight must not move twice"
    before = copy.deepcopy(start.state_dict())
    weights = interpolate_weights(start, moved, share).state_dict()
    for name, weight in moved.state_dict().items():
        assert torch.allclose(weights[name], torch.lerp(before[name], weight, share), atol=1e-6), (
            name
        )
        assert torch.equal(start.state_dict()[name], before[name])


def test_half_precision_stays_half_precision(tiny_llama, moved):
    model = interpolate_weights(tiny_llama[0].bfloat16(), moved.bfloat16(), 0.5)
    assert {weight.dtype for weight in model.state_dict().values()} == {torch.bfloat16}


def test_own_answers_are_the_models_and_only_those_that_it_ended(tiny_llama, monkeypatch):
    replies = {"a?": Completion("A", True), "b?": Completion("b b b", False)}
    monkeypatch.setattr(
        "ift_course.evaluation.generate.generate_replies",
        lambda model, tokenizer, prompts, max_new_tokens: [replies[p] for p in prompts],
    )
    records = [Record.from_instruction(prompt, "", "ideal") for prompt in replies]
    [own] = own_answers(*tiny_llama, records, max_new_tokens=4)
    assert [turn.content for turn in own.turns] == ["a?", "A"]
