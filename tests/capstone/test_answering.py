"""An adapter answers as PEFT would let it; its numbers are checked; the sandbox loses nothing."""

import json

import pytest
from safetensors.torch import load, save

from ift_course.capstone import answering, examine
from ift_course.capstone.adapter_part import EMBEDDING, PREFIX, apply_adapter, check_adapter
from ift_course.capstone.exam import Exam
from ift_course.capstone.rules import ADAPTER, ADAPTER_SETTINGS, Refusal
from ift_course.capstone.submission import Submission
from tests.capstone import capstones

EXAM = Exam(3, 6)


@pytest.fixture(scope="module")
def base():
    return answering.fresh_base()


def test_what_peft_saves_is_applied_as_peft_applies_it(base, tmp_path):
    import copy

    import torch
    from peft import LoraConfig, get_peft_model

    model, tokenizer = base
    rows = tokenizer.convert_tokens_to_ids(["<|im_start|>", "<|im_end|>"])
    config = LoraConfig(
        task_type="CAUSAL_LM", r=4, lora_alpha=10, target_modules="all-linear", use_rslora=True,
        trainable_token_indices=rows,
    )  # fmt: skip
    adapted = get_peft_model(copy.deepcopy(model), config).eval()
    torch.manual_seed(0)
    for parameter in adapted.parameters():
        if parameter.requires_grad:
            parameter.data += 0.05 * torch.randn_like(parameter)
    adapted.save_pretrained(tmp_path)
    content = (tmp_path / ADAPTER).read_bytes()
    spec = check_adapter(content, (tmp_path / ADAPTER_SETTINGS).read_bytes())
    assert spec.tokens == tuple(rows) and len(spec.scales) == 42 and spec.rank == 4
    by_hand = copy.deepcopy(model)
    apply_adapter(by_hand, spec, load(content))
    ids = torch.tensor([[*rows, *range(100, 120)]])
    with torch.no_grad():
        expected, logits, before = (x(ids).logits for x in (adapted, by_hand, model))
    assert torch.allclose(logits, expected, atol=1e-3)
    assert not torch.allclose(logits, before, atol=1e-1)


def test_embedding_rows_must_be_those_of_the_settings():
    import torch

    name = f"{PREFIX}{EMBEDDING}.token_adapter.trainable_tokens_delta"
    content = save(capstones.adapter_tensors(0) | {name: torch.zeros(2, 256)})
    assert check_adapter(content, capstones.adapter_config(trainable_token_indices=[1, 2])).tokens
    with pytest.raises(Refusal, match="embedding rows"):
        check_adapter(content, capstones.adapter_config(trainable_token_indices=[1]))


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 1e30])
def test_numbers_that_are_none_are_refused(base, number):
    tensors = capstones.adapter_tensors(0)
    content = save(tensors)
    next(iter(tensors.values()))[0, 0] = number
    with pytest.raises(Refusal, match="diverged"):
        apply_adapter(base[0], check_adapter(content, capstones.adapter_config()), tensors)


class Sandbox:
    """A sandbox whose process replies what it is told to."""

    def __init__(self, answers):
        self.answers = answers
        self.received = 0

    def new_worker(self):
        return self

    def run_cell(self, number, source):
        return type("Cell", (), {"error": None})

    def call(self, name, *args):
        if name == "receive":
            self.received += len(args[0])
            return self.received
        json.dumps(args)  # plain: nothing of the answers goes to the process
        return self.answers

    def close(self):
        pass

    kill_worker = close


GOOD = [(x.response, True) for x in EXAM.examples]


def test_the_sandbox_gets_the_whole_adapter_and_its_answers_are_judged_outside():
    submission = Submission("", capstones.honest())
    sandbox = Sandbox(GOOD)
    assert examine.examine_in_sandbox(sandbox, submission, EXAM).score == 1
    assert sandbox.received == len(submission.files[ADAPTER])


@pytest.mark.parametrize(
    "answers",
    [None, GOOD[:-1], [*GOOD, ("", True)], [*GOOD[:-1], ("", 1)], [*GOOD[:-1], (b"", True)],
     [*GOOD[:-1], [GOOD[-1][0], True]], {"score": 1.0}],
)  # fmt: skip
def test_a_process_that_does_not_give_texts_is_refused(answers):
    with pytest.raises(Refusal, match="The exam was stopped"):
        examine.examine_in_sandbox(Sandbox(answers), Submission("", capstones.honest()), EXAM)
