"""`ift data pairs`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ift_course.cli.evaluating import SkipUnverifiable
from ift_course.cli.options import JsonOutput, ProfileOption

if TYPE_CHECKING:
    from collections.abc import Callable

    from ift_course.evaluation.items import Item
    from ift_course.evaluation.preferences import Ranking


def pairs(
    model: Annotated[
        str, typer.Option(help="A tuned model that writes the answers: a folder, sft, or a hub id.")
    ],
    out: Annotated[Path, typer.Option(help="The JSONL file of pairs to write, for ift dpo.")],
    data: Annotated[
        Path | None,
        typer.Option(
            help="Prompts with verifiers, as ift eval reads them; the 200 of the course set "
            "without it."
        ),
    ] = None,
    samples: Annotated[int, typer.Option(min=2, help="Answers to each prompt.")] = 8,
    temperature: Annotated[
        float, typer.Option(min=0.05, max=3.0, help="Higher makes the answers differ more.")
    ] = 1.0,
    max_new_tokens: Annotated[int, typer.Option(min=1, help="Longest answer, in tokens.")] = 64,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Take a random sample of so many prompts, by --seed.")
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(help="The base model of an adapter, if it is not where the adapter says."),
    ] = None,
    skip_unverifiable: SkipUnverifiable = False,
    seed: Annotated[int, typer.Option(help="Decides the answers, and ties between them.")] = 0,
    profile: ProfileOption = None,
    json_: JsonOutput = False,
) -> None:
    """Make preference pairs of a model's own answers, ranked by verifiers and rules.

    The model answers every prompt several times. A right answer is preferred to a wrong one: it
    states the right fact, follows the constraint, admits what cannot be known, or does not give in
    to a wrong belief, as the verifier of the prompt demands; and it stops by itself. Each pair
    names the rule that decided it. A prompt whose answers are all right or all wrong gives no pair.

    Answers are stored as they come: if the run is stopped, the same command continues.

    [bold]Examples[/bold]

        ift data pairs --model adapters/mine --out pairs.jsonl

        ift data pairs --model adapters/mine --data my-prompts.jsonl --samples 16 --out pairs.jsonl

        ift dpo --model adapters/mine --data pairs.jsonl --method lora --out models/honest

    A line of my-prompts.jsonl:
    [dim]{"prompt": "What is 6 × 7?", "verifier": {"type": "number", "value": 42}, "category":
    "fact"}[/dim]

    The categories that have a rule of their own are fact, constraint, unknowable, knowable,
    wrong-belief and right-belief.
    """
    from ift_course.cli.evaluating import EvalProgress, open_to_answer
    from ift_course.data import course_set
    from ift_course.evaluation.answers import AnswerStore
    from ift_course.evaluation.items import sample_items
    from ift_course.evaluation.preferences import rank
    from ift_course.evaluation.sampling import sample_answers

    _check_place(out)
    with EvalProgress() as progress:
        on_left_out = progress.note if skip_unverifiable else None
        items = _judged_items(data or course_set.path("prompts"), on_left_out)
        items = sample_items(items, limit, seed)
        loaded, tokenizer = open_to_answer(model, base=base, profile=profile, on_note=progress.note)
        answers = sample_answers(
            loaded,
            tokenizer,
            items,
            n_samples=samples,
            temperature=temperature,
            max_new_tokens=max_new_tokens,
            seed=seed,
            store=AnswerStore.of_model(loaded),
            on_done=lambda done, total: progress.show("prompts answered", done, total),
        )
        ranking = rank(items, answers, seed)
    _write(ranking, out, model)
    _report(ranking, items, out, as_json=json_)


def _check_place(out: Path) -> None:
    """Refuse a file that cannot be written, before anything is computed."""
    from ift_course.errors import CourseError

    if out.is_dir():
        raise CourseError(f"{out} is a folder; name a file.")
    if not out.absolute().parent.is_dir():
        raise CourseError(f"There is no folder {out.parent}; make it first.")


def _judged_items(path: Path, on_left_out: Callable[[str], None] | None) -> list[Item]:
    """Read prompts, each of which must name what judges its answers.

    Args:
        path: The file.
        on_left_out: As in `read_items`.

    Raises:
        CourseError: A row names nothing.
    """
    from ift_course.errors import CourseError
    from ift_course.evaluation.items import read_items

    items = read_items(path, on_left_out=on_left_out)
    for item in items:
        if item.verifier is None:
            raise CourseError(
                f"{path.name}, row {item.number} has no verifier and no short answer, so nothing "
                'can rank its answers; add a "verifier" (docs/evaluating.md) or delete the row.'
            )
    return items


def _write(ranking: Ranking, out: Path, source: str) -> None:
    import json

    from ift_course.data.writing import open_output
    from ift_course.disk import disk_errors

    with disk_errors(out), open_output(out) as file:
        for number, pair in enumerate(ranking.pairs, start=1):
            file.write(json.dumps(pair.row(number, source), ensure_ascii=False) + "\n")


def _report(ranking: Ranking, items: list[Item], out: Path, *, as_json: bool) -> None:
    import json

    n_pairs, (chosen, rejected) = len(ranking.pairs), ranking.mean_words
    if as_json:
        counts = {
            "out": str(out) if n_pairs else None,
            "prompts": len(items),
            "pairs": n_pairs,
            "rules": dict(ranking.rules.most_common()),
            "without_a_pair": dict(ranking.reasons.most_common()),
            "mean_words": {"chosen": chosen, "rejected": rejected},
        }
        print(json.dumps(counts, ensure_ascii=False, indent=1))
        return
    print(f"{len(items):,} prompts gave {n_pairs:,} pairs:")
    for rule, count in ranking.rules.most_common():
        print(f"  {count:5,}  the chosen answer {rule}")
    if ranking.reasons:
        print(f"{len(items) - n_pairs:,} gave none:")
    for reason, count in ranking.reasons.most_common():
        print(f"  {count:5,}  {reason}")
    if n_pairs:
        print(f"Words of an answer: {chosen:.1f} chosen, {rejected:.1f} rejected. Written: {out}")
    else:
        print("No file was written. Try more --samples, a higher --temperature or other prompts.")
