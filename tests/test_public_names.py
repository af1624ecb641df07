"""The public names of `import ift_course as ift`, at run time and for type checkers."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import ift_course as ift

SOURCE = Path(ift.__file__).read_text(encoding="utf-8")


def test_every_public_name_is_there_when_asked_for():
    code = (
        "import sys, ift_course as ift\n"
        "assert not {'torch', 'matplotlib', 'pydantic'} & set(sys.modules)\n"
        "assert dir(ift) == ift.__all__ == sorted(ift.__all__)\n"
        "assert all(getattr(ift, name) is not None for name in ift.__all__)\n"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert process.returncode == 0, process.stderr


def test_editors_and_type_checkers_see_the_same_names_in_the_same_places():
    tree = ast.parse(SOURCE)
    block = next(x for x in tree.body if isinstance(x, ast.If) and "TYPE_CHECKING" in ast.dump(x))
    imported = {
        alias.asname: f"{node.module}.{alias.name}"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    homes = {
        name: f"ift_course.{home}" if name in ift._MODULES else f"ift_course.{home}.{name}"
        for name, home in ift._HOME.items()
    }
    assert imported == homes and sorted(imported) == ift.__all__
    assert Path(ift.__file__).with_name("py.typed").exists()


def test_what_lessons_call_is_public_and_what_is_public_lessons_call():
    lessons = Path(ift.__file__).parents[1]
    sources = [*lessons.glob("notebooks/*.py"), *lessons.glob("solutions/*.py")]
    used = {
        node.attr
        for path in sources
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "ift"
    }
    # For a learner's own code and questions; the lessons name dpo and grpo beside TRL's trainers.
    not_in_lessons = {"CourseError", "dpo", "grpo", "hint"}
    assert used == set(ift.__all__) - not_in_lessons


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = ift.nonsense
