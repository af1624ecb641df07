"""The one notebook reader runs cells as IPython does, and outputs cost nothing."""

import json
import time
import tracemalloc

import pytest

from ift_course.exercises import notebook_cells, notebook_json
from ift_course.exercises.execution import execute, statements
from ift_course.exercises.notebook_cells import Unreadable


def notebook(*sources, outputs=(), **more):
    code = [{"cell_type": "code", "source": x, "metadata": {}, "outputs": list(outputs)}
            for x in sources]  # fmt: skip
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "cells": code} | more).encode()


def run(source):
    """The names that a cell leaves behind; a syntax error is returned under "error"."""
    namespace = {}
    try:
        namespace["skipped"] = execute(1, source, namespace)
    except SyntaxError as error:
        namespace["error"] = error.msg
    return namespace


@pytest.mark.parametrize("source", [
    "%%time\nx = 1", "%%capture\nx = 1", "%%prun\nx = 1", "%time x = 1", "!pip install q\nx = 1",
    "%load_ext autoreload\nx = 1", "len?\nx = 1", "?len\nx = 1", "y = !ls -l\nx = 1",
    "    x = 1", ">>> x = 1", "import asyncio\nawait asyncio.sleep(0.001)\nx = 1",
    "async def one():\n    return 1\nx = await one()", "%%time\n%matplotlib inline\nx = 1",
    "get_ipython().run_line_magic('matplotlib', 'inline')\nx = 1",
])  # fmt: skip
def test_what_ipython_runs_is_run(source):
    assert run(source)["x"] == 1


@pytest.mark.parametrize(("source", "skipped"), [
    ("%%bash\nrm -r x", "%%bash"), ("%%timeit\nx = 1", "%%timeit"), ("!ls", "!ls"),
    ("%%writefile a.py\nx = 1", "%%writefile a.py"), ("%pip install q", "%pip install q"),
])  # fmt: skip
def test_other_magics_and_shell_lines_are_skipped_and_named(source, skipped):
    names = run(source)
    assert names["skipped"] == [skipped] and "x" not in names


@pytest.mark.parametrize("text", ["!", "%d %s", "%%time", "\n!ls\n", "\n%time f()\n?x\n", "100%\n"])
def test_a_string_is_never_taken_for_a_magic(text):
    names = run(f"x = '''{text}'''")
    assert names["x"] == text and names["skipped"] == []


@pytest.mark.parametrize("bad", ["this was bad", "y = (", "y = 'abc", "def g(:\n    pass",
                                 "return 3", "y = '''abc"])  # fmt: skip
def test_a_statement_that_cannot_be_parsed_costs_only_itself(bad):
    names = run(f"def f():\n    return 1\n\n{bad}\n\n@staticmethod\ndef h():\n    return 2\nx = 3")
    assert names["f"]() == 1 and names["h"]() == 2 and names["x"] == 3
    assert names["error"]


def test_thousands_of_bad_lines_take_seconds_at_most():
    start = time.monotonic()
    statements("y = (\n" * 5000)
    assert time.monotonic() - start < 20


def traced(function, *arguments):
    """What a function returns, and the most bytes that it held."""
    tracemalloc.start()
    try:
        return function(*arguments), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()  # or all later tests would be ten times slower


def test_large_outputs_take_little_time_and_memory():
    line = 'y]}\\"{[' * 10 + "\n"
    output = json.dumps({"output_type": "stream", "text": [line] * 11_000}).encode()
    data = notebook("x = 1", "y = 2").replace(b'"outputs": []', b'"outputs": [' + output + b"]")
    [start, end] = data.split(output, 1)
    data = start + b", ".join([output] * 20) + end
    assert len(data) > 20_000_000
    begin = time.process_time()
    result, peak = traced(notebook_cells.read, data, "big.ipynb")
    assert time.process_time() - begin < 10
    assert result == [(1, "x = 1"), (2, "y = 2")]
    assert peak < 2.5 * len(data)


def test_outputs_made_to_be_slow_are_given_up(monkeypatch):
    monkeypatch.setattr(notebook_json, "MOST_STEPS", 1000)
    data = notebook("x = 1").replace(b'"outputs": []', b'"outputs": [' + b"[]," * 1000 + b"[]]")
    with pytest.raises(Unreadable, match="too many outputs"):
        notebook_cells.read(data, "x.ipynb")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_every_unicode_encoding_is_read(encoding):
    text = notebook("x = 'é'").decode().replace("\\u00e9", "é")
    assert notebook_cells.read(text.encode(encoding), "x.ipynb") == [(1, "x = 'é'")]
    assert notebook_cells.read("x = 'é'".encode(encoding), "x.py") == [(1, "x = 'é'")]


@pytest.mark.parametrize(("data", "cause"), [
    (b"", "is empty"), (b" \n", "is empty"), (b"%PDF-1.7", "PDF"), (b"PK\x03\x04", "zip archive"),
    (b"Rar!\x1a", "RAR"), (b"7z\xbc\xaf\x27", "7z"), (b"\x1f\x8b\x08", "gzip"),
    (b"version https://git-lfs.github.com/spec/v1\n", "LFS"), (b"<!DOCTYPE html>", "HTML"),
    (notebook("x")[:-20], "cut off"), (b'{"cells": 4\n"a"}', "broken on line 2"),
    (b'{"a": 1}', "has no cells"), (b"some words", "does not contain JSON"),
    (notebook("x", "y").replace(b"}, {", b"},\n<<<<<<< HEAD\n {"), "merge conflict"),
    (notebook("x", cells=[]), "no code"), ("é = '\\u00e9'".encode("cp1252"), "JSON"),
    (notebook("@").replace(b"@", "é".encode("cp1252")), "UTF-8"),
    (notebook([["x"]]), "has no text"), (b"\0\1\2", "JSON"),
])  # fmt: skip
def test_each_cause_has_its_own_sentence(data, cause):
    with pytest.raises(Unreadable, match=cause):
        notebook_cells.read(data, "x.ipynb")


@pytest.mark.parametrize(("data", "cause"), [
    ("é = 1".encode("cp1252"), "UTF-8"), (b"x = 1\0", "binary"), (b"# words", "no code"),
    (b"x = 1\n" * 1_000_000, "MB"),
])  # fmt: skip
def test_each_cause_has_its_own_sentence_for_scripts_too(data, cause):
    with pytest.raises(Unreadable, match=cause):
        notebook_cells.read(data, "x.py")


def test_a_file_too_large_is_not_called_broken(monkeypatch):
    monkeypatch.setattr(notebook_cells, "LARGEST", 100)
    with pytest.raises(Unreadable, match="MB are read"):
        notebook_cells.read(notebook("x = 1"), "x.ipynb")


def test_content_decides_before_the_name():
    assert notebook_cells.read(notebook("x = 1"), "x.py") == [(1, "x = 1")]
    assert notebook_cells.read(b"def f():\n    pass", "x.ipynb") == [(1, "def f():\n    pass")]


@pytest.mark.parametrize("marker", ["# %%", "#%%", "# %% a title", "# In[3]:", "# In[ ]:",
                                    "# <codecell>"])  # fmt: skip
def test_a_script_is_split_at_every_usual_marker(marker):
    text = f"#!/usr/bin/env python\n{marker}\nx = 1\n{marker}\ny = (\n{marker}\nz = 3\n"
    sources = [code.strip() for _, code in notebook_cells.read(text.encode(), "x.py")]
    assert sources == [f"{marker}\nx = 1", f"{marker}\ny = (", f"{marker}\nz = 3"]


def test_a_script_without_markers_is_read_statement_by_statement():
    text = "import math\nx = undefined\n\ndef f():\n    return 1\n"
    assert [code.strip() for _, code in notebook_cells.read(text.encode(), "x.py")] == [
        "import math", "x = undefined", "def f():\n    return 1",
    ]  # fmt: skip
    assert notebook_cells.read(text.encode(), "x.py")[1][1].startswith("\nx"), (
        "lines keep their numbers"
    )


def test_a_marker_inside_a_string_splits_nothing():
    text = '# %%\nx = """\n# %%\n"""\n# %%\ny = 1\n'
    assert len(notebook_cells.read(text.encode(), "x.py")) == 2


def test_the_definitions_of_a_cell_are_what_it_does_not_call():
    from ift_course.exercises.execution import definitions

    source = (
        "import math\n%matplotlib inline\nSIZE: int = 3\nrates = [0.1]\nmodel = load()\n"
        "@cached\ndef f(x):\n    return math.sqrt(x)\n\nwhile True:\n    f(1)\n\n"
        "class A:\n    pass\nf(2)"
    )
    lines = definitions(source).split("\n")
    assert [line for line in lines if line] == [
        "import math", "SIZE: int = 3", "rates = [0.1]", "@cached", "def f(x):",
        "    return math.sqrt(x)", "class A:", "    pass",
    ]  # fmt: skip
    assert lines.index("class A:") == source.split("\n").index("class A:")
    assert definitions("def broken(:") == "" == definitions("print(1)")
