"""Export a model for Ollama: a GGUF file and the Modelfile that says how to talk to the model.

Ollama does not run the Jinja template in a GGUF file. It recognizes some well-known templates and
otherwise sends the bare prompt, so that a tuned model rambles. The Modelfile therefore has the same
template in Go's language. It is derived from what the Jinja template writes: the text before the
first message, between any two, and before the answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ift_course.data.chat_templates import active_template, as_list
from ift_course.disk import atomic_write_text, disk_errors
from ift_course.errors import CourseError
from ift_course.export.export_model import (
    ExportSource,
    ReadBack,
    refuse_existing,
    to_gguf,
)
from ift_course.export.gguf_vocabulary import adds_bos, end_of_answer

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from ift_course.data.records import Message

# Writes a conversation that ends with a question, up to where the answer begins.
Render = Callable[[Sequence["Message"]], str]

DEFAULT_CONTEXT = 4096  # tokens that Ollama keeps if a Modelfile does not say
SYSTEM = "Be brief."
TURNS = ("Which bird hoots?", "An owl does.", "Which bird sings?", "A lark.", "And at night?")
# Conversations on which the derived texts must agree with the template.
TRIALS: tuple[tuple[str, ...], ...] = (
    ("Hi",),
    ('Say "no".\n\nThen {{ wait }}.', "No.\n- one\n- two", "Why?"),
    ("1", "2", "3", "4", "5", "6", "7"),
)


@dataclass(frozen=True)
class TurnTexts:
    """What a chat template writes around the messages of a conversation.

    Attributes:
        before_user: Before a conversation that begins with a question.
        before_system: Before one that begins with a system message; None if the template refuses
            such a message.
        system_to_user: Between a system message and the first question.
        to_assistant: Between a question and an answer that was given.
        to_user: Between an answer and the next question.
        before_answer: After the last question.
    """

    before_user: str
    before_system: str | None
    system_to_user: str
    to_assistant: str
    to_user: str
    before_answer: str

    def write(self, messages: Sequence[Message]) -> str:
        """Return a conversation as the template writes it."""
        text, previous = "", "none"
        for message in messages:
            role = message["role"]
            before = {
                "system": self.before_system or "",
                "assistant": self.to_assistant,
                "user": {"none": self.before_user, "system": self.system_to_user}.get(
                    previous, self.to_user
                ),
            }[role]
            text, previous = text + before + str(message["content"]), role
        return text + self.before_answer


def to_ollama(
    source: ExportSource, out: Path, weight_type: str = "f16", *, verify: bool = True
) -> ReadBack | None:
    """Write a folder with a GGUF file and a Modelfile for `ollama create`.

    Args:
        source: The model.
        out: The new folder.
        weight_type: As in `to_gguf`.
        verify: Whether to load the GGUF file again and compare it.

    Returns:
        The comparison, or None without `verify`.

    Raises:
        CourseError: As in `to_gguf`, or the chat template cannot be written for Ollama.
    """
    refuse_existing(out)
    file = out / f"{out.name.removesuffix('-ollama')}-{weight_type}.gguf"
    text = modelfile(source.model, source.tokenizer, file.name)
    try:
        comparison = to_gguf(source, file, weight_type, verify=verify)
        with disk_errors(out):
            atomic_write_text(out / "Modelfile", text)
    except BaseException:
        file.unlink(missing_ok=True)
        if out.is_dir() and not any(out.iterdir()):
            out.rmdir()
        raise
    return comparison


def modelfile(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, gguf_name: str) -> str:
    """Return the Modelfile: where the weights are, the template, and where an answer stops.

    Args:
        model: The model.
        tokenizer: Its tokenizer.
        gguf_name: The name of the GGUF file, which lies beside the Modelfile.

    Raises:
        CourseError: The chat template cannot be written for Ollama.
    """
    lines = ["# Made by `ift export --to ollama`.", f"FROM ./{gguf_name}", ""]
    lines.append("# The chat template of the model, in Go's language.")
    lines.append(f'TEMPLATE """{go_template(tokenizer)}"""')
    lines += ["", "# The tokens that end an answer."]
    lines += [f"PARAMETER stop {_quoted(token)}" for token in stop_tokens(model, tokenizer)]
    longest = getattr(model.config, "max_position_embeddings", DEFAULT_CONTEXT)
    if longest < DEFAULT_CONTEXT:
        lines += ["", "# The model has seen no longer texts.", f"PARAMETER num_ctx {longest}"]
    return "\n".join(lines) + "\n"


def stop_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> list[str]:
    """Return the tokens at which an answer ends: that of the template first, as in the GGUF."""
    generation_config: Any = model.generation_config
    ids = [end_of_answer(tokenizer), *as_list(generation_config.eos_token_id)]
    known = dict.fromkeys(id_ for id_ in ids if id_ is not None)
    return [str(tokenizer.convert_ids_to_tokens(id_)) for id_ in known]


def go_template(tokenizer: PreTrainedTokenizerBase) -> str:
    """Return the chat template in Go's template language, as Ollama reads it.

    Without a chat template the prompt is sent as it is. A beginning token that llama.cpp adds by
    itself is left out.

    Raises:
        CourseError: The template does more than put a fixed text between messages.
    """
    if not active_template(tokenizer):
        return "{{ .Prompt }}"

    def render(messages: Sequence[Message]) -> str:
        return str(
            tokenizer.apply_chat_template(
                list(messages), tokenize=False, add_generation_prompt=True
            )
        )

    texts = read_texts(render)
    bos = str(tokenizer.bos_token) if adds_bos(tokenizer) else ""
    begin = {"user": texts.before_user.removeprefix(bos)}
    if texts.before_system is not None:
        begin["system"] = texts.before_system.removeprefix(bos)
    branches = [
        ('if eq .Role "assistant"', texts.to_assistant),
        ('else if eq $previous "none"', begin["user"]),
        ('else if eq $previous "system"', texts.system_to_user),
        ("else", texts.to_user),
    ]
    if "system" in begin:
        branches[1:1] = [('else if eq .Role "system"', begin["system"])]
    # Every action trims the white space around it, so that the lines below are one.
    lines = ['$previous := "none"', "range .Messages"]
    for condition, text in branches:
        lines += [condition, _quoted(text)] if text else [condition]
    lines += ["end", ".Content", "$previous = .Role", "end"]
    # A conversation that ends with an answer is continued where it ends.
    lines += ['if ne $previous "assistant"', _quoted(texts.before_answer), "end"]
    return "\n".join(f"{{{{- {line} -}}}}" for line in lines)


def read_texts(render: Render) -> TurnTexts:
    """Derive from examples what a chat template writes around messages, and try it on others.

    Raises:
        CourseError: No fixed texts give what the template writes.
    """
    before_user, to_assistant, to_user, *_, before_answer = _around(render, TURNS, system=None)
    before_system, system_to_user = None, to_user
    if _accepts_system(render):
        before_system, system_to_user, *_ = _around(render, TURNS, system=SYSTEM)
    texts = TurnTexts(
        before_user, before_system, system_to_user, to_assistant, to_user, before_answer
    )
    systems = [None] if before_system is None else [None, SYSTEM, "One.\nTwo."]
    for turns in (TURNS, *TRIALS):
        for system in systems:
            messages = _conversation(turns, system)
            if texts.write(messages) != render(messages):
                raise CourseError(
                    "The chat template does more than put fixed texts around messages, so it "
                    "cannot be written for Ollama; use --to gguf, and write the Modelfile by hand."
                )
    return texts


def _accepts_system(render: Render) -> bool:
    from jinja2 import TemplateError

    try:
        return SYSTEM in render(_conversation(TURNS, SYSTEM))
    except (TemplateError, TypeError, ValueError):
        return False


def _around(render: Render, turns: Sequence[str], system: str | None) -> list[str]:
    """Return the texts before, between and after the messages of a conversation."""
    messages = _conversation(turns, system)
    rest, pieces = render(messages), []
    for message in messages:
        before, content, rest = rest.partition(str(message["content"]))
        if not content:
            raise CourseError("The chat template leaves out a message; use --to gguf.")
        pieces.append(before)
    return [*pieces, rest]


def _conversation(turns: Sequence[str], system: str | None) -> list[Message]:
    roles = ("user", "assistant")
    messages: list[Message] = [
        {"role": roles[number % 2], "content": text} for number, text in enumerate(turns)
    ]
    return [{"role": "system", "content": system}, *messages] if system else messages


def _quoted(text: str) -> str:
    """Return a text as a string of Go, which is written as in JSON; white space survives in it."""
    return json.dumps(text, ensure_ascii=False)
