"""One module knows the environment variables: no other reads or sets them, and none is unnamed."""

import ast
import os
import re
from pathlib import Path

import pytest

import ift_course
from ift_course import settings
from ift_course.errors import CourseError

PACKAGE = Path(ift_course.__file__).parent
NAME = re.compile(r"IFT_[A-Z]+")


def variable_names(path: Path) -> set[str]:
    """The variables that the code of a module names, in strings that are nothing else."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    strings = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return {text for text in strings if isinstance(text, str) and NAME.fullmatch(text)}


def test_no_other_module_names_a_variable_in_its_code():
    named = {
        path.relative_to(PACKAGE).as_posix(): names
        for path in PACKAGE.rglob("*.py")
        if (names := variable_names(path))
    }
    assert named == {"settings.py": set(settings.VARIABLES)}


def test_texts_speak_of_no_other_variables():
    texts = [path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")]
    assert set(NAME.findall("\n".join(texts))) == set(settings.VARIABLES)


@pytest.mark.parametrize(
    ("name", "read"),
    [
        (settings.PROFILE, settings.profile_name),
        (settings.SEED, settings.first_seed),
        (settings.RESULTS, settings.results_folder),
        (settings.THREADS, settings.threads),
        (settings.CACHE, settings.cache_folder),
        (settings.NOTEBOOKS, settings.notebooks_folder),
        (settings.PROGRESS, settings.progress_file),
        (settings.CHECKING, settings.is_checking),
    ],
)
def test_a_variable_is_read_when_it_is_needed_and_an_empty_one_is_unset(monkeypatch, name, read):
    monkeypatch.delenv(name, raising=False)
    unset = read()
    assert not unset
    monkeypatch.setenv(name, "")
    assert read() == unset
    monkeypatch.setenv(name, "7")
    assert str(read()) in ("7", "True")


@pytest.mark.parametrize("text", ["0", "-1", "two"])
def test_threads_that_are_not_a_positive_number_do_not_count(monkeypatch, text):
    monkeypatch.setenv(settings.THREADS, text)
    assert settings.threads() is None


def test_a_seed_that_is_not_a_number_is_an_error_with_its_remedy(monkeypatch):
    monkeypatch.setenv(settings.SEED, "ten")
    with pytest.raises(CourseError, match=r'IFT_SEED is "ten"; give it a whole number'):
        settings.first_seed()


def test_overrides_end_with_their_block_even_after_an_error(monkeypatch):
    monkeypatch.setenv(settings.SEED, "3")
    monkeypatch.delenv(settings.CHECKING, raising=False)
    with pytest.raises(ZeroDivisionError), settings.override_first_seed(40), settings.checking():
        assert settings.first_seed() == 40 and settings.is_checking()
        _ = 1 / 0
    assert settings.first_seed() == 3 and settings.CHECKING not in os.environ


def test_a_default_results_folder_gives_way_to_the_users(monkeypatch, tmp_path):
    monkeypatch.setenv(settings.RESULTS, str(tmp_path / "own"))
    settings.set_default_results_folder(tmp_path / "evidence")
    assert settings.results_folder() == tmp_path / "own"
    monkeypatch.delenv(settings.RESULTS)
    settings.set_default_results_folder(tmp_path / "evidence")
    assert settings.results_folder() == tmp_path / "evidence"
