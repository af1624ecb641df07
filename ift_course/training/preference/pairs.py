"""Pairs as tokens, in the columns that TRL's preference trainers read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ift_course.data.masking import IGNORE, render
from ift_course.data.preferences import Pair
from ift_course.errors import CourseError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Row = dict[str, list[int]]


@dataclass(frozen=True)
class PreparedPairs:
    """rows: prompt_ids, chosen_ids and rejected_ids, the responses with their end of turn."""

    rows: list[Row]
    dropped: int  # no room for a response behind the prompt
    truncated: int  # a response lost its end


def prepare_pairs(
    tokenizer: "PreTrainedTokenizerBase", pairs: Sequence[Pair], max_length: int
) -> PreparedPairs:
    """Tokens of the pairs, prompt and response together cut at `max_length`.

    Raises CourseError when no pair is left, and as `render` does.
    """
    rows, truncated = [], 0
    for pair in pairs:
        prompt, chosen = split(tokenizer, pair.chosen_messages)
        same_prompt, rejected = split(tokenizer, pair.rejected_messages)
        if prompt != same_prompt:
            raise CourseError(
                f"{pair.source or 'A pair'}: the chat template writes the prompt differently for "
                "the two responses, so they cannot be compared."
            )
        room = max_length - len(prompt)
        if room <= 0:
            continue
        rows.append(
            {"prompt_ids": prompt, "chosen_ids": chosen[:room], "rejected_ids": rejected[:room]}
        )
        truncated += max(len(chosen), len(rejected)) > room
    if not rows:
        raise CourseError(
            f"None of the {len(pairs)} pairs has a response within {max_length} tokens; "
            "raise max_length or shorten the prompts."
        )
    return PreparedPairs(rows, len(pairs) - len(rows), truncated)


def split(
    tokenizer: "PreTrainedTokenizerBase", messages: Sequence[dict[str, str]]
) -> tuple[list[int], list[int]]:
    """Token ids of the prompt and of the last turn's response, its end of turn included."""
    ids, mask = render(tokenizer, messages)
    end = len(mask) - mask[::-1].index(1)
    start = end - [*mask[:end][::-1], 0].index(0)
    return ids[:start], ids[start:end]


def responses(rows: Sequence[Row], which: str) -> list[Row]:
    """Rows of input_ids and labels, as `data.masking.collate` takes them.

    which: "chosen" or "rejected". Only the response has labels: the prompt's probability is the
    same for both and says nothing about which is better.
    """
    return [
        {
            "input_ids": row["prompt_ids"] + row[f"{which}_ids"],
            "labels": [IGNORE] * len(row["prompt_ids"]) + row[f"{which}_ids"],
        }
        for row in rows
    ]
