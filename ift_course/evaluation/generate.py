"""Batched generation: plain continuation, and answers through the chat template.

The loop is written by hand because it drops finished rows from the key-value cache: on short
answers of a 5M-parameter model it takes half the time of ``model.generate`` on one core.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from ift_course.data.chat_templates import as_list
from ift_course.data.loss_mask import render
from ift_course.data.records import user_text
from ift_course.errors import CourseError
from ift_course.models.quiet import quiet


@dataclass(frozen=True)
class Completion:
    """What a model wrote after a prompt.

    text: the new text, without the token that ended it. Other special tokens stay visible, so that
        a strict score sees them.
    finished: the model ended by itself (end of turn or end of text) before the token limit.
    """

    text: str
    finished: bool


def complete(
    model,
    tokenizer,
    texts: Sequence[str],
    *,
    max_new_tokens: int = 40,
    batch_size: int = 128,
    temperature: float = 0.0,
    seed: int = 0,
) -> list[Completion]:
    """Continue each text as plain prose, without any chat template.

    max_new_tokens: limit in tokens, for each text. batch_size: texts decoded together.
    temperature: 0 is greedy; above 0 samples from softmax(logits / temperature), and then text i
    draws from a generator seeded with (seed, i), so results do not depend on batch_size.
    Returns one Completion per text, in the same order.
    Raises CourseError if `texts` is one string instead of a list.
    """
    if isinstance(texts, str):
        raise CourseError("complete() takes a list of texts; put the text in [brackets].")
    prompts = [tokenizer(text)["input_ids"] or [_start(tokenizer)] for text in texts]
    return _generate(model, tokenizer, prompts, max_new_tokens, batch_size, temperature, seed)


def generate_replies(
    model,
    tokenizer,
    conversations: Sequence,
    *,
    max_new_tokens: int = 40,
    batch_size: int = 128,
    temperature: float = 0.0,
    seed: int = 0,
) -> list[Completion]:
    """Answer each conversation through the tokenizer's chat template.

    conversations: each is a list of {"role", "content"} messages, an Example (only its instruction
    and input are shown to the model), or a string (one user turn). Other arguments and the result
    are those of `complete`.
    Raises CourseError if the tokenizer has no chat template or one conversation is passed bare.
    """
    if isinstance(conversations, str) or any(isinstance(c, dict) for c in conversations):
        raise CourseError(
            "generate_replies() takes a list of conversations; put this one in [brackets]."
        )
    prompts = [
        render(tokenizer, messages_of(item), add_generation_prompt=True)[0]
        for item in conversations
    ]
    return _generate(model, tokenizer, prompts, max_new_tokens, batch_size, temperature, seed)


def messages_of(item) -> list[dict]:
    """The messages a model sees for a conversation, a string or an Example (never its response)."""
    if isinstance(item, str):
        return [{"role": "user", "content": item}]
    if hasattr(item, "instruction"):
        return [{"role": "user", "content": user_text(item.instruction, item.input)}]
    return list(item)


def stop_ids(model) -> set[int]:
    """Token ids that end a text: those that plain `model.generate` stops at, and no others.

    A model that was saved without its end of turn runs on here too, or nobody would notice.
    """
    return set(as_list(model.generation_config.eos_token_id))


@contextmanager
def evaluating(model) -> Iterator[None]:
    """Eval mode without gradients; afterwards the model is as it was, train mode included."""
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(training)


def _start(tokenizer) -> int:
    """What an empty prompt becomes, as a model needs at least one token to go on from."""
    start = tokenizer.bos_token_id
    return tokenizer.eos_token_id if start is None else start


def _generate(
    model, tokenizer, prompts, max_new_tokens, batch_size, temperature, seed
) -> list[Completion]:
    stops = stop_ids(model)
    if _adds_inputs(model):
        return [
            _completion(tokenizer, prompt, _by_peft(model, prompt, max_new_tokens), stops)
            for prompt in prompts
        ]
    # Prompts of like length share a batch, so little of it is padding.
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    rows: dict[int, list[int]] = {}
    with evaluating(model):
        for start in range(0, len(order), batch_size):
            rows |= _decode_batch(
                model,
                {i: prompts[i] for i in order[start : start + batch_size]},
                stops,
                max_new_tokens,
                _chooser(temperature, seed),
            )
    return [_completion(tokenizer, prompts[i], rows[i], stops) for i in range(len(prompts))]


def _adds_inputs(model) -> bool:
    """Whether a PEFT adapter puts vectors before every prompt, as prompt tuning does."""
    config = getattr(model, "active_peft_config", None)
    return config is not None and config.is_prompt_learning


def _by_peft(model, prompt: list[int], max_new_tokens: int) -> list[int]:
    """The new tokens, decoded greedily by PEFT, which alone knows where the vectors go."""
    ids = torch.tensor([prompt], device=model.device)
    with evaluating(model), quiet():
        out = model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=max_new_tokens,
            do_sample=False,
        )
    return out[0, len(prompt) :].tolist()


def _completion(tokenizer, prompt: list[int], new: list[int], stops: set[int]) -> Completion:
    finished = bool(new) and new[-1] in stops
    # Decoded behind its prompt: alone, some tokenizers drop the space that a text begins with.
    before = tokenizer.decode(prompt, skip_special_tokens=False)
    whole = tokenizer.decode(prompt + (new[:-1] if finished else new), skip_special_tokens=False)
    return Completion(whole[len(before) :], finished)


def _decode_batch(model, prompts: dict[int, list[int]], stops, limit, choose) -> dict:
    """Decode prompts (row number -> ids) together; returns row number -> new ids, stop included."""
    device = model.device
    ids, mask = _left_padded(list(prompts.values()), device)
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    stop = torch.tensor(sorted(stops), dtype=torch.long, device=device)
    rows, new = list(prompts), {row: [] for row in prompts}
    cache = None
    for _ in range(limit):
        out = model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        cache, chosen = out.past_key_values, choose(out.logits[:, -1].float(), rows)
        for row, token in zip(rows, chosen.tolist(), strict=True):
            new[row].append(token)
        going = (~torch.isin(chosen, stop)).nonzero()[:, 0]
        if len(going) == 0:
            break
        if len(going) < len(rows):
            cache.batch_select_indices(going)
            mask, positions, chosen = mask[going], positions[going], chosen[going]
            rows = [rows[i] for i in going.tolist()]
        ids, positions = chosen[:, None], positions[:, -1:] + 1
        mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=1)
    return new


def _left_padded(prompts: list[list[int]], device) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and attention mask, both (rows, longest), int64, with the padding on the left."""
    width = max(map(len, prompts))
    ids = torch.tensor([[0] * (width - len(p)) + list(p) for p in prompts], device=device)
    mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts], device=device)
    return ids, mask


def _chooser(temperature: float, seed: int):
    """A function from logits (rows, vocabulary) and row numbers to one token id for each row."""
    if temperature <= 0:
        return lambda logits, rows: logits.argmax(-1)
    generators: dict[int, torch.Generator] = {}

    def sample(logits: torch.Tensor, rows: list[int]) -> torch.Tensor:
        # Gumbel's trick: the largest of logits + noise is a draw from their softmax. Noise of its
        # own for each row makes a row's text independent of what else is in the batch.
        for row in rows:
            if row not in generators:
                generators[row] = torch.Generator().manual_seed(seed * 1_000_003 + row)
        noise = torch.stack(
            [torch.empty(logits.shape[-1]).exponential_(generator=generators[r]) for r in rows]
        )
        return (logits / temperature - noise.log().to(logits.device)).argmax(-1)

    return sample
