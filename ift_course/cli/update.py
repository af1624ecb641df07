"""`ift update`."""

from pathlib import Path
from typing import Annotated

import typer


def update(
    folder: Annotated[
        Path | None,
        typer.Argument(help="The folder with your exercise notebooks; exercises/ if omitted."),
    ] = None,
) -> None:
    """Bring the exercise notebooks up to date without touching your work.

    Cells that you did not change are replaced by the new ones. Where both you and the course
    changed a cell, yours stays and the new version is put before it. Missing notebooks are created.

    [bold]Example[/bold]

        ift update
    """
    from ift_course.errors import CourseError
    from ift_course.exercises import source
    from ift_course.exercises.update import update as update_notebook
    from ift_course.paths import project_root

    folder = folder or project_root() / "exercises"
    sources = source.sources()
    if not sources:
        raise CourseError(f"There are no exercises in {source.folder()}.")
    for path in sources:
        notebook = folder / f"{path.stem}.ipynb"
        changes = update_notebook(path, notebook)
        print(f"{notebook}: {'; '.join(changes) if changes else 'up to date'}")
