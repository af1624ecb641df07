"""`ift chat`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ift_course.cli.options import ProfileOption

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from ift_course.evaluation.generate import Completion


def chat(
    model: Annotated[
        str | None,
        typer.Option(
            help="base, sft (made on first use), a model folder, or a hub id; "
            "else sft on tiny, and base on the other profiles."
        ),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            help="The base model of an adapter, if it is not where the adapter says: base, a model "
            "folder, or a hub id."
        ),
    ] = None,
    prompt: Annotated[
        str | None, typer.Option(help="Answer this and exit; without it, a conversation starts.")
    ] = None,
    max_tokens: Annotated[int, typer.Option(min=1, help="Longest answer, in tokens.")] = 128,
    profile: ProfileOption = None,
    json_: Annotated[
        bool, typer.Option("--json", help="With --prompt: print the answer as JSON.")
    ] = False,
) -> None:
    """Talk to a model through the chat template that was used in training.

    The base model has never seen that template and rambles; the tuned model answers and stops.
    A model without any template, such as the base of gemma, continues your text instead.

    [bold]Examples[/bold]

        ift chat --model base --prompt "What is the capital of France?"

        ift chat --model sft --prompt "What is the capital of France?"

        ift chat --profile smollm2     a conversation with a real 135M model

        ift chat --profile gemma --model base --prompt "Give me three tips for saving money."
    """
    from ift_course.errors import CourseError

    if json_ and prompt is None:
        raise CourseError("--json needs --prompt.")
    if prompt is not None and not prompt.strip():
        raise CourseError("The prompt is empty; write a question after --prompt.")
    from ift_course.data.chat_templates import active_template
    from ift_course.profile import get_profile
    from ift_course.training.open_model import load_to_answer

    chosen = get_profile(profile)
    if model is None:
        model = "sft" if chosen.base_model == "embedded" else "base"
    loaded, tokenizer, notes = load_to_answer(model, base=base, profile=profile)
    for note in notes:
        print(note, file=sys.stderr)
    if not active_template(tokenizer):
        print(
            f"{model} has no chat template: it continues your text, which is all that a base model "
            f"does. Tune it: ift sft --model {model} --data my.jsonl --out models/mine",
            file=sys.stderr,
        )
    if prompt is None:
        _converse(loaded, tokenizer, max_tokens)
        return
    reply = _reply(loaded, tokenizer, [{"role": "user", "content": prompt}], max_tokens)
    if json_:
        import json

        print(json.dumps({"answer": reply.text, "finished": reply.finished}, ensure_ascii=False))
    else:
        _print_reply(reply, max_tokens)


def _reply(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    messages: list[dict[str, str]],
    max_tokens: int,
) -> Completion:
    from ift_course.data.chat_templates import active_template, token_ids
    from ift_course.data.hub import first_sentence
    from ift_course.data.loss_mask import render
    from ift_course.errors import CourseError
    from ift_course.evaluation.generate import complete, generate_replies

    text = messages[-1]["content"]
    is_chat = bool(active_template(tokenizer))
    if is_chat:
        n_tokens = len(render(tokenizer, messages, add_generation_prompt=True)[0])
    else:
        n_tokens = len(token_ids(tokenizer, text))
    limit = getattr(model.config, "max_position_embeddings", None)
    if limit and n_tokens + max_tokens > limit:
        raise CourseError(
            f"The conversation has {n_tokens} tokens, and the model has room for {limit}, "
            "including its answer; type /reset to start again, or lower --max-tokens."
        )
    try:
        if not is_chat:
            return complete(model, tokenizer, [text], max_new_tokens=max_tokens)[0]
        return generate_replies(model, tokenizer, [messages], max_new_tokens=max_tokens)[0]
    except (ValueError, TypeError, AttributeError, RuntimeError) as error:
        if not hasattr(model, "active_peft_config"):
            raise
        raise CourseError(
            f"The adapter cannot answer a plain conversation ({first_sentence(error)}); use it "
            "with the program that trained it."
        ) from error


def _print_reply(reply: Completion, max_tokens: int) -> None:
    from rich.console import Console
    from rich.text import Text

    from ift_course.terminal import printable

    console = Console(soft_wrap=True)
    console.print(Text(printable(reply.text)))
    if not reply.finished:
        note = f"(cut off after {max_tokens} tokens: the model did not end its turn)"
        console.print(Text(note, style="dim"))


def _converse(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, max_tokens: int) -> None:
    from rich.console import Console

    from ift_course.errors import CourseError

    console = Console(soft_wrap=True)
    console.print("[dim]/reset starts again, /quit or Ctrl-D exits.[/dim]")
    messages: list[dict[str, str]] = []
    while True:
        try:
            text = console.input("[bold]you ›[/bold] ").strip()
        except (EOFError, KeyboardInterrupt):
            console.print()
            return
        if text == "/quit":
            return
        if text == "/reset":
            messages = []
            continue
        if not text:
            continue
        prompt = [*messages, {"role": "user", "content": text}]
        try:
            with console.status("…"):
                reply = _reply(model, tokenizer, prompt, max_tokens)
        except CourseError as error:
            console.print(str(error), style="red", markup=False)
            continue
        _print_reply(reply, max_tokens)
        messages = [*prompt, {"role": "assistant", "content": reply.text}]
