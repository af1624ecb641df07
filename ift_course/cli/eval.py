"""`ift eval`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ift_course.cli.evaluating import (
    AcceptCut,
    BatchSize,
    Html,
    Limit,
    MaxNewTokens,
    SkipUnverifiable,
    Train,
)
from ift_course.cli.options import JsonOutput, ProfileOption

if TYPE_CHECKING:
    from ift_course.evaluation.eval_result import EvalResult


def eval(
    model: Annotated[
        str, typer.Argument(help="base, sft, a model or adapter folder, or a hub id.")
    ],
    data: Annotated[
        Path | None,
        typer.Option(help="The test rows, in any layout that ift data inspect reads."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the result to this JSON file, for ift compare.")
    ] = None,
    html: Html = None,
    train: Train = None,
    max_new_tokens: MaxNewTokens = 256,
    accept_cut: AcceptCut = False,
    skip_unverifiable: SkipUnverifiable = False,
    batch_size: BatchSize = 16,
    limit: Limit = None,
    seed: Annotated[int, typer.Option(help="Decides which rows --limit takes.")] = 0,
    base: Annotated[
        str | None,
        typer.Option(help="The base model of an adapter, if it is not where the adapter says."),
    ] = None,
    profile: ProfileOption = None,
    show: Annotated[int, typer.Option(min=0, help="How many wrong answers to print.")] = 5,
    lm_eval: Annotated[
        str | None,
        typer.Option(help="Instead of --data: a task of EleutherAI's lm-eval, or its YAML file."),
    ] = None,
    json_: JsonOutput = False,
) -> None:
    """Measure how many of your test questions a model answers right.

    Every row is answered greedily. A row names the verifier that judges its answer; without one,
    the answer must equal the row's reference answer if that is short, and is only shown otherwise.
    An answer that does not stop by itself counts as wrong. Answers are stored as they come: if the
    run is stopped, the same command continues, and ift compare does not ask again.

    [bold]Examples[/bold]

        ift eval models/mine --data test.jsonl --train my.jsonl

        ift eval base --data test.jsonl --out base.json --html base.html

        ift eval models/mine --lm-eval arc_easy --limit 100

    A line of test.jsonl:
    [dim]{"prompt": "What is 6 × 7?", "verifier": {"type": "number", "value": 42}, "category":
    "math"}[/dim]

    The verifiers are exact, one_of, contains, number, regex, json_schema, ifeval and all;
    docs/evaluating.md describes them.
    """
    from ift_course.errors import CourseError

    if (data is None) == (lm_eval is None):
        raise CourseError("Name the questions: either --data FILE or --lm-eval TASK.")
    check_report_files(out, html)
    if lm_eval is not None:
        from ift_course.cli.eval_tasks import eval_task

        eval_task(model, lm_eval, base=base, profile=profile, limit=limit, batch_size=batch_size,
                  seed=seed, out=out, as_json=json_)  # fmt: skip
        return
    assert data is not None
    from ift_course.cli.evaluating import EvalProgress, examine, read_examination, uses_sentence

    with EvalProgress() as progress:
        examination = read_examination(
            data,
            limit=limit,
            seed=seed,
            skip_unverifiable=skip_unverifiable,
            train=train,
            max_new_tokens=max_new_tokens,
            batch_size=batch_size,
            accept_cut=accept_cut,
            progress=progress,
        )
        progress.note(uses_sentence(examination.items))
        result = examine(model, examination, base=base, profile=profile, progress=progress)
    _report(result, out, html, show, json_)


def check_report_files(*paths: Path | None) -> None:
    """Refuse a report whose folder does not exist before anything is computed.

    Raises:
        CourseError: A path is a folder, or its own folder does not exist.
    """
    from ift_course.errors import CourseError

    for path in filter(None, paths):
        if path.is_dir():
            raise CourseError(f"{path} is a folder; name a file.")
        if not path.absolute().parent.is_dir():
            raise CourseError(f"There is no folder {path.parent}; make it first.")


def _report(
    result: EvalResult, out: Path | None, html: Path | None, show: int, as_json: bool
) -> None:
    import json

    from ift_course.cli.eval_view import print_result
    from ift_course.cli.evaluating import error_console

    if out:
        result.write(out)
    if html:
        from ift_course.evaluation.pages import write_eval_page

        write_eval_page(result, html)
    if as_json:
        print(json.dumps(result.to_dict(), ensure_ascii=False, indent=1))
    else:
        print_result(result, show)
    for path in filter(None, (out, html)):
        error_console().print(f"Written: {path}", markup=False)
