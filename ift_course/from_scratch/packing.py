"""Packing: several short examples in one sequence, without one example seeing another.

The examples are distributed by best-fit decreasing: Ding et al. 2024, *Fewer Truncations Improve
Language Modeling*, arXiv:2404.10830. The classic analysis of the heuristic is Johnson
1973, *Near-Optimal Bin Packing Algorithms*. tests/parity/test_packing.py compares the logits of
packed examples with those of the same examples alone, and the number of sequences with TRL's.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ift_course.data.loss_mask import IGNORE

if TYPE_CHECKING:
    import torch

TokenizedExample = Mapping[str, list[int]]  # "input_ids", "labels" and, if packed, "position_ids"


def best_fit_decreasing(lengths: Sequence[int], capacity: int) -> list[list[int]]:
    """Put items into few bins: the longest item first, each into the fullest bin with room for it.

    The number of bins is at most 11/9 of the smallest possible number, plus a constant.

    Args:
        lengths: The length of each item.
        capacity: The room in a bin.

    Returns:
        The indices of the items, by bin.

    Raises:
        ValueError: An item is empty or longer than a bin.
    """
    bins: list[list[int]] = []
    bins_by_space: dict[int, list[int]] = defaultdict(list)  # free space -> indices of bins
    spaces: list[int] = []  # the keys of bins_by_space, sorted
    for item in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        length = lengths[item]
        if not 0 < length <= capacity:
            raise ValueError(f"item {item} has the length {length}; bins hold 1 to {capacity}")
        position = bisect_left(spaces, length)
        if position == len(spaces):  # no bin has room for the item
            index, space = len(bins), capacity
            bins.append([])
        else:
            space = spaces[position]
            index = bins_by_space[space].pop()
            if not bins_by_space[space]:
                del bins_by_space[space], spaces[position]
        bins[index].append(item)
        if remaining := space - length:
            if remaining not in bins_by_space:
                insort(spaces, remaining)
            bins_by_space[remaining].append(index)
    return bins


@dataclass(frozen=True)
class Packed:
    """Packed sequences, and what is needed to say how much packing saves.

    Attributes:
        rows: The sequences: `input_ids`, `labels` and `position_ids`, equally long lists of ints.
        lengths: For each sequence, the lengths of its examples in tokens.
        capacity: The longest sequence allowed, in tokens.
        tokens: The tokens of all examples together.
    """

    rows: list[dict[str, list[int]]]
    lengths: list[list[int]]
    capacity: int
    tokens: int

    @property
    def filled(self) -> float:
        """Share of positions that hold a token if every sequence is padded to the capacity."""
        return self.tokens / (len(self.rows) * self.capacity)


def pack(rows: Sequence[TokenizedExample], capacity: int) -> Packed:
    """Pack tokenized examples into sequences of at most `capacity` tokens.

    The position ids start at 0 in every example, which is how transformers recognizes where an
    example ends. The first label of every example is ignored, because the token before it belongs
    to another example.

    Args:
        rows: `input_ids` and `labels` of each example, equally long lists of ints.
        capacity: The longest sequence allowed, in tokens.

    Raises:
        ValueError: An example is empty or longer than `capacity`.
    """
    bins = best_fit_decreasing([len(row["input_ids"]) for row in rows], capacity)
    all_positions = list(range(capacity))
    packed, lengths = [], []
    for items in bins:
        ids: list[int] = []
        labels: list[int] = []
        positions: list[int] = []
        for i in items:
            start = len(ids)
            ids += rows[i]["input_ids"]
            labels += rows[i]["labels"]
            labels[start] = IGNORE
            positions += all_positions[: len(ids) - start]
        packed.append({"input_ids": ids, "labels": labels, "position_ids": positions})
        lengths.append([len(rows[i]["input_ids"]) for i in items])
    return Packed(packed, lengths, capacity, sum(map(sum, lengths)))


def padded_share(lengths: Sequence[int], batch_size: int) -> float:
    """Return the share of positions that is padding if examples are batched in order, unpacked.

    Args:
        lengths: The length of each example in tokens.
        batch_size: Examples per batch; each batch is padded to its longest example.
    """
    positions = tokens = 0
    for start in range(0, len(lengths), batch_size):
        batch = lengths[start : start + batch_size]
        positions += max(batch) * len(batch)
        tokens += sum(batch)
    return 1 - tokens / positions


def collate_packed(rows: Sequence[TokenizedExample], pad_token_id: int) -> dict[str, torch.Tensor]:
    """Pad packed sequences to the longest of them and stack them into a batch.

    There is no attention mask, on purpose: transformers looks for the examples in the position ids
    only if it gets no mask. Nor does it look if there is a key-value cache, which is the default:
    call the model with `use_cache=False`, or set `model.config.use_cache = False` before training,
    as TRL does. The padding is an example of its own whose labels are ignored.

    Args:
        rows: Sequences as `pack` returns them.
        pad_token_id: The token to pad with.

    Returns:
        `input_ids`, `labels` and `position_ids`, int64 of shape (sequences, longest).
    """
    import torch

    longest = max(len(row["input_ids"]) for row in rows)

    def column(name: str, padding: Callable[[int], Iterable[int]]) -> torch.Tensor:
        return torch.tensor([[*row[name], *padding(longest - len(row[name]))] for row in rows])

    return {
        "input_ids": column("input_ids", lambda n: [pad_token_id] * n),
        "labels": column("labels", lambda n: [IGNORE] * n),
        "position_ids": column("position_ids", range),
    }


def block_diagonal_mask(position_ids: torch.Tensor) -> torch.Tensor:
    """Return the attention mask of packed sequences: which token may attend to which.

    Each token attends to itself and to the tokens before it in its own example. transformers
    derives the same mask from the position ids; this function is for models and libraries that do
    not.

    Args:
        position_ids: int64 of shape (sequences, length); every example starts at 0.

    Returns:
        bool of shape (sequences, 1, length, length), True where a token may attend.
    """
    import torch

    example = (position_ids == 0).cumsum(dim=-1)
    same = example[:, None, :, None] == example[:, None, None, :]
    length = position_ids.shape[-1]
    causal = torch.ones(length, length, dtype=torch.bool, device=position_ids.device).tril()
    return same & causal
