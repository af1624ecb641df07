import copy

import pytest
import torch
import torch.nn.functional as F

from ift_course.data.loss_mask import IGNORE, collate
from ift_course.errors import CourseError
from ift_course.lessons.lesson_08.remedies import (
    interpolate_weights,
    kl_regularized,
    kl_to_reference,
    with_replay,
)
from ift_course.training.sft import prepare, sft

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
def batch(tiny_llama, cow_records):
    _, tokenizer = tiny_llama
    return collate(prepare(tokenizer, cow_records[:4], 64).rows, tokenizer.pad_token_id)


@pytest.fixture
def moved(tiny_llama):
    """A copy of the model whose weights have moved."""
    model = copy.deepcopy(tiny_llama[0])
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return model


def test_kl_is_torchs_over_the_response_tokens(tiny_llama, moved, batch):
    with torch.no_grad():
        policy, start = moved(batch["input_ids"]).logits, tiny_llama[0](batch["input_ids"]).logits
    there = batch["labels"][:, 1:] != IGNORE
    expected = F.kl_div(
        start[:, :-1][there].log_softmax(-1),
        policy[:, :-1][there].log_softmax(-1),
        log_target=True,
        reduction="sum",
    )
    got = kl_to_reference(policy, start, batch["labels"])
    assert torch.allclose(got, expected, rtol=1e-5)
    assert got > 0.1
    assert kl_to_reference(start, start, batch["labels"]).abs() < 1e-5


def test_what_is_held_loses_its_kl_besides_and_afterwards_no_more(tiny_llama, moved, batch):
    start = tiny_llama[0]
    with torch.no_grad():
        plain = moved(**batch).loss
        with kl_regularized(start, moved, 2.0):
            held = moved(**batch).loss
        kl = kl_to_reference(moved(**batch).logits, start(**batch).logits, batch["labels"])
        again = moved(**batch).loss
    count = (batch["labels"][:, 1:] != IGNORE).sum()
    assert torch.allclose(held, plain + 2.0 * kl / count, rtol=1e-5)
    assert again == plain


def test_a_held_model_stays_nearer_and_the_reference_stays_as_it_is(tiny_llama, cow_records, batch):
    start, tokenizer = tiny_llama
    before = copy.deepcopy(start.state_dict())
    distances = []
    for weight in (0.0, 50.0):
        policy = copy.deepcopy(start)
        with kl_regularized(start, policy, weight):
            sft(policy, tokenizer, cow_records, seed=0, max_steps=6, batch_size=8,
                learning_rate=1e-2, progress=False)  # fmt: skip
        with torch.no_grad():
            logits = policy(batch["input_ids"]).logits
            kl = kl_to_reference(logits, start(batch["input_ids"]).logits, batch["labels"])
        distances.append(kl.item())
    assert distances[1] < 0.5 * distances[0]
    assert all(torch.equal(before[name], now) for name, now in start.state_dict().items())


def test_training_another_model_than_the_hooked_one_is_an_error(tiny_llama):
    held = kl_regularized(tiny_llama[0], copy.deepcopy(tiny_llama[0]), 1.0)
    with pytest.raises(CourseError, match="trained without the KL term"), held:
        pass


def test_an_error_inside_is_not_hidden_by_that(tiny_llama):
    held = kl_regularized(tiny_llama[0], copy.deepcopy(tiny_llama[0]), 1.0)
    with pytest.raises(KeyboardInterrupt), held:
        raise KeyboardInterrupt


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
