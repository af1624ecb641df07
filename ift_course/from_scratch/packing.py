"""Several short records in one row, without one seeing another.

Best-fit decreasing: Ding et al. 2024, *Fewer Truncations Improve Language Modeling*,
arXiv:2404.10830. The classic analysis of the heuristic is Johnson 1973.
"""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ift_course.data.gc_pause import gc_paused
from ift_course.data.loss_mask import IGNORE

if TYPE_CHECKING:
    import torch

Row = Mapping[str, list[int]]


def best_fit_decreasing(lengths: Sequence[int], capacity: int) -> list[list[int]]:
    """Put items into as few bins as this heuristic finds; returns the items' indices by bin.

    The longest items go first, each into the fullest bin that still has room for it. Never more
    than 11/9 of the best possible number of bins, plus a constant.

    Raises ValueError for an item that is empty or longer than a bin.
    """
    bins: list[list[int]] = []
    with_space: dict[int, list[int]] = defaultdict(list)  # free places -> numbers of bins
    spaces: list[int] = []  # the keys of with_space, sorted
    for item in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        length = lengths[item]
        if not 0 < length <= capacity:
            raise ValueError(f"item {item} has the length {length}; bins hold 1 to {capacity}")
        at = bisect_left(spaces, length)
        if at == len(spaces):
            number, space = len(bins), capacity
            bins.append([])
        else:
            space = spaces[at]
            number = with_space[space].pop()
            if not with_space[space]:
                del with_space[space], spaces[at]
        bins[number].append(item)
        if left := space - length:
            if left not in with_space:
                insort(spaces, left)
            with_space[left].append(number)
    return bins


@dataclass(frozen=True)
class Packed:
    """Rows of several records each, and what packing saved.

    rows: input_ids, labels and position_ids of one length each; `lengths` are those of its records.
    capacity: the places in a row. tokens: of all records together.
    """

    rows: list[dict[str, list[int]]]
    lengths: list[list[int]]
    capacity: int
    tokens: int

    @property
    def filled(self) -> float:
        """Share of the places that hold a token, when every row is padded to the capacity."""
        return self.tokens / (len(self.rows) * self.capacity)


@gc_paused()
def pack(rows: Sequence[Row], capacity: int) -> Packed:
    """Pack rows of {"input_ids", "labels"} into rows of at most `capacity` tokens.

    Positions begin at 0 in every record, which is how transformers sees where one ends. The first
    label of a record is ignored: what stands before it belongs to somebody else.

    Raises ValueError for a row longer than `capacity`.
    """
    bins = best_fit_decreasing([len(row["input_ids"]) for row in rows], capacity)
    counted = list(range(capacity))
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
            positions += counted[: len(ids) - start]
        packed.append({"input_ids": ids, "labels": labels, "position_ids": positions})
        lengths.append([len(rows[i]["input_ids"]) for i in items])
    return Packed(packed, lengths, capacity, sum(map(sum, lengths)))


def padded_share(lengths: Sequence[int], batch_size: int) -> float:
    """Share of the places that is padding when rows are batched as they come, without packing."""
    places = tokens = 0
    for start in range(0, len(lengths), batch_size):
        batch = lengths[start : start + batch_size]
        places += max(batch) * len(batch)
        tokens += sum(batch)
    return 1 - tokens / places


def collate_packed(rows: Sequence[Row], pad_token_id: int) -> dict[str, "torch.Tensor"]:
    """Packed rows as int64 tensors (rows, longest): input_ids, labels, position_ids.

    There is no attention mask, on purpose: transformers looks for the records in the positions only
    when it gets none. Nor does it look when there is a key-value cache, and by default there is:
    call the model with `use_cache=False`, or set `model.config.use_cache = False` before training
    (TRL does). Padding is a record of its own, with labels to ignore.
    """
    import torch

    longest = max(len(row["input_ids"]) for row in rows)

    def column(name: str, padding) -> "torch.Tensor":
        return torch.tensor([[*row[name], *padding(longest - len(row[name]))] for row in rows])

    return {
        "input_ids": column("input_ids", lambda n: [pad_token_id] * n),
        "labels": column("labels", lambda n: [IGNORE] * n),
        "position_ids": column("position_ids", range),
    }


def block_diagonal_mask(position_ids: "torch.Tensor") -> "torch.Tensor":
    """Who may look at whom in packed rows: bool (rows, 1, length, length), True = may look.

    Each token sees itself and what stands before it in its own record. It says the same as
    transformers finds in the positions, and works where that is not done for you.
    """
    import torch

    record = (position_ids == 0).cumsum(dim=-1)
    same = record[:, None, :, None] == record[:, None, None, :]
    length = position_ids.shape[-1]
    causal = torch.ones(length, length, dtype=torch.bool, device=position_ids.device).tril()
    return same & causal
