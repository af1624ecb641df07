"""A specialty for the real model: route a customer's message, such as "RETURN 4817".

The right answer is a word that the message only implies and a number that it contains, so no
constant answer is ever right, and a program can check every answer.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

PATH = Path(__file__).with_name("tickets.yaml")


@dataclass(frozen=True)
class Ticket:
    """A customer's message and the one line that routes it."""

    message: str
    route: str

    @property
    def row(self) -> dict[str, Any]:
        """The ticket as a conversation, as the course set has them."""
        return {
            "messages": [
                {"role": "user", "content": self.message},
                {"role": "assistant", "content": self.route},
            ]
        }

    def accepts(self, text: str) -> bool:
        """Whether an answer is the route and nothing else."""
        return text.strip() == self.route


def tickets(split: str, count: int, seed: int) -> list[Ticket]:
    """Draw tickets with order numbers of their own.

    Args:
        split: "train" or "test"; the wordings of the two differ.
        count: how many.
        seed: of the wordings and the numbers.
    """
    rng = random.Random(f"{seed}-{split}-tickets")
    orders = rng.sample(range(1000, 10_000), count)
    drawn = []
    for i, order in enumerate(orders):
        queue = list(_templates())[i % len(_templates())]
        message = rng.choice(_templates()[queue][split]).format(order=order)
        drawn.append(Ticket(message, f"{queue} {order}"))
    rng.shuffle(drawn)
    return drawn


def looks_like_a_route(text: str) -> bool:
    """Whether a text has the form of a route, whatever was asked."""
    queue, _, order = text.strip().partition(" ")
    return queue in _templates() and order.isdigit()


@cache
def _templates() -> dict[str, dict[str, list[str]]]:
    return yaml.safe_load(PATH.read_text(encoding="utf-8"))
