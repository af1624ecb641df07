"""Arguments that a check passes to a learner's function by name, because they cannot be sent."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Handle:
    """A reference to an object that the learner's side builds by calling `build()`.

    Attributes:
        name: A key of `MAKERS`.
        arguments: Plain arguments of the maker.
    """

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)

    def build(self) -> Any:
        """Build the object; the same arguments always build the same object.

        Raises:
            KeyError: The name is not in `MAKERS`.
        """
        return MAKERS[self.name](**self.arguments)

    def __repr__(self) -> str:
        inner = ", ".join(f"{key}={value!r}" for key, value in self.arguments.items())
        return f"{self.name}({inner})"


def next_token_table(rows: list[list[float]]) -> Callable[[list[int]], Tensor]:
    """A language model that depends on the last token only: ids -> float32 logits (vocabulary,)."""
    import torch

    table = torch.tensor(rows)
    return lambda ids: table[ids[-1]].clone()


def counting_model(vocabulary: int, seed: int) -> Callable[[list[int]], Tensor]:
    """A language model whose logits depend on all tokens so far: ids -> (vocabulary,)."""
    import torch

    def logits(ids: list[int]) -> Tensor:
        values = random.Random(f"{seed}/{list(map(int, ids))}")
        return torch.tensor([values.uniform(-2, 2) for _ in range(vocabulary)])

    return logits


MAKERS = {"next_token_table": next_token_table, "counting_model": counting_model}
