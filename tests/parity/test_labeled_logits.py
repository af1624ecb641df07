"""Logits where there are labels, and trained rows one by one: the same loss and gradients."""

import copy
import importlib.util
from pathlib import Path

import pytest
import torch

from ift_course.data.loss_mask import IGNORE, collate
from ift_course.models.quiet import quiet
from ift_course.training.labeled_logits import is_exact, labeled_inputs, logits_where
from ift_course.training.sft import sft
from ift_course.training.trainable_rows import RowByRow, row_by_row

_spec = importlib.util.spec_from_file_location(
    "families", Path(__file__).parents[1] / "families.py"
)
families = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(families)

IDS = torch.randint(5, 280, (3, 20), generator=torch.Generator().manual_seed(0)).tolist()
ROWS = [
    {"input_ids": ids[:n], "labels": [*[IGNORE] * k, *ids[k:n]]}
    for ids, n, k in zip(IDS, (20, 15, 9), (6, 10, 1), strict=True)
]
COMMON = {"hidden_size": 32, "intermediate_size": 64, **families.SIZES}
# Families that do something to their logits or to their loss.
SPECIAL = {
    "a soft cap": ("Gemma2", {"final_logit_softcapping": 0.5, "head_dim": 16}),
    "a factor": ("Cohere", {"logit_scale": 0.3}),
    "a divisor": ("Granite", {"logits_scaling": 7.0}),
    "a bias": ("Phi", {}),
    "a loss of experts": (
        "Mixtral",
        {"num_local_experts": 2, "output_router_logits": True, "router_aux_loss_coef": 0.5},
    ),
}


def special(name: str):
    import transformers

    class_name, sizes = SPECIAL[name]
    ids = dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id"))
    config = getattr(transformers, f"{class_name}Config")(
        vocab_size=300, **{**COMMON, **sizes}, **ids
    )
    torch.manual_seed(0)
    return transformers.AutoModelForCausalLM.from_config(config)


def loss_and_gradients(model, where_labeled: bool, accumulated: int | None = None):
    batch = collate(ROWS, pad_token_id=0)
    model.eval().zero_grad()  # GPT-2 has dropout
    options = {} if accumulated is None else {"num_items_in_batch": torch.tensor(accumulated)}
    if where_labeled:
        inputs, mask = labeled_inputs(batch)
        with logits_where(model, mask):
            output = model(**inputs, **options, use_cache=False)
        assert output.logits.shape[:2] == (1, 14 + 5 + 8)
    else:
        output = model(**batch, **options, use_cache=False)
    output.loss.backward()
    gradients = {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}
    return output.loss.detach(), gradients


def assert_same(one, other) -> None:
    torch.testing.assert_close(one[0], other[0], rtol=1e-5, atol=1e-6)
    assert one[1].keys() == other[1].keys()
    for name, gradient in one[1].items():
        torch.testing.assert_close(gradient, other[1][name], rtol=1e-4, atol=1e-6, msg=name)


@pytest.mark.parametrize("accumulated", [None, 50], ids=["a mean", "accumulated"])
@pytest.mark.parametrize("name", families.with_a_few_quick([*families.FAMILIES]))
def test_every_family_has_the_same_loss_and_gradients(name, accumulated):
    model, _ = families.make(name)
    assert is_exact(model, ROWS)
    assert_same(*(loss_and_gradients(model, where, accumulated) for where in (False, True)))


@pytest.mark.parametrize("name", SPECIAL)
def test_what_a_family_does_to_its_logits_or_loss_is_kept(name):
    model = special(name)
    model.config.use_cache = False
    assert is_exact(model, ROWS)
    assert_same(*(loss_and_gradients(model, where) for where in (False, True)))


def test_a_model_with_a_loss_of_its_own_is_trained_with_all_logits(tiny_llama, cow_records):
    class WithSmoothness(type(tiny_llama[0])):
        """A loss that reads neighboring logits, so that none of them may be missing."""

        def forward(self, *args, **kwargs):
            output = super().forward(*args, **kwargs)
            if output.loss is not None:
                output.loss = output.loss + output.logits.diff(dim=1).pow(2).mean()
            return output

    model, tokenizer = tiny_llama
    model.__class__ = WithSmoothness
    assert not is_exact(model, ROWS)
    result = sft(model, tokenizer, cow_records, seed=0, max_steps=1, progress=False)
    assert result.steps == 1


@pytest.mark.parametrize("packing", [False, True], ids=["padded", "packed"])
def test_training_gives_the_same_weights_either_way(packing, tiny_llama, cow_records, monkeypatch):
    monkeypatch.setattr("ift_course.training.arguments.bf16_is_fast", lambda: False)
    model, tokenizer = tiny_llama
    options = {
        "seed": 0, "epochs": 2, "batch_size": 4, "gradient_accumulation": 2, "learning_rate": 1e-3,
        "packing": packing, "max_length": 64, "progress": False,
    }  # fmt: skip
    labeled = sft(copy.deepcopy(model), tokenizer, cow_records, **options)
    monkeypatch.setattr("ift_course.training.labeled_logits.is_exact", lambda *_: False)
    whole = sft(copy.deepcopy(model), tokenizer, cow_records, **options)
    assert labeled.losses == pytest.approx(whole.losses, abs=1e-5)
    for name, weight in whole.model.state_dict().items():
        torch.testing.assert_close(labeled.model.state_dict()[name], weight, atol=1e-4, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("name", ["qwen2-base", "gemma3-base", "mistral"])
def test_trained_rows_are_those_of_peft(name, dtype):
    """Tied and untied embeddings, with Gemma's factor between embedding and first layer."""
    from peft import LoraConfig, get_peft_model

    model, _ = families.make(name)
    embeddings = (
        ["embed_tokens"] if model.config.tie_word_embeddings else ["embed_tokens", "lm_head"]
    )
    tokens = [IDS[0][7], IDS[1][12], 3]
    with quiet():
        config = LoraConfig(
            task_type="CAUSAL_LM", r=2, target_modules=["q_proj"], init_lora_weights=False,
            trainable_token_indices=dict.fromkeys(embeddings, tokens),
        )  # fmt: skip
        adapted = get_peft_model(model.to(dtype), config)
    for parameter in adapted.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float() + 0.01 * torch.randn_like(
                parameter.data.float()
            )
    expected = loss_and_gradients(adapted, where_labeled=True)
    with row_by_row(adapted):
        assert any(type(module) is RowByRow for module in adapted.modules())
        result = loss_and_gradients(adapted, where_labeled=True)
        with adapted.disable_adapter():
            off = adapted(torch.tensor(IDS)).logits
    with adapted.disable_adapter():
        assert torch.equal(off, adapted(torch.tensor(IDS)).logits)
    assert not any(type(module) is RowByRow for module in adapted.modules())
    if dtype == torch.float32:
        assert_same(result, expected)
    else:  # a product with two rows rounds differently from one with all of them
        torch.testing.assert_close(result[0], expected[0], rtol=2e-3, atol=0)


def test_a_trained_row_keeps_the_bias_of_its_logit():
    """PEFT leaves it out until the rows are merged into the matrix."""
    from peft import LoraConfig, get_peft_model

    model = special("a bias").eval()
    model.lm_head.bias.data.normal_()
    tokens = [IDS[0][7], 3]
    with quiet():
        config = LoraConfig(
            task_type="CAUSAL_LM", r=2, target_modules=["q_proj"],
            trainable_token_indices={"embed_tokens": tokens, "lm_head": tokens},
        )  # fmt: skip
        adapted = get_peft_model(model, config)
    with row_by_row(adapted):
        logits = adapted(torch.tensor(IDS)).logits
    merged = adapted.merge_and_unload()
    torch.testing.assert_close(logits, merged(torch.tensor(IDS)).logits)


def test_the_probe_leaves_model_and_random_numbers_as_they_were(tiny_llama):
    model, _ = tiny_llama
    model.train()
    state = torch.get_rng_state()
    assert is_exact(model, ROWS)
    assert model.training
    assert torch.equal(torch.get_rng_state(), state)
    assert not model.get_output_embeddings()._forward_pre_hooks
