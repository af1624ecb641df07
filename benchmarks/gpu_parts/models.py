"""Models with random weights and conversations of the closed world, for speed and precision.

Neither depends on what the weights are. The tokenizer is the one that the course ships; its 4,096
tokens fit into the vocabulary of every shape.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpu_parts.toy import TOY

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from ift_course.data.records import Record

LONGEST = 1024  # tokens


def random_pair(
    name: str, tiny: bool, dtype: torch.dtype
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Return a model of a known shape with random weights, and a tokenizer with a chat template.

    Args:
        name: One of `ift_course.memory.names()`.
        tiny: Take a toy shape instead.
        dtype: Of the weights.
    """
    import torch
    from transformers import AutoTokenizer

    from ift_course.data.chat_templates import ensure_chat_template
    from ift_course.memory import shape_of
    from ift_course.memory.measure import random_base
    from ift_course.paths import assets_dir

    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = random_base(TOY if tiny else shape_of(name), dtype, LONGEST, device)
    tokenizer = AutoTokenizer.from_pretrained(assets_dir() / "base")
    ensure_chat_template(model, tokenizer)
    return model, tokenizer


def conversations(number: int, turns: int = 8) -> list[Record]:
    """Return conversations of several questions with their answers.

    Args:
        number: How many.
        turns: Questions in each.
    """
    from formatting import make_conversations

    from ift_course.data.records import Record

    return [Record.from_messages(messages) for messages in make_conversations(number, turns)]
