"""`ift progress`."""

from typing import Annotated

import typer


def progress(
    lesson: Annotated[
        str | None,
        typer.Argument(help="A lesson, for example 2 or 02; all lessons if omitted."),
    ] = None,
) -> None:
    """Show which exercises are solved.

    [bold]Example[/bold]

        ift progress 02
    """
    from ift_course.errors import CourseError
    from ift_course.exercises import progress as records
    from ift_course.exercises.notebook_api import overview

    table = overview(lesson and lesson.zfill(2))
    if not table.rows:
        raise CourseError(f"Lesson {lesson} has no exercises.")
    print(table)
    solved = sum(record.passed for _, _, record in table.rows)
    print(f"\n{solved} of {len(table.rows)} solved. The record is in {records.path()}.")
