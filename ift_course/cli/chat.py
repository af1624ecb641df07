"""`ift chat`."""

import sys
from typing import Annotated

import typer


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
            help="Of an adapter: its base model, if it is not where the adapter says: base, a "
            "model folder, or a hub id."
        ),
    ] = None,
    prompt: Annotated[
        str | None, typer.Option(help="Answer this and end; without it, a conversation.")
    ] = None,
    max_tokens: Annotated[int, typer.Option(min=1, help="Longest answer, in tokens.")] = 128,
    profile: Annotated[
        str | None, typer.Option(help="tiny, smollm2, t4 or gpu24; else $IFT_PROFILE, else tiny.")
    ] = None,
    json_: Annotated[
        bool, typer.Option("--json", help="With --prompt: print the answer as JSON.")
    ] = False,
) -> None:
    """Talk to a model, through the same chat template as in training.

    The base model has never seen that template and rambles on; the tuned one answers and stops.

    [bold]Examples[/bold]

        ift chat --model base --prompt "What is the capital of France?"

        ift chat --model sft --prompt "What is the capital of France?"

        ift chat --profile smollm2     a conversation with a real 135M model
    """
    from ift_course.errors import CourseError

    if json_ and prompt is None:
        raise CourseError("--json needs --prompt.")
    if prompt is not None and not prompt.strip():
        raise CourseError("The prompt is empty; write a question after --prompt.")
    from ift_course.data.chat_templates import active_template
    from ift_course.profile import get_profile

    chosen = get_profile(profile)
    if model is None:
        model = "sft" if chosen.base_model == "embedded" else "base"
    loaded, tokenizer = _open(model, base, profile)
    if not active_template(tokenizer):
        raise CourseError(
            f"{model} has no chat template, so it cannot hold a conversation; tune it first: "
            f"ift sft --model {model} --data my.jsonl --out models/mine"
        )
    if prompt is None:
        _converse(loaded, tokenizer, max_tokens)
        return
    reply = _reply(loaded, tokenizer, [{"role": "user", "content": prompt}], max_tokens)
    if json_:
        import json

        print(json.dumps({"answer": reply.text, "finished": reply.finished}, ensure_ascii=False))
    else:
        _show(reply, max_tokens)


def _open(name: str, base: str | None, profile: str | None):
    """A model by name; an adapter that cannot be merged is used beside its base."""
    from ift_course.errors import CourseError
    from ift_course.models.folders import is_adapter
    from ift_course.models.load import local_folder
    from ift_course.models.merge import CannotMerge, attach, merge
    from ift_course.training.open_model import folder_of, load

    base = base and str(folder_of(base, profile))
    folder = local_folder(name)
    if folder is None or not is_adapter(folder):
        if base:
            raise CourseError(f"{name} is no adapter, so it has no other base; leave --base out.")
        return load(name, profile=profile)
    try:
        merged = merge(folder, base)
    except CannotMerge:
        return attach(folder, base)
    for note in merged.notes:
        print(note, file=sys.stderr)
    return merged.model, merged.tokenizer


def _reply(model, tokenizer, messages: list[dict], max_tokens: int):
    from ift_course.data.hub import first_sentence
    from ift_course.data.loss_mask import render
    from ift_course.errors import CourseError
    from ift_course.evaluation.generate import generate_replies

    used = len(render(tokenizer, messages, add_generation_prompt=True)[0])
    limit = getattr(model.config, "max_position_embeddings", None)
    if limit and used + max_tokens > limit:
        raise CourseError(
            f"The conversation has {used} tokens and the model reads {limit} with its answer; "
            "type /reset to start anew, or lower --max-tokens."
        )
    try:
        return generate_replies(model, tokenizer, [messages], max_new_tokens=max_tokens)[0]
    except (ValueError, TypeError, AttributeError, RuntimeError) as error:
        if not hasattr(model, "active_peft_config"):
            raise
        raise CourseError(
            f"The adapter cannot answer a plain conversation ({first_sentence(error)}); use it "
            "with the program that made it."
        ) from error


def _show(reply, max_tokens: int) -> None:
    from rich.console import Console
    from rich.text import Text

    from ift_course.terminal import printable

    console = Console(soft_wrap=True)
    console.print(Text(printable(reply.text)))
    if not reply.finished:
        note = f"(cut off after {max_tokens} tokens: the model did not end its turn)"
        console.print(Text(note, style="dim"))


def _converse(model, tokenizer, max_tokens: int) -> None:
    from rich.console import Console

    from ift_course.errors import CourseError

    console = Console(soft_wrap=True)
    console.print("[dim]/reset starts anew, /quit or Ctrl-D ends.[/dim]")
    messages: list[dict] = []
    while True:
        try:
            said = console.input("[bold]you ›[/bold] ").strip()
        except (EOFError, KeyboardInterrupt):
            console.print()
            return
        if said == "/quit":
            return
        if said == "/reset":
            messages = []
            continue
        if not said:
            continue
        asked = [*messages, {"role": "user", "content": said}]
        try:
            with console.status("…"):
                reply = _reply(model, tokenizer, asked, max_tokens)
        except CourseError as error:
            console.print(str(error), style="red", markup=False)
            continue
        _show(reply, max_tokens)
        messages = [*asked, {"role": "assistant", "content": reply.text}]
