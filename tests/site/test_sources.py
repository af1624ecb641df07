"""The sources of the site: complete, without solutions, and with working links."""

import json
import os
import re

import pytest
from ift_site import assemble, exercises, playground, reference
from ift_site.docstrings import restructured
from ift_site.links import Links, broken
from ift_site.playground_models import Model, Models

from ift_course.links import repository_url
from ift_course.paths import checkout


@pytest.fixture
def files(toy, monkeypatch) -> assemble.Files:
    monkeypatch.setattr(reference, "names", lambda: "# Python\n")  # it imports torch
    return assemble.sources(assemble.read(toy))


@pytest.fixture
def lesson(files) -> dict:
    return json.loads(files["notebooks/01_toy.ipynb"])


def test_every_part_of_the_course_becomes_a_page_that_the_contents_name(files):
    pages = {path for path in files if path.endswith((".md", ".ipynb"))}
    assert {
        "notebooks/01_toy.ipynb",
        "exercises/01_toy.md",
        "docs/guide.md",
        "docs/claims.md",
        "docs/glossary.md",
    } <= pages
    for path in pages - {"index.md"}:
        assert f"<{path.removesuffix('.ipynb')}>" in files["index.md"]


def test_a_lesson_keeps_its_cells_and_its_words(toy, lesson):
    before = json.loads((toy / "notebooks/01_toy.ipynb").read_text(encoding="utf-8"))
    assert [x["cell_type"] for x in lesson["cells"]] == [x["cell_type"] for x in before["cells"]]
    assert "It shows what a loss mask is." in lesson["cells"][0]["source"]
    assert lesson["cells"][1]["outputs"][0] == before["cells"][1]["outputs"][0]


def test_a_picture_becomes_a_file_with_its_description(files, lesson):
    [html] = lesson["cells"][1]["outputs"][1]["data"].values()
    assert 'src="../figures/01_toy/1.png"' in html and 'width="800" height="800"' in html
    assert 'alt="A &quot;dot&quot; &amp; no more."' in html
    assert files["extra/figures/01_toy/1.png"].startswith(b"\x89PNG")


def test_no_picture_is_loaded_from_elsewhere(files):
    texts = [x for x in files.values() if isinstance(x, str)]
    assert not any("](http" in part[: part.find(")")] for x in texts for part in x.split("![")[1:])
    assert all("colab-badge" not in text for text in texts)
    for page in ("notebooks/01_toy.ipynb", "exercises/01_toy.md"):
        assert "[Open in Colab](https://colab.research.google.com/github/" in files[page]


def test_links_lead_to_pages_or_to_the_repository(files, lesson):
    text = lesson["cells"][0]["source"]
    assert "[loss mask](../docs/glossary.md#loss-mask)" in text
    assert "[exercises](../exercises/01_toy.md)" in text
    assert f"[the package]({repository_url()}/tree/main/ift_course)" in text
    guide = files["docs/guide.md"]
    assert f"[settings]({repository_url()}/blob/main/docs/settings.yaml)" in guide
    assert "[all exercises](../exercises/index.md)" in guide
    assert files["docs/dot.png"].startswith(b"\x89PNG")


def test_a_quiz_links_to_the_page_of_the_glossary(lesson):
    quiz = lesson["cells"][1]["outputs"][2]["data"]["text/html"]
    assert 'href="../docs/glossary.html#loss-mask"' in quiz and "glossary.md" not in quiz


def test_an_exercise_is_a_card_without_its_solution(files):
    page = files["exercises/01_toy.md"]
    assert "{.exercise #exercise-01-1}\n## 01.1 Twice" in page
    assert "{.faint}\n●○○ · 10 minutes" in page
    assert "[lesson 01](../notebooks/01_toy.ipynb)" in page
    assert "raise NotImplementedError" in page and "return 2 * x" not in page
    assert "import math" not in page


def test_hints_are_folded_and_the_mildest_comes_first(files):
    _, *folds = files["exercises/01_toy.md"].split("::::{dropdown} ")
    texts = [" ".join(fold.removesuffix("::::\n").split()) for fold in folds]
    assert [x.removesuffix(" ::::") for x in texts] == [
        "Hint 1 The mild hint.",
        "Hint 2 The strong hint.",
        "When the check has passed What it says of numbers.",
    ]


def test_what_a_learner_added_to_a_notebook_is_not_published(toy, monkeypatch):
    monkeypatch.setattr(reference, "names", lambda: "")
    path = toy / "exercises/01_toy.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    own = {"cell_type": "code", "metadata": {}, "source": "my_try()", "outputs": [], "id": "own"}
    path.write_text(json.dumps(notebook | {"cells": [*notebook["cells"], own]}), encoding="utf-8")
    assert "my_try" not in assemble.sources(assemble.read(toy))["exercises/01_toy.md"]


def test_a_term_of_the_glossary_links_to_the_pages_that_mention_it(files):
    _, mask, other = files["docs/glossary.md"].split("\n## ")
    assert "Mentioned in [lesson 01](../notebooks/01_toy.ipynb)." in mask
    assert "Mentioned" not in other


def test_the_front_page_shows_each_lesson_and_what_it_costs(files):
    front = files["index.md"]
    assert "01 · A toy lesson\n:link: notebooks/01_toy\n" in front
    assert "It shows what a loss mask is. It costs nothing.\n" in front
    assert "A third sentence" not in front
    assert "1 min 15 s · 1.2 GB · 1 exercise\n" in front
    assert "](docs/dot.png)" in front
    assert ":img-top: extra/figures/01_toy/1.png" in front


def test_every_command_is_explained():
    from typer.main import get_command

    from ift_course.cli import app

    text = reference.commands()
    for name in get_command(app).commands:
        assert f"## `ift {name}`" in text
    assert "### `ift data curate`" in text
    assert "<span" not in text and "&quot;" not in text


def test_parameters_in_a_docstring_become_a_list_and_examples_code():
    text = """\
    Draws.

    name, size: of it. A number
        is enough.
    many: yes
    Raises CourseError: if not.

        draw(1)

    Args:
        other: left to napoleon.
    """
    lines = [line.removeprefix("    ") for line in text.splitlines()]
    assert restructured(lines, {"name", "size", "many"}) == [
        "Draws.", "",
        "", "- ``name``, ``size``: of it. A number", "  is enough.",
        "- ``many``: yes", "", "Raises CourseError: if not.", "",
        "::", "", "    draw(1)", "",
        "Args:", "    other: left to napoleon.", "",
    ]  # fmt: skip


def test_writing_again_touches_only_what_changed(tmp_path):
    assemble.write({"a/same.md": "1", "a/new.md": "1", "gone.md": b"1"}, tmp_path)
    for path in ("a/same.md", "a/new.md"):
        os.utime(tmp_path / path, (0, 0))
    assemble.write({"a/same.md": "1", "a/new.md": "2"}, tmp_path)
    assert not (tmp_path / "gone.md").exists()
    assert (tmp_path / "a/same.md").stat().st_mtime == 0
    assert (tmp_path / "a/new.md").read_text() == "2"


def test_a_link_that_leads_nowhere_is_found(tmp_path):
    pytest.importorskip("bs4")
    links = (
        "b.html",
        "b.html#there",
        "#here",
        "https://example.org/x",
        "no.html",
        "b.html#no",
        "?",
    )
    page = "".join(f'<a href="{link}">x</a>' for link in links)
    (tmp_path / "a.html").write_text(f'<p id="here">{page}<img src="no%20picture.png">')
    (tmp_path / "b.html").write_text('<a name="there"></a>')
    assert [problem.split()[3] for problem in broken(tmp_path)] == [
        "no.html",
        "b.html#no",
        "no%20picture.png",
    ]


def test_a_playground_has_a_page_and_stands_behind_a_cell_of_a_lesson(toy, tmp_path, monkeypatch):
    monkeypatch.setattr(reference, "names", lambda: "# Python\n")
    monkeypatch.setattr(playground, "EMBEDDED", {"01": ("print(", ("ask",))})
    for name in ("describe.js", "base.0.js"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    models = Models([Model("base", "Base", "not tuned", None, 1, 0.1, True)], tmp_path)
    files = assemble.sources(assemble.read(toy), models)
    assert files["extra/playground/base.0.js"] == "base.0.js"
    assert "<playground.md>" in files["index.md"]
    assert all(f"pg-{part}" in files["playground.md"] for part in playground.ALL_PARTS)
    code, added = json.loads(files["notebooks/01_toy.ipynb"])["cells"][1:3]
    assert code["cell_type"] == "code" and 'data-folder="../playground"' in added["source"]
    assert "pg-ask" in added["source"] and "pg-steer" not in added["source"]


def test_the_script_of_a_playground_imports_nothing():
    script = playground.script()
    assert not re.search(r"^(import|export)\b", script, re.MULTILINE)
    assert {f"{x}.mjs" for x in (*playground.IN_WORKER, *playground.ON_PAGE)} == {
        path.name for path in playground.SOURCES.glob("*.mjs")
    }


@pytest.mark.parametrize("number", playground.EMBEDDED)
def test_a_lesson_has_one_cell_before_its_playground(number):
    [path] = (checkout() / "notebooks").glob(f"{number}_*.ipynb")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    marker = playground.EMBEDDED[number][0]
    code = ["".join(x["source"]) for x in cells if x["cell_type"] == "code"]
    assert sum(marker in source for source in code) == 1


def test_an_open_question_is_a_card_and_its_cell_for_the_answer_is_not_shown():
    path = checkout() / "exercises" / "03_lima_small_data.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert "03.w1" in [exercise.id for exercise in exercises.exercises(notebook)]
    text = exercises.page(notebook, f"exercises/{path.name}", {}, Links(checkout(), "x", {}))
    assert "A plan for a clinic" in text and "Double-click this cell" not in text
