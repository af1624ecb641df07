"""`ift compare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ift_course.cli.evaluating import (
    AcceptCut,
    BatchSize,
    Html,
    Limit,
    MaxNewTokens,
    SkipUnverifiable,
)
from ift_course.cli.options import JsonOutput, ProfileOption

if TYPE_CHECKING:
    from ift_course.evaluation.comparison import Comparison
    from ift_course.evaluation.eval_result import EvalResult


def compare(
    a: Annotated[
        str,
        typer.Argument(help="base, sft, a model or adapter folder, a hub id, or a result of eval."),
    ],
    b: Annotated[str, typer.Argument(help="What it is compared with, named in the same way.")],
    data: Annotated[
        Path | None, typer.Option(help="The test rows; two results of ift eval need none.")
    ] = None,
    blind: Annotated[
        bool,
        typer.Option("--blind", help="Show shuffled answers without names, and take your votes."),
    ] = False,
    html: Html = None,
    max_new_tokens: MaxNewTokens = 256,
    accept_cut: AcceptCut = False,
    skip_unverifiable: SkipUnverifiable = False,
    batch_size: BatchSize = 16,
    limit: Limit = None,
    seed: Annotated[
        int, typer.Option(help="Decides which rows --limit takes, and the order of --blind.")
    ] = 0,
    profile: ProfileOption = None,
    json_: JsonOutput = False,
) -> None:
    """Say which of two models is better on your test questions, and how sure that is.

    The models are compared question by question. The verdict gives the difference with its 95 %
    interval, or the number of questions that would tell the two apart. The largest changes stand
    side by side. Answers that ift eval stored are not asked for again.

    [bold]Examples[/bold]

        ift compare base models/mine --data test.jsonl

        ift compare base.json mine.json --html changes.html

        ift compare base models/mine --data open_questions.jsonl --blind

    With --blind you vote on answers whose model you do not know, also where no program can judge.
    Every vote is stored; the same command continues where you stopped.
    """
    from ift_course.cli.eval import check_report_files
    from ift_course.evaluation.comparison import compare as compare_results

    check_report_files(html)
    results = _results(
        [a, b],
        data,
        limit=limit,
        seed=seed,
        profile=profile,
        settings={
            "max_new_tokens": max_new_tokens,
            "batch_size": batch_size,
            "accept_cut": accept_cut,
            "skip_unverifiable": skip_unverifiable,
        },
    )
    comparison = compare_results(*results)
    if blind:
        from ift_course.cli.blind import vote_in_terminal

        vote_in_terminal(comparison, seed=seed, as_json=json_)
        return
    _report(comparison, html, json_)


def _results(
    names: list[str],
    data: Path | None,
    *,
    limit: int | None,
    seed: int,
    profile: str | None,
    settings: dict[str, Any],
) -> tuple[EvalResult, EvalResult]:
    """Read both results, or let the models answer.

    Raises:
        CourseError: A model comes without --data, or stored results come with it.
    """
    from ift_course.errors import CourseError
    from ift_course.evaluation.eval_result import is_result, read_result

    stored = [is_result(name) for name in names]
    if all(stored):
        if data is not None:
            raise CourseError("Two stored results are compared as they are; leave out --data.")
        first, second = map(read_result, names)
        return first, second
    if any(stored):
        result, model = sorted(names, key=is_result, reverse=True)
        raise CourseError(
            f"{result} is a stored result, and {model} is a model; evaluate the model first: "
            f"ift eval {model} --data FILE --out other.json"
        )
    if data is None:
        raise CourseError("Name the test questions: --data FILE.")
    from ift_course.cli.evaluating import EvalProgress, examine, read_examination, uses_sentence

    with EvalProgress() as progress:
        examination = read_examination(
            data, limit=limit, seed=seed, train=None, progress=progress, **settings
        )
        progress.note(uses_sentence(examination.items))
        first, second = (
            examine(name, examination, profile=profile, progress=progress) for name in names
        )
    return first, second


def _report(comparison: Comparison, html: Path | None, as_json: bool) -> None:
    import json

    from ift_course.cli.compare_view import print_comparison
    from ift_course.cli.evaluating import error_console

    if html:
        from ift_course.evaluation.pages import write_comparison_page

        write_comparison_page(comparison, html)
    if as_json:
        print(json.dumps(comparison.to_dict(), ensure_ascii=False, indent=1))
    else:
        print_comparison(comparison)
    if html:
        error_console().print(f"Written: {html}", markup=False)
