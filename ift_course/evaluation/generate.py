"""Batched generation: plain continuation, and replies through the chat template.

The loop is written by hand because it drops finished sequences from the key-value cache: for short
answers of a model with 5 million parameters it takes half the time of `model.generate` on one core.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import torch

from ift_course.data.chat_templates import as_list
from ift_course.data.eval_mode import evaluating
from ift_course.data.loss_mask import render
from ift_course.data.records import user_text
from ift_course.errors import CourseError
from ift_course.models.quiet import quiet

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# From logits, float32 of shape (sequences, vocabulary), and the numbers of the prompts to one token
# id per sequence.
Choose = Callable[[torch.Tensor, list[int]], torch.Tensor]


@dataclass(frozen=True)
class Completion:
    """What a model wrote after a prompt.

    Attributes:
        text: The new text, without the token that ended it. Other special tokens stay visible, so
            that a strict score sees them.
        finished: Whether the model ended by itself (end of turn or end of text) before the token
            limit.
    """

    text: str
    finished: bool


def complete(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    *,
    max_new_tokens: int = 40,
    batch_size: int = 128,
    temperature: float = 0.0,
    seed: int = 0,
) -> list[Completion]:
    """Continue each text as plain prose, without a chat template.

    Args:
        model: A causal language model.
        tokenizer: Its tokenizer.
        texts: The texts to continue.
        max_new_tokens: The limit for each text, in tokens.
        batch_size: Texts decoded together.
        temperature: 0 is greedy decoding; above 0, tokens are sampled from
            softmax(logits / temperature).
        seed: Text i is sampled with a generator seeded with (seed, i), so that results do not
            depend on `batch_size`.

    Returns:
        One completion per text, in the same order.

    Raises:
        CourseError: `texts` is one string instead of a list.
    """
    if isinstance(texts, str):
        raise CourseError("complete() takes a list of texts; put the text in [brackets].")
    prompts = [tokenizer(text)["input_ids"] or [_start_token(tokenizer)] for text in texts]
    return _generate(model, tokenizer, prompts, max_new_tokens, batch_size, temperature, seed)


def generate_replies(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    conversations: Sequence[Any],
    *,
    max_new_tokens: int = 40,
    batch_size: int = 128,
    temperature: float = 0.0,
    seed: int = 0,
) -> list[Completion]:
    """Reply to each conversation through the tokenizer's chat template.

    Args:
        model: A causal language model.
        tokenizer: Its tokenizer, with a chat template.
        conversations: Each is a list of {"role", "content"} messages, an Example, of which the
            model sees only instruction and input, or a string, which is one user turn.
        max_new_tokens: As in `complete`.
        batch_size: As in `complete`.
        temperature: As in `complete`.
        seed: As in `complete`.

    Returns:
        One completion per conversation, in the same order.

    Raises:
        CourseError: The tokenizer has no chat template, or a single conversation is not in a list.
    """
    if isinstance(conversations, str) or any(isinstance(c, dict) for c in conversations):
        raise CourseError(
            "generate_replies() takes a list of conversations; put this one in [brackets]."
        )
    prompts = [
        render(tokenizer, to_messages(conversation), add_generation_prompt=True)[0]
        for conversation in conversations
    ]
    return _generate(model, tokenizer, prompts, max_new_tokens, batch_size, temperature, seed)


def answer_prompts(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[list[int]],
    *,
    max_new_tokens: int,
    batch_size: int,
) -> list[Completion]:
    """Continue each prompt greedily.

    Args:
        model: A causal language model.
        tokenizer: Its tokenizer.
        prompts: Token ids, ending with those that open an answer.
        max_new_tokens: As in `complete`.
        batch_size: As in `complete`.

    Returns:
        One completion per prompt, in the same order.
    """
    return _generate(model, tokenizer, prompts, max_new_tokens, batch_size, 0.0, 0)


def to_messages(conversation: Any) -> list[dict[str, Any]]:
    """Return the messages that a model sees of a conversation.

    Args:
        conversation: Messages, a string, or an Example, whose response is left out.
    """
    if isinstance(conversation, str):
        return [{"role": "user", "content": conversation}]
    if hasattr(conversation, "instruction"):
        text = user_text(conversation.instruction, conversation.input)
        return [{"role": "user", "content": text}]
    return list(conversation)


def stop_ids(model: PreTrainedModel) -> set[int]:
    """Return the ids of the tokens that end a text: exactly those where `model.generate` stops.

    A model that was saved without its end of turn therefore runs on here as well; otherwise nobody
    would notice.
    """
    return set(as_list(model.generation_config.eos_token_id))


def _start_token(tokenizer: PreTrainedTokenizerBase) -> int:
    """Return the token that replaces an empty prompt, because a model needs at least one token."""
    bos = tokenizer.bos_token_id
    return cast("int", tokenizer.eos_token_id if bos is None else bos)


def _generate(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[list[int]],
    max_new_tokens: int,
    batch_size: int,
    temperature: float,
    seed: int,
) -> list[Completion]:
    stops = stop_ids(model)
    if _adds_inputs(model):
        return [
            _completion(tokenizer, prompt, _generate_by_peft(model, prompt, max_new_tokens), stops)
            for prompt in prompts
        ]
    # Prompts of similar length share a batch, so that there is little padding.
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    new_ids: dict[int, list[int]] = {}
    with evaluating(model):
        for start in range(0, len(order), batch_size):
            new_ids |= _decode_batch(
                model,
                {i: prompts[i] for i in order[start : start + batch_size]},
                stops,
                max_new_tokens,
                _token_chooser(temperature, seed),
            )
    return [_completion(tokenizer, prompts[i], new_ids[i], stops) for i in range(len(prompts))]


def _adds_inputs(model: PreTrainedModel) -> bool:
    """Return whether a PEFT adapter puts vectors before every prompt, as prompt tuning does."""
    config = getattr(model, "active_peft_config", None)
    return config is not None and config.is_prompt_learning


def _generate_by_peft(model: PreTrainedModel, prompt: list[int], max_new_tokens: int) -> list[int]:
    """Return new token ids, decoded greedily by PEFT, which alone knows where the vectors go."""
    ids = torch.tensor([prompt], device=model.device)
    with evaluating(model), quiet():
        output = cast("Any", model).generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=max_new_tokens,
            do_sample=False,
        )
    return output[0, len(prompt) :].tolist()


def _completion(
    tokenizer: PreTrainedTokenizerBase, prompt: list[int], new_ids: list[int], stops: set[int]
) -> Completion:
    finished = bool(new_ids) and new_ids[-1] in stops
    # Decoded together with its prompt: some tokenizers drop the space that a text begins with.
    before = cast("str", tokenizer.decode(prompt, skip_special_tokens=False))
    text_ids = new_ids[:-1] if finished else new_ids
    whole = cast("str", tokenizer.decode(prompt + text_ids, skip_special_tokens=False))
    return Completion(whole[len(before) :], finished)


def _decode_batch(
    model: PreTrainedModel,
    prompts: Mapping[int, list[int]],
    stops: set[int],
    max_new_tokens: int,
    choose: Choose,
) -> dict[int, list[int]]:
    """Decode prompts together, dropping each sequence from the cache when it ends.

    Args:
        model: The model, in evaluation mode.
        prompts: Token ids by the number of the prompt.
        stops: The token ids that end a sequence.
        max_new_tokens: The limit for each sequence.
        choose: Chooses the next token of each sequence.

    Returns:
        The new token ids, the last stop included, by the number of the prompt.
    """
    device = model.device
    ids, mask = _left_padded(list(prompts.values()), device)
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    stop = torch.tensor(sorted(stops), dtype=torch.long, device=device)
    numbers = list(prompts)  # of the prompts whose sequences have not ended
    new_ids: dict[int, list[int]] = {number: [] for number in prompts}
    cache = None
    for _ in range(max_new_tokens):
        output = model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        cache, chosen = output.past_key_values, choose(output.logits[:, -1].float(), numbers)
        for number, token in zip(numbers, chosen.tolist(), strict=True):
            new_ids[number].append(token)
        unfinished = (~torch.isin(chosen, stop)).nonzero()[:, 0]
        if len(unfinished) == 0:
            break
        if len(unfinished) < len(numbers):
            cache.batch_select_indices(unfinished)
            mask, positions = mask[unfinished], positions[unfinished]
            chosen = chosen[unfinished]
            numbers = [numbers[i] for i in unfinished.tolist()]
        ids, positions = chosen[:, None], positions[:, -1:] + 1
        mask = torch.cat([mask, mask.new_ones(len(numbers), 1)], dim=1)
    return new_ids


def _left_padded(
    prompts: Sequence[list[int]], device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return token ids and attention mask, int64 (prompts, longest), padded on the left."""
    width = max(map(len, prompts))
    ids = torch.tensor([[0] * (width - len(p)) + list(p) for p in prompts], device=device)
    mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts], device=device)
    return ids, mask


def _token_chooser(temperature: float, seed: int) -> Choose:
    """Return a function that chooses the next tokens, greedily or by sampling."""
    if temperature <= 0:
        return lambda logits, numbers: logits.argmax(-1)
    generators: dict[int, torch.Generator] = {}

    def sample(logits: torch.Tensor, numbers: list[int]) -> torch.Tensor:
        # The Gumbel trick: the largest of logits + noise is a draw from their softmax. Each
        # sequence has its own noise, so its text does not depend on what else is in the batch.
        for number in numbers:
            if number not in generators:
                generators[number] = torch.Generator().manual_seed(seed * 1_000_003 + number)
        noise = torch.stack(
            [torch.empty(logits.shape[-1]).exponential_(generator=generators[n]) for n in numbers]
        )
        return (logits / temperature - noise.log().to(logits.device)).argmax(-1)

    return sample
