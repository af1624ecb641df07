"""`ift predict`."""

from __future__ import annotations


def predict() -> None:
    """Write down what the lessons predict, before it is measured.

    Copies the bound of each claim and of each difference on the real model from the lessons'
    sources to [bold]results/predictions.yaml[/bold]. Commit that file, and only then measure. A
    bound that has moved since it was written down is refused: a prediction that failed stays in
    the lesson as one that failed, and a new one is a new claim with a new name.

    [bold]Example[/bold]

        ift predict
    """
    from ift_course.authoring import predictions
    from ift_course.errors import CourseError
    from ift_course.paths import checkout

    if checkout() is None:
        raise CourseError("Predictions are written in a clone of the course, and this is not one.")
    added, withdrawn = predictions.write()
    for name in added:
        print(f"written down: {name}")
    for name in withdrawn:
        print(f"withdrawn: {name}")
    if not added and not withdrawn:
        print("All predictions of the lessons are written down.")
