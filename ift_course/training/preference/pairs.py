"""Pairs as tokens, in the columns that TRL's preference trainers read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ift_course.data.labeling import refuse_unwritten
from ift_course.data.loss_mask import IGNORE, render
from ift_course.data.pairs import Pair
from ift_course.data.records import Message
from ift_course.errors import CourseError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Row = dict[str, list[int]]


@dataclass(frozen=True)
class PreparedPairs:
    """Pairs as tokens, and what was lost on the way.

    Attributes:
        rows: prompt_ids, chosen_ids and rejected_ids, the responses with their end of turn.
        dropped: pairs without room for a response behind the prompt.
        truncated: pairs of which a response lost its end.
        tied: pairs dropped because their responses are the same up to the cut.
    """

    rows: list[Row]
    dropped: int
    truncated: int
    tied: int = 0


def prepare_pairs(
    tokenizer: PreTrainedTokenizerBase,
    pairs: Sequence[Pair],
    max_length: int,
    on_refused: Callable[[Pair, str], None] | None = None,
) -> PreparedPairs:
    """Tokenize the pairs; prompt and response together are cut at `max_length`.

    Args:
        tokenizer: with a chat template.
        pairs: prompts with a better and a worse response.
        max_length: in tokens.
        on_refused: is given a pair that the chat template cannot write, and the reason; the pair
            is then left out. None stops at the first.

    Raises:
        CourseError: no pair is left, or the template cannot write one; the sentence names its row.
    """
    rows, dropped, truncated, tied = [], 0, 0, 0
    for pair in pairs:
        try:
            prompt, chosen, rejected = _tokens(tokenizer, pair)
        except CourseError as error:
            if on_refused is None:
                raise CourseError(f"{pair.source or 'A pair'}: {error}") from None
            on_refused(pair, str(error))
            continue
        room = max_length - len(prompt)
        if room <= 0:
            dropped += 1
            continue
        if chosen[:room] == rejected[:room]:
            tied += 1
            continue
        rows.append(
            {"prompt_ids": prompt, "chosen_ids": chosen[:room], "rejected_ids": rejected[:room]}
        )
        truncated += max(len(chosen), len(rejected)) > room
    if not rows:
        ties = f" ({tied} are the same up to there)" if tied else ""
        raise CourseError(
            f"None of the {len(pairs)} pairs has a response within {max_length} tokens{ties}; "
            "raise max_length or shorten the prompts."
        )
    return PreparedPairs(rows, dropped, truncated, tied)


def _tokens(
    tokenizer: PreTrainedTokenizerBase, pair: Pair
) -> tuple[list[int], list[int], list[int]]:
    refuse_unwritten(tokenizer, pair.record)
    prompt, chosen = split(tokenizer, pair.chosen_messages, pair.tools)
    same_prompt, rejected = split(tokenizer, pair.rejected_messages, pair.tools)
    if prompt != same_prompt:
        raise CourseError(
            "the chat template writes the prompt differently for the two responses, so they "
            "cannot be compared."
        )
    return prompt, chosen, rejected


def split(
    tokenizer: PreTrainedTokenizerBase,
    messages: Sequence[Message],
    tools: Sequence[Message] = (),
) -> tuple[list[int], list[int]]:
    """Return the token ids of the prompt and of the last turn's response with its end of turn."""
    ids, mask = render(tokenizer, messages, tools=tools)
    end = len(mask) - mask[::-1].index(1)
    start = end - [*mask[:end][::-1], 0].index(0)
    return ids[:start], ids[start:end]


def responses(rows: Sequence[Row], which: str) -> list[Row]:
    """Return rows of input_ids and labels, as `data.masking.collate` takes them.

    Only the response has labels: the prompt's probability is the same for both and says nothing
    about which is better.

    Args:
        rows: of `PreparedPairs`.
        which: "chosen" or "rejected".
    """
    return [
        {
            "input_ids": row["prompt_ids"] + row[f"{which}_ids"],
            "labels": [IGNORE] * len(row["prompt_ids"]) + row[f"{which}_ids"],
        }
        for row in rows
    ]
