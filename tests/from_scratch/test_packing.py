"""Packing wastes little, loses nothing, and no example sees another."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ift_course.data.loss_mask import IGNORE
from ift_course.from_scratch.packing import (
    best_fit_decreasing,
    block_diagonal_mask,
    collate_packed,
    pack,
    padded_share,
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 32), min_size=1, max_size=60), st.integers(32, 70))
def test_every_item_is_in_one_bin_that_holds_it(lengths, capacity):
    bins = best_fit_decreasing(lengths, capacity)
    assert sorted(i for items in bins for i in items) == list(range(len(lengths)))
    sums = [sum(lengths[i] for i in items) for items in bins]
    assert max(sums) <= capacity
    # Two bins that are both at most half full would have been one.
    assert sum(2 * total <= capacity for total in sums) <= 1


def test_the_fullest_bin_that_has_room_is_taken():
    assert best_fit_decreasing([6, 5, 4, 3, 2], 10) == [[0, 2], [1, 3, 4]]
    assert best_fit_decreasing([7, 6, 3], 10) == [[0, 2], [1]]


@pytest.mark.parametrize("length", [0, 11])
def test_an_item_that_fits_no_bin_is_refused(length):
    with pytest.raises(ValueError, match="item 1 has the length"):
        best_fit_decreasing([3, length], 10)


def rows_of(*lengths: int) -> list[dict]:
    generator = torch.Generator().manual_seed(0)
    ids = [torch.randint(5, 250, (n,), generator=generator).tolist() for n in lengths]
    return [{"input_ids": i, "labels": list(i)} for i in ids]


def test_positions_start_again_and_first_labels_are_ignored():
    rows = rows_of(3, 2)
    [packed] = pack(rows, 8).rows
    assert packed["input_ids"] == rows[0]["input_ids"] + rows[1]["input_ids"]
    assert packed["position_ids"] == [0, 1, 2, 0, 1]
    assert [label == IGNORE for label in packed["labels"]] == [True, False, False, True, False]


def test_packing_counts_what_it_saves():
    packed = pack(rows_of(6, 5, 4, 3, 2), 10)
    assert (packed.lengths, packed.tokens, packed.filled) == ([[6, 4], [5, 3, 2]], 20, 1.0)
    assert padded_share([6, 5, 4, 3, 2], batch_size=5) == pytest.approx(10 / 30)


def test_the_mask_lets_a_token_see_its_own_past_only():
    mask = block_diagonal_mask(torch.tensor([[0, 1, 0, 1]]))
    assert mask.shape == (1, 1, 4, 4)
    assert mask[0, 0].int().tolist() == [[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 1]]


def test_padding_is_an_example_of_its_own():
    batch = collate_packed(pack(rows_of(6, 3, 5), 10).rows, pad_token_id=1)
    assert batch["input_ids"].shape == (2, 9)
    assert batch["input_ids"][1, 5:].tolist() == [1] * 4
    assert batch["position_ids"][1].tolist() == [0, 1, 2, 3, 4, 0, 1, 2, 3]
    assert (batch["labels"][1, 5:] == IGNORE).all()
    assert "attention_mask" not in batch
