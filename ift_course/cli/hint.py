"""`ift hint`."""

from typing import Annotated

import typer


def hint(
    exercise: Annotated[str, typer.Argument(help="An exercise, for example 02.3.")],
    level: Annotated[int | None, typer.Option(help="1, 2, or 3; the next hint if omitted.")] = None,
    solution: Annotated[
        bool, typer.Option("--solution", help="Show a solution instead of a hint.")
    ] = False,
) -> None:
    """Show the next hint for an exercise.

    [bold]Examples[/bold]

        ift hint 02.3

        ift hint 02.3 --solution
    """
    from rich.console import Console
    from rich.markdown import Markdown

    from ift_course.exercises.notebook_api import hint_text

    title, text = hint_text(exercise, level, solution=solution, shell=True)
    body = f"```python\n{text}\n```" if solution else text
    Console().print(f"[bold]{title}[/bold]\n", Markdown(body))
