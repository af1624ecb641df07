"""`ift update`."""

from pathlib import Path
from typing import Annotated

import typer


def update(
    folder: Annotated[
        Path | None,
        typer.Argument(help="Where your exercise notebooks are; exercises/ without it."),
    ] = None,
) -> None:
    """Bring the exercise notebooks up to date, and leave your work as it is.

    Cells you did not change become the new ones. Where both you and the course changed a cell,
    yours stays and the new one is put before it. Notebooks that are missing are written.

    [bold]Example[/bold]

        ift update
    """
    from ift_course.errors import CourseError
    from ift_course.exercises import source
    from ift_course.exercises.update import update as merge
    from ift_course.paths import project_root

    folder = folder or project_root() / "exercises"
    sources = source.sources()
    if not sources:
        raise CourseError(f"There are no exercises in {source.folder()}.")
    for path in sources:
        notebook = folder / f"{path.stem}.ipynb"
        done = merge(path, notebook)
        print(f"{notebook}: {'; '.join(done) if done else 'up to date'}")
