"""The playground answers without a front end, and keeps its examples without a kernel."""

import json
from html import escape

import pytest

from ift_course.evaluation.generate import generate_replies
from ift_course.plots.playground import playground


@pytest.fixture
def models(tiny_llama):
    return {"base": tiny_llama, "<SFT>": tiny_llama}


def test_pressing_ask_answers_with_the_chosen_models(models):
    controls = playground(models, max_new_tokens=5).widget
    controls.instruction.value, controls.input.value = "Name the sound", "of <b>a cow"
    controls.button.click()
    [reply] = generate_replies(*models["base"], ["Name the sound\nof <b>a cow"], max_new_tokens=5)
    html = controls.answers.value
    assert html.count("<th ") == 3 and "&lt;b&gt;a cow" in html and "&lt;SFT&gt;" in html
    assert escape(reply.text.strip()).replace("\n", "<br>") in html
    controls.model_boxes[1].value = False
    controls.button.click()
    assert controls.answers.value.count("<th ") == 2
    assert not controls.button.disabled


def test_temperature_gives_another_sample_each_time(models):
    controls = playground(models, max_new_tokens=8).widget
    answers = set()
    for _ in range(3):
        controls.temperature.value = 1.0
        controls.button.click()
        answers.add(controls.answers.value)
    assert len(answers) == 3


def test_an_empty_instruction_gets_a_message(models):
    controls = playground(models).widget
    controls.instruction.value = " "
    controls.button.click()
    assert "write an instruction" in controls.answers.value


def test_a_notebook_keeps_the_example_answers_without_widget_state(tmp_path):
    import nbformat
    from nbclient import NotebookClient
    from nbconvert import HTMLExporter
    from nbformat.v4 import new_code_cell, new_notebook

    program = (
        "from ift_course.plots import playground as p\n"
        "from ift_course.evaluation.generate import Completion\n"
        "p.generate_replies = lambda *_, **__: [Completion('Moo & <more>', True)]\n"
        "p.playground({'base': (None, None)}, examples=[('Name the sound of a cow.', '')])"
    )
    notebook = new_notebook(cells=[new_code_cell(program)])
    NotebookClient(notebook, timeout=60, kernel_name="python3", store_widget_state=False).execute()
    assert "widgets" not in notebook.metadata
    widget, table = notebook.cells[0].outputs
    assert "application/vnd.jupyter.widget-view+json" in widget["data"]
    assert widget["data"]["text/plain"].startswith("Run this cell to ask")
    assert "Moo &amp; &lt;more&gt;" in table["data"]["text/html"]
    page, _ = HTMLExporter().from_notebook_node(
        nbformat.from_dict(json.loads(json.dumps(notebook)))
    )
    assert "Run this cell to ask" in page and "Moo &amp; &lt;more&gt;" in page
