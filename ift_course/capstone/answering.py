"""What runs in the sandbox: it gets an adapter and questions, and gives back texts.

The adapter arrives in parts, because a message to the sandbox has a limit. The base is loaded from
the package, so nothing but the numbers comes from the submission.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ift_course.capstone.adapter_part import LoraSpec, apply_adapter, check_adapter
from ift_course.capstone.exam import Reply
from ift_course.capstone.rules import LONGEST_ANSWER
from ift_course.paths import assets_dir

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_received: list[bytes] = []


def receive(part: torch.Tensor) -> int:
    """Keep a part of the adapter's file.

    Args:
        part: Its bytes, as uint8.

    Returns:
        The number of bytes so far.
    """
    _received.append(part.numpy().tobytes())
    return sum(map(len, _received))


def answer(settings: str, questions: list[str]) -> list[tuple[str, bool]]:
    """Let the received adapter answer the questions.

    Args:
        settings: PEFT's adapter_config.json.
        questions: What is asked.

    Returns:
        (text, whether it ended by itself) for each question.
    """
    content = b"".join(_received)
    _received.clear()
    replies = answers_of(content, settings.encode(), questions)
    return [(reply.text, reply.finished) for reply in replies]


def answers_of(content: bytes, settings: bytes, questions: list[str]) -> list[Reply]:
    """Answer the questions with the base and an adapter.

    Args:
        content: Of the adapter's safetensors file.
        settings: Of PEFT's adapter_config.json.
        questions: What is asked.

    Raises:
        Refusal: The adapter cannot be used.
    """
    from safetensors.torch import load

    spec = check_adapter(content, settings)
    model, tokenizer = fresh_base()
    return ask(model, tokenizer, questions, spec, load(content))


def fresh_base() -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The course's base, whatever profile is set, ready for conversations in ChatML."""
    from ift_course.data.chat_templates import ensure_chat_template
    from ift_course.models.load import load_whole

    model, tokenizer = load_whole(assets_dir() / "base")
    ensure_chat_template(model, tokenizer)
    return model, tokenizer


def ask(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    questions: list[str],
    spec: LoraSpec | None = None,
    tensors: dict[str, torch.Tensor] | None = None,
) -> list[Reply]:
    """Ask the base, with an adapter added to its weights if there is one; greedy decoding.

    Args:
        model: The base, which is changed.
        tokenizer: Of the base.
        questions: What is asked.
        spec: Of the adapter.
        tensors: Its numbers.
    """
    from ift_course.evaluation.generate import generate_replies

    if spec is not None and tensors is not None:
        apply_adapter(model, spec, tensors)
    completions = generate_replies(model, tokenizer, questions, max_new_tokens=LONGEST_ANSWER)
    return [Reply(x.text, x.finished) for x in completions]
