"""A model's answers to test items, stored as they come, so that a stopped run can continue."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ift_course.data.loss_mask import render
from ift_course.disk import disk_errors
from ift_course.errors import CourseError
from ift_course.evaluation.generate import Completion, answer_prompts, stop_ids
from ift_course.evaluation.items import Item
from ift_course.models.fingerprint import loaded_fingerprint
from ift_course.paths import results_root

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

OnDone = Callable[[int, int], None]  # is called with the answers so far, and with all of them


def evaluations_folder() -> Path:
    """The folder for answers and votes; not created."""
    return results_root() / "evaluations"


class AnswerStore:
    """The answers of one model in a file with a line for each; a line is added, never changed.

    An answer belongs to the token ids of its prompt and to the settings of its generation, so any
    file of questions that asks the same again finds it.
    """

    def __init__(self, path: Path | None = None):
        """Read the answers that are there.

        Args:
            path: The file, which need not exist; without one, answers are only remembered.
        """
        self.path = path
        self._answers: dict[str, Completion] = {}
        text = path.read_text(encoding="utf-8") if path and path.exists() else ""
        self._is_cut_off = bool(text) and not text.endswith("\n")  # by a kill while writing
        for line in text.splitlines():
            self._read(line)

    @classmethod
    def of_model(cls, model: PreTrainedModel) -> AnswerStore:
        """Return the store for a model, by the fingerprint of its weights."""
        name = f"{loaded_fingerprint(model)}.jsonl"
        return cls(evaluations_folder() / "answers" / name)

    def _read(self, line: str) -> None:
        try:
            entry: dict[str, Any] = json.loads(line)
            self._answers[entry["key"]] = Completion(str(entry["text"]), bool(entry["finished"]))
        except (ValueError, KeyError, TypeError):
            pass  # cut off when its run was killed; the question is answered again

    def get(self, key: str) -> Completion | None:
        """Return the answer with a key, or None."""
        return self._answers.get(key)

    def add(self, answers: dict[str, Completion]) -> None:
        """Store answers by their keys.

        Raises:
            CourseError: The disk is full, or the folder cannot be written.
        """
        if self.path is not None:
            lines = [json.dumps({"key": key} | asdict(answers[key])) + "\n" for key in answers]
            with disk_errors(self.path):
                self.path.parent.mkdir(parents=True, exist_ok=True)
                with self.path.open("a", encoding="utf-8", newline="\n") as file:
                    file.write("\n" * self._is_cut_off + "".join(lines))
                    file.flush()
                    os.fsync(file.fileno())
            self._is_cut_off = False
        self._answers |= answers


def answer_items(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    items: Sequence[Item],
    *,
    max_new_tokens: int,
    batch_size: int,
    store: AnswerStore | None = None,
    on_done: OnDone | None = None,
) -> list[Completion]:
    """Answer every item greedily, in batches, through the model's chat template.

    Args:
        model: A causal language model.
        tokenizer: Its tokenizer, with a chat template.
        items: The questions.
        max_new_tokens: The limit for each answer; the model's context may leave room for less.
        batch_size: Answers generated together.
        store: Holds the answers of earlier runs and gets the new ones; None stores nothing.
        on_done: Is called after every batch.

    Returns:
        One completion per item, in the same order.

    Raises:
        CourseError: The chat template refuses a question, or a question fills the whole context.
    """
    store = AnswerStore() if store is None else store
    prompts = [_prompt(tokenizer, item) for item in items]
    rooms = [_room(model, items[i], ids, max_new_tokens) for i, ids in enumerate(prompts)]
    keys = [_key(model, ids, room) for ids, room in zip(prompts, rooms, strict=True)]
    answers = {key: answer for key in keys if (answer := store.get(key))}
    # Prompts of one room and of similar length share a batch; a repeated question is asked once.
    missing = {key: i for i, key in enumerate(keys) if key not in answers}
    order = sorted(missing.values(), key=lambda i: (rooms[i], len(prompts[i])))
    n_known = sum(key in answers for key in keys)
    if on_done:
        on_done(n_known, len(items))
    for batch in _batches(order, rooms, batch_size):
        completions = answer_prompts(
            model,
            tokenizer,
            [prompts[i] for i in batch],
            max_new_tokens=rooms[batch[0]],
            batch_size=batch_size,
        )
        new = {keys[i]: answer for i, answer in zip(batch, completions, strict=True)}
        store.add(new)
        answers |= new
        if on_done:
            on_done(sum(key in answers for key in keys), len(items))
    return [answers[key] for key in keys]


def _batches(order: list[int], rooms: list[int], batch_size: int) -> list[list[int]]:
    """Cut an order of items into batches whose answers have the same limit."""
    batches: list[list[int]] = []
    for i in order:
        if batches and len(batches[-1]) < batch_size and rooms[batches[-1][0]] == rooms[i]:
            batches[-1].append(i)
        else:
            batches.append([i])
    return batches


def _prompt(tokenizer: PreTrainedTokenizerBase, item: Item) -> list[int]:
    try:
        return render(tokenizer, item.messages, add_generation_prompt=True, tools=item.tools)[0]
    except CourseError as error:
        raise CourseError(f"Row {item.number}: {error}") from error


def _room(model: PreTrainedModel, item: Item, ids: list[int], max_new_tokens: int) -> int:
    """Return how many tokens an answer may have."""
    limit = getattr(model.config, "max_position_embeddings", None)
    if limit is None:
        return max_new_tokens
    if len(ids) >= limit:
        raise CourseError(
            f"Row {item.number} has {len(ids):,} tokens, and the model has room for {limit:,}, "
            "including its answer; shorten or delete that row."
        )
    return min(max_new_tokens, limit - len(ids))


def _key(model: PreTrainedModel, ids: list[int], room: int) -> str:
    content = json.dumps([ids, room, sorted(stop_ids(model))])
    return hashlib.sha256(content.encode()).hexdigest()[:16]
