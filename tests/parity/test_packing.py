"""A packed example gets the logits it gets alone; with naive packing it gets others."""

import pytest
import torch
from datasets import Dataset
from trl import pack_dataset

from ift_course.from_scratch.packing import block_diagonal_mask, collate_packed, pack

LENGTHS = (17, 40, 9, 23, 31, 5)


@pytest.fixture(params=["sdpa", "eager"])
def model(request, tiny_llama):
    model, _ = tiny_llama
    model.set_attn_implementation(request.param)
    return model


@pytest.fixture
def rows():
    generator = torch.Generator().manual_seed(1)
    ids = [torch.randint(5, 250, (n,), generator=generator).tolist() for n in LENGTHS]
    return [{"input_ids": i, "labels": list(i)} for i in ids]


def single_logits(model, rows) -> dict[tuple[int, ...], torch.Tensor]:
    with torch.no_grad():
        return {
            tuple(row["input_ids"]): model(torch.tensor([row["input_ids"]])).logits[0]
            for row in rows
        }


def max_difference(model, packed, expected, **inputs) -> float:
    """The largest difference of any logit of an example from the logit it gets alone."""
    with torch.no_grad():
        logits = model(**inputs).logits
    largest = 0.0
    for row, lengths in enumerate(packed.lengths):
        start = 0
        for length in lengths:
            span = slice(start, start + length)
            example = tuple(inputs["input_ids"][row, span].tolist())
            difference = logits[row, span] - expected[example]
            largest = max(largest, difference.abs().max().item())
            start += length
    return largest


def test_position_ids_keep_examples_apart(model, rows):
    packed = pack(rows, 64)
    assert max(map(len, packed.lengths)) > 1
    batch = collate_packed(packed.rows, 0)
    del batch["labels"]
    assert (
        max_difference(model, packed, single_logits(model, rows), **batch, use_cache=False) < 1e-5
    )


def test_with_a_cache_the_position_ids_are_ignored(model, rows):
    packed = pack(rows, 64)
    batch = collate_packed(packed.rows, 0)
    del batch["labels"]
    assert max_difference(model, packed, single_logits(model, rows), **batch, use_cache=True) > 1e-3


def test_the_mask_by_hand_separates_examples_too(model, rows):
    packed = pack(rows, 64)
    batch = collate_packed(packed.rows, 0)
    mask = block_diagonal_mask(batch["position_ids"])
    if model.config._attn_implementation == "eager":  # which adds the mask to the scores
        mask = torch.zeros(mask.shape).masked_fill(~mask, torch.finfo(torch.float32).min)
    inputs = {"input_ids": batch["input_ids"], "position_ids": batch["position_ids"]}
    inputs["attention_mask"] = mask
    assert max_difference(model, packed, single_logits(model, rows), **inputs) < 1e-5


def test_naive_packing_contaminates(model, rows):
    packed = pack(rows, 64)
    ids = collate_packed(packed.rows, 0)["input_ids"]
    assert max_difference(model, packed, single_logits(model, rows), input_ids=ids) > 1e-2


def test_the_loss_of_packed_examples_is_their_loss_alone(model, rows):
    batch = collate_packed(pack(rows, 64).rows, 0)
    with torch.no_grad():
        together = model(**batch, use_cache=False).loss.item()
        single = [model(torch.tensor([r["input_ids"]]), labels=torch.tensor([r["labels"]])).loss
                  for r in rows]  # fmt: skip
    n_predicted = [n - 1 for n in LENGTHS]
    mean = sum(s.item() * n for s, n in zip(single, n_predicted, strict=True)) / sum(n_predicted)
    assert together == pytest.approx(mean, abs=1e-5)


def test_as_few_sequences_as_trl(rows):
    generator = torch.Generator().manual_seed(2)
    lengths = torch.randint(1, 64, (400,), generator=generator).tolist()
    many = [{"input_ids": [7] * n, "labels": [7] * n} for n in lengths]
    theirs = pack_dataset(Dataset.from_list(many), seq_length=64, strategy="bfd")
    ours = pack(many, 64)
    assert len(ours.rows) == len(theirs)
