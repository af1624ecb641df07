"""Lesson 01's real part, on a tiny random Gemma: the same code, other weights and rows."""

from __future__ import annotations

from importlib.metadata import version

import pytest
import torch

from ift_course.evaluation.items import Item, read_items
from ift_course.evaluation.verifiers import Contains, Regex
from ift_course.lessons import real_model
from ift_course.lessons.lesson_01 import real
from ift_course.lessons.real_model import Recipe, answer, chat_ids, open_base, tune, turn_ids
from ift_course.panels.compute import compute
from ift_course.panels.real_part import Job
from ift_course.profile import get_profile
from tests.real_model import OPEN, TEST

GEMMA = get_profile("gemma")


@pytest.fixture
def place(real_base, real_rows, real_results, quick_recipe):
    return real_results


def test_every_arm_is_measured_with_its_seeds_on_every_item(place):
    panel = compute(real.real_part(), GEMMA)
    assert {name: len(runs) for name, runs in panel.arms.items()} == {
        real.PLAIN: 1, real.WORKED: 1, real.TEMPLATE: 1, real.FEW: 3, real.MANY: 3,
    }  # fmt: skip
    for run in panel.runs:
        assert {len(digits) for digits in run.scores.values()} == {len(TEST)}
        assert [reply.prompt for reply in run.replies] == OPEN
        assert bool(run.losses) == run.arm.startswith("SFT")
    assert set(panel.identity.data) == {"train", "test", "open"}


def test_seeds_differ_and_repeat_exactly(place):
    first, again, other = (
        real.tune_and_ask(Job(GEMMA, seed), n_examples=48).losses for seed in (0, 0, 1)
    )
    assert first == again != other


def test_the_three_ways_to_ask_are_three_texts(place):
    _, tokenizer = open_base(GEMMA)
    item = read_items(real.course_set.path("test"))[0]
    plain, worked, chat = (
        tokenizer.decode(ask(tokenizer, item))
        for ask in (real.in_plain_text, real.after_examples, real.through_template)
    )
    assert plain == "Name a bird, 0.\n"
    assert worked.startswith("Instruction: Name a bird.\nAnswer: Owl.\n\nInstruction: Name a fish.")
    assert worked.endswith("Instruction: Name a bird, 0.\nAnswer:")
    assert chat.endswith(
        "<start_of_turn>user\nName a bird, 0.<end_of_turn>\n<start_of_turn>model\n"
    )


def test_strict_and_lenient_scores_and_stops_are_counted_apart(place):
    items = read_items(real.course_set.path("test"))[:3]
    completions = [
        real.Completion("Owl.\n\nInstruction: Name a cow.\nAnswer: Moo.", False),
        real.Completion("Moo.\nMoo.", False),
        real.Completion("An owl.", True),
    ]
    scores = real._scores(items, completions)
    assert scores == {"strict": "001", "lenient": "101", "stopped": "001"}


OWL = Contains(type="contains", answers=["owl"], max_words=3)
NO_COW = Contains(type="contains", answers=["owl"], **{"not": ["cow"]})
TWO_LINES = Regex(type="regex", pattern=r"owl\ncod")
ANYTHING = Regex(type="regex", pattern=".*")


@pytest.mark.parametrize(
    ("verifier", "text", "right"),
    [
        (OWL, "Owl.", True),
        (OWL, "Owl.\nOwl.\nOwl.\nOwl.", True),  # the whole reply is too long, its first line not
        (OWL, "\n\nOwl.\nThen it goes on and on", True),  # blank lines come first
        (OWL, "An owl, which is a bird that\nwrites no line end in time", False),
        (OWL, "Moo.\nOwl.", True),  # a beginning may hold a wrong line, too
        (NO_COW, "Owl.\n\nInstruction: Name a cow.", True),  # as in any other reply: no marker
        (NO_COW, "A cow.\nOwl.", False),
        (TWO_LINES, "owl\ncod\nowl", True),  # an answer may have several lines
        (TWO_LINES, "owl\nowl\ncod", False),  # and begins where the reply begins
        (ANYTHING, "\n \n", False),  # nothing is no answer
        (ANYTHING, "", False),
    ],
)
def test_a_reply_is_right_if_a_beginning_that_ends_at_a_line_break_is(verifier, text, right):
    item = Item(1, [{"role": "user", "content": "Name a bird."}], verifier=verifier)
    assert real.is_right_up_to_a_line_end(item, text) is right


def test_tuning_trains_the_turn_tokens_and_lowers_the_loss(place):
    model, tokenizer = open_base(GEMMA)
    ids = turn_ids(tokenizer)
    with torch.no_grad():  # the logits of random rows of length 0.1 are all alike
        model.get_input_embeddings().weight *= 20
    before = model.get_input_embeddings().weight.detach().clone()
    rows_ = real.course_set.load("train")
    tuned = tune(model, tokenizer, rows_, 0, Recipe(epochs=120, learning_rate=2e-2))
    assert tuned.losses[-1] < 0.5 * tuned.losses[0]
    after = tuned.model.get_input_embeddings().weight.detach()
    changed = (after != before).any(-1).nonzero()[:, 0].tolist()
    assert sorted(changed) == sorted(ids)
    # They are rows of the output matrix, too: otherwise the model could not end its turn.
    assert tuned.model.get_output_embeddings().weight is tuned.model.get_input_embeddings().weight
    prompt = chat_ids(tokenizer, rows_[0]["messages"][:1])
    [reply] = answer(tuned.model, tokenizer, [prompt], max_new_tokens=8)
    assert (reply.text, reply.finished) == ("Owl.", True)


def test_answers_do_not_depend_on_their_batch_and_are_those_of_generate(place):
    model, tokenizer = open_base(GEMMA)
    prompts = [
        real_model.plain_ids(tokenizer, text) for text in ("Name a bird.", "Owl.", "Name a fish. C")
    ]
    together = answer(model, tokenizer, prompts, max_new_tokens=5)
    assert together == answer(model, tokenizer, prompts, max_new_tokens=5, batch_size=1)
    output = model.generate(
        input_ids=torch.tensor([prompts[1]]), max_new_tokens=5, do_sample=False,
        eos_token_id=[tokenizer.eos_token_id, turn_ids(tokenizer)[1]],
    )  # fmt: skip
    text = tokenizer.decode(output[0, len(prompts[1]) :])
    assert text.strip().startswith(together[1].text)


def test_an_answer_that_ends_with_the_turn_is_finished(place, monkeypatch):
    model, tokenizer = open_base(GEMMA)
    owl = tokenizer("Owl.", add_special_tokens=False)["input_ids"]
    end, pad = turn_ids(tokenizer)[1], tokenizer.pad_token_id
    rows_ = [[*owl, end, pad, pad], [*owl, *owl[:3]]]
    width = max(map(len, rows_))
    new = torch.tensor([row + [pad] * (width - len(row)) for row in rows_])

    def generate(input_ids, **_):
        return torch.cat([input_ids, new], dim=1)

    monkeypatch.setattr(model, "generate", generate)
    first, second = answer(model, tokenizer, [[5], [6]], max_new_tokens=width)
    assert (first.text, first.finished) == ("Owl.", True)
    assert not second.finished


@pytest.mark.skipif(not version("trl").startswith("1.16."), reason="describes TRL 1.16")
def test_trls_own_loss_cannot_train_rows_of_a_tied_embedding(place):
    """Why `tune` computes the loss through the model: remove that when a newer TRL can."""
    from peft import LoraConfig, get_peft_model
    from trl.trainer.utils import add_fused_lm_head

    model, tokenizer = open_base(GEMMA)
    rows_of = {"embed_tokens": turn_ids(tokenizer)}
    config = LoraConfig(target_modules="all-linear", trainable_token_indices=rows_of)
    adapted = get_peft_model(model, config)
    add_fused_lm_head(adapted.get_base_model(), outputs=("log_probs",))
    ids = torch.tensor([[2, 3, 10, 4]])
    with pytest.raises(AttributeError, match="bias"):
        adapted(input_ids=ids, labels=ids, fused_lm_head=True)
