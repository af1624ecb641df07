"""The commands of the capstone: what they write and what they say."""

import json

import pytest
from typer.testing import CliRunner

from ift_course.capstone import packing
from ift_course.capstone.exam import Reply
from ift_course.capstone.opening import open_submission
from ift_course.capstone.rules import ADAPTER, ADAPTER_SETTINGS, POOL_ROWS
from ift_course.cli import app
from tests.capstone import capstones


def ift(*words):
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result.exit_code, " ".join(result.output.split())


@pytest.fixture
def folder(tmp_path):
    """A learner's folder as it should be."""
    folder = tmp_path / "mine"
    packing.begin(folder)
    files = capstones.honest()
    (folder / "adapter").mkdir()
    for name in (ADAPTER, ADAPTER_SETTINGS):
        (folder / "adapter" / name).write_bytes(files[name])
    rows = (folder / "pool.jsonl").read_text(encoding="utf-8").splitlines()[:30]
    (folder / "data.jsonl").write_text("\n".join(rows), encoding="utf-8")
    (folder / "report.md").write_text(capstones.WRITTEN, encoding="utf-8")
    return folder


@pytest.fixture
def same_answers(monkeypatch):
    monkeypatch.setattr(
        "ift_course.capstone.answering.answers_of",
        lambda adapter, settings, questions: [Reply("Paris.", True)] * len(questions),
    )


def test_a_capstone_begins_with_the_pool_and_templates_and_overwrites_nothing(tmp_path):
    code, output = ift("submit", tmp_path / "new", "--begin")
    assert code == 0 and "pool.jsonl" in output
    pool = (tmp_path / "new" / "pool.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(pool) == POOL_ROWS and set(json.loads(pool[0])) >= {"source", "instruction"}
    (tmp_path / "new" / "report.md").write_text("mine", encoding="utf-8")
    assert "nothing new" in ift("submit", tmp_path / "new", "--begin")[1]
    assert (tmp_path / "new" / "report.md").read_text(encoding="utf-8") == "mine"


def test_check_says_whether_a_folder_would_be_accepted_and_writes_nothing(folder):
    code, output = ift("submit", folder, "--check")
    assert code == 0 and "30 rows, 200 steps, rank 2 on 2 layers" in output
    assert "would be accepted" in output
    assert not folder.with_name("mine.zip").exists()


def test_what_is_packed_is_what_a_grader_opens(folder):
    code, output = ift("submit", folder, "--title", "Tell me")
    path = folder.with_name("mine.zip")
    assert code == 0 and "ready to hand in" in output
    first = path.read_bytes()
    submission = open_submission(path, packing.course_base())
    assert submission.title == "Tell me" and len(submission.records) == 30
    ift("submit", folder, "--title", "Tell me")
    assert path.read_bytes() == first  # the same files give the same bytes


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda x: (x / "report.md").write_text(packing.TEMPLATE), "is not filled in"),
        (lambda x: (x / "config.yaml").write_text("steps: 900\nbatch_size: 1\nlearning_rate: 1"),
         "over the budget of 200"),
        (lambda x: (x / "config.yaml").write_text("steps: [1"), "cannot be read as YAML"),
        (lambda x: (x / "data.jsonl").unlink(), "has no data.jsonl"),
        (lambda x: (x / "adapter" / ADAPTER).rename(x / "adapter" / "adapter_model.bin"),
         "is a pickle"),
        (lambda x: (x / "adapter" / ADAPTER_SETTINGS).unlink(), "is missing"),
        (lambda x: (x / "data.jsonl").write_text((x / "pool.jsonl").read_text()), "budget is 300"),
    ],
)  # fmt: skip
def test_what_breaks_a_rule_is_refused_before_it_is_handed_in(folder, damage, sentence):
    damage(folder)
    code, output = ift("submit", folder)
    assert code == 2 and sentence in output, output
    assert not folder.with_name("mine.zip").exists()


def test_the_exam_gives_a_certificate_that_verifies_until_it_is_changed(folder, same_answers):
    ift("submit", folder)
    zipped, page = folder.with_name("mine.zip"), folder.with_name("certificate.html")
    options = ("--seed", 3, "--questions", 10, "--name", "Jane", "--out", page)
    code, output = ift("exam", zipped, *options)
    assert code == 0 and "Exam 3:" in output and "Jane" in page.read_text(encoding="utf-8")
    assert ift("verify", page, "--adapter", folder)[0] == 0
    code, output = ift("verify", page, "--adapter", zipped)
    assert code == 0 and "The certificate verifies." in output and "It does not prove" in output
    page.write_text(page.read_text(encoding="utf-8").replace("Jane", "Joan"), encoding="utf-8")
    code, output = ift("verify", page)
    assert code == 1 and "does not verify" in output


def test_an_adapter_alone_gets_a_score_and_no_certificate(folder, same_answers, monkeypatch):
    monkeypatch.chdir(folder)
    code, output = ift("exam", folder / "adapter", "--seed", 3, "--questions", 10)
    assert code == 0 and "No certificate" in output
    assert not (folder / "certificate.html").exists()


def test_mistakes_are_one_sentence(tmp_path):
    for words in (
        ("submit", tmp_path / "missing"),
        ("exam", tmp_path / "missing"),
        ("verify", tmp_path / "missing.html"),
        ("grade", "--capstone"),
        ("grade", "--capstone", tmp_path),
        ("exam", tmp_path / "missing", "--questions", 1),
    ):
        code, output = ift(*words)
        assert code == 2 and output.endswith("."), (words, output)
