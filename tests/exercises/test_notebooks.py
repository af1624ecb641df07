"""All notebooks run: solutions get full points, and every stub gets a "not yet"."""

import json

import pytest

from ift_course.authoring.execute import execute
from ift_course.exercises import source
from ift_course.exercises.generate import notebook

FIRST, *OTHERS = source.sources()


def run(path, kind: str, tmp_path) -> tuple[list, dict]:
    """All outputs of a freshly generated notebook, and the progress it left."""
    document = notebook(path, kind)
    progress = tmp_path / "progress.json"
    result = execute(
        document, env={"IFT_PROGRESS": str(progress), "HF_HUB_OFFLINE": "1"}, cwd=tmp_path
    )
    assert result.error is None
    outputs = [x for cell in document.cells if cell.cell_type == "code" for x in cell.outputs]
    return outputs, json.loads(progress.read_text())


@pytest.mark.parametrize(
    "path",
    # `test_proofs` calls the checks of every stub; here, one notebook shows that they show it.
    [pytest.param(FIRST, marks=pytest.mark.lessons)]
    + [pytest.param(x, marks=pytest.mark.weekly) for x in OTHERS],
    ids=lambda x: x.stem,
)
def test_an_exercise_notebook_runs_to_the_end_with_a_not_yet_for_each(path, tmp_path):
    outputs, progress = run(path, "exercises", tmp_path)
    cards = [x["data"]["text/plain"] for x in outputs if x.output_type == "display_data"]
    assert len(cards) == len(source.read_exercises(path)) == len(progress)
    assert all(": not yet" in card.split("\n")[0] for card in cards)
    assert all(x["earned"] == 0 and x["tries"] == 0 for x in progress.values())


@pytest.mark.lessons
@pytest.mark.parametrize("path", [FIRST, *OTHERS], ids=lambda x: x.stem)
def test_a_solution_notebook_gets_full_points_and_shows_them_at_work(path, tmp_path):
    outputs, progress = run(path, "solutions", tmp_path)
    assert len(progress) == len(source.read_exercises(path))
    assert all(x["earned"] == x["points"] > 0 for x in progress.values())
    printed = "".join(x.text for x in outputs if x.output_type == "stream")
    assert "passes its checks" not in printed and "Warning" not in printed
