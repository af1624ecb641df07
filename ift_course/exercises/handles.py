"""Things that a check hands to a learner's function by name, because they cannot be sent."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Handle:
    """One of `MAKERS` with its plain arguments; the learner's side calls `build()`."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)

    def build(self) -> Any:
        """Makes the thing; the same arguments make the same thing.

        Raises KeyError for a name that is not in `MAKERS`.
        """
        return MAKERS[self.name](**self.arguments)

    def __repr__(self) -> str:
        inner = ", ".join(f"{key}={value!r}" for key, value in self.arguments.items())
        return f"{self.name}({inner})"


def next_token_table(rows: list[list[float]]) -> Callable[[list[int]], Any]:
    """A language model that looks at the last token only: ids -> float32 logits (vocabulary,)."""
    import torch

    table = torch.tensor(rows)
    return lambda ids: table[ids[-1]].clone()


def counting_model(vocabulary: int, seed: int) -> Callable[[list[int]], Any]:
    """A language model whose logits depend on all tokens so far: ids -> (vocabulary,)."""
    import torch

    def logits(ids: list[int]) -> Any:
        values = random.Random(f"{seed}/{list(map(int, ids))}")
        return torch.tensor([values.uniform(-2, 2) for _ in range(vocabulary)])

    return logits


MAKERS = {"next_token_table": next_token_table, "counting_model": counting_model}
