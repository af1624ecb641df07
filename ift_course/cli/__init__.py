"""The command `ift`."""

from __future__ import annotations

import errno
import io
import sys
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from ift_course.cli.build import build
from ift_course.cli.chat import chat
from ift_course.cli.check import check
from ift_course.cli.compare import compare
from ift_course.cli.data import app as data
from ift_course.cli.diagnose import diagnose
from ift_course.cli.doctor import doctor
from ift_course.cli.dpo import dpo
from ift_course.cli.eval import eval
from ift_course.cli.exam import exam, verify
from ift_course.cli.export import export
from ift_course.cli.grade import grade, regrade
from ift_course.cli.hint import hint
from ift_course.cli.memory import memory
from ift_course.cli.merge import merge
from ift_course.cli.predict import predict
from ift_course.cli.pretrain import pretrain
from ift_course.cli.progress import progress
from ift_course.cli.run import run
from ift_course.cli.sft import sft
from ift_course.cli.slides import slides
from ift_course.cli.submit import submit
from ift_course.cli.update import update
from ift_course.errors import CourseError
from ift_course.settings import VARIABLES

INTERRUPTED = 130  # the exit status that shells report for a program ended by Ctrl-C


class _OneSentence(TyperGroup):
    """Prints an error that the user can fix as one sentence; bugs keep their traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except CourseError as error:
            _fail(str(error), 2)
        except KeyboardInterrupt:
            _fail("Stopped. Finished work is kept.", INTERRUPTED)
        except MemoryError:
            _fail("Memory ran out; close other programs or choose a smaller profile.", 1)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            place = f" at {error.filename}" if error.filename else ""
            _fail(f"The disk is full{place}; free some space and run the command again.", 1)


def _fail(sentence: str, code: int) -> NoReturn:
    from rich.console import Console
    from rich.text import Text

    from ift_course.terminal import printable

    Console(stderr=True, soft_wrap=True).print(Text(printable(sentence), style="red"))
    raise typer.Exit(code)


app = typer.Typer(
    cls=_OneSentence,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Instruction tuning, measured in front of you. Start with [bold]ift doctor[/bold].",
    epilog="Environment variables\n\n"
    + "\n\n".join(f"{name}: {meaning}." for name, meaning in VARIABLES.items()),
)
COMMANDS = (
    doctor, run, chat, sft, dpo, eval, compare, diagnose, merge, export, memory, check, hint,
    progress, update, pretrain, predict, build, grade, regrade, slides, submit, exam, verify,
)  # fmt: skip
for command in COMMANDS:
    app.command()(command)
app.add_typer(data, name="data")


def main() -> None:
    """The entry point of `ift`."""
    for stream in (sys.stdout, sys.stderr):
        # A console that cannot show a character of a lesson's title must not stop the command.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    app()
