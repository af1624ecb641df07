"""`ift exam` and `ift verify`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ift_course.errors import CourseError

if TYPE_CHECKING:
    from ift_course.capstone.examine import ExamResult

FAILED = 1  # the exit status when a certificate does not verify


def exam(
    path: Annotated[
        Path, typer.Argument(help="Your folder of the capstone, its zip, or an adapter's folder.")
    ] = Path("capstone"),
    seed: Annotated[
        int | None, typer.Option(min=0, help="Of the exam; drawn at random without it.")
    ] = None,
    questions: Annotated[int, typer.Option(help="How many questions are asked.")] = 200,
    name: Annotated[str, typer.Option(help="Your name, for the certificate.")] = "",
    out: Annotated[Path, typer.Option(help="The certificate to write.")] = Path("certificate.html"),
) -> None:
    """Examine your own adapter, and get a certificate that anybody can check.

    The questions are about entities that no row of the pool names, half of them in wordings that
    no row has. An answer counts if it is right, says nothing else, and ends. The same seed gives
    the same exam everywhere.

    For the folder of an adapter alone, only the score is printed: a certificate also names the
    rows, the settings and the report.

    [bold]Examples[/bold]

        ift exam capstone --name "Jane Doe"

        ift exam capstone/adapter --seed 7 --questions 100
    """
    from ift_course.capstone import certificate, packing
    from ift_course.capstone.exam import Exam, new_seed
    from ift_course.capstone.examine import examine_own
    from ift_course.capstone.rules import ADAPTER_SETTINGS
    from ift_course.disk import atomic_write_text

    drawn = Exam(new_seed() if seed is None else seed, questions)
    if (path / ADAPTER_SETTINGS).is_file():
        _print_score(examine_own(packing.load_adapter(path), drawn))
        print("No certificate: it needs the rows, the settings and the report, too.")
        return
    if not out.absolute().parent.is_dir():
        raise CourseError(f"There is no folder {out.absolute().parent} for the certificate.")
    submission = packing.load(path)
    result = examine_own(submission.files, drawn)
    _print_score(result)
    statement = certificate.make_statement(" ".join(name.split())[:80], submission, result)
    atomic_write_text(out, certificate.to_html(statement))
    if statement["suspicion"]:
        print(f"{statement['suspicion']} The certificate says so.")
    print(f"The certificate: {out}. To check it: ift verify {out} --adapter {path}")


def verify(
    certificate: Annotated[Path, typer.Argument(help="The HTML file that `ift exam` wrote.")],
    adapter: Annotated[
        Path | None,
        typer.Option(help="The zip or folder that it is about; the exam is then taken again."),
    ] = None,
) -> None:
    """Check a certificate, without a network and without its author.

    From the page alone: no byte has changed, the exam is the one of its seed, and the printed
    answers earn the printed score. With the adapter: its hashes are those of the page, and it gives
    the printed answers again. Who trained it, on what, and how many exams were taken before, cannot
    be seen from any of this.

    [bold]Examples[/bold]

        ift verify certificate.html

        ift verify certificate.html --adapter capstone.zip
    """
    from rich.console import Console
    from rich.text import Text

    from ift_course.capstone import packing
    from ift_course.capstone.certificate import PROVES_NOT
    from ift_course.capstone.verification import verify_page

    result = verify_page(certificate, packing.load(adapter) if adapter else None)
    console = Console(soft_wrap=True, highlight=False)
    for sentence in result.passed:
        console.print(Text(f"✓ {sentence}", style="green"))
    for sentence in result.failed:
        console.print(Text(f"✗ {sentence}", style="red"))
    if result.failed:
        console.print("The certificate does not verify.")
        raise typer.Exit(FAILED)
    page_only = "The page verifies. Whether an adapter gives these answers, --adapter would tell."
    console.print("The certificate verifies." if adapter else page_only)
    console.print("It does not prove:")
    for sentence in PROVES_NOT:
        console.print(f"  - {sentence}")


def _print_score(result: ExamResult) -> None:
    low, high = result.interval
    print(
        f"Exam {result.exam.seed}: {result.n_right} of {result.exam.n_questions} right, "
        f"{result.score:.0%} (95 % interval {low:.0%} to {high:.0%})."
    )
