"""A certificate verifies as it was written, and not after any change."""

import dataclasses
import json

import pytest

from ift_course.capstone import certificate, verification
from ift_course.capstone.exam import Exam, Reply
from ift_course.capstone.examine import ExamResult
from ift_course.capstone.rules import ADAPTER, Refusal
from ift_course.capstone.submission import Submission
from tests.capstone import capstones

EXAM = Exam(11, 20)
NAME = 'Jane <script>alert("&amp;")</script> O\'Doe'


def result(n_right=12):
    replies = [Reply(x.response if i < n_right else "</pre> & no\n", True)
               for i, x in enumerate(EXAM.examples)]  # fmt: skip
    return ExamResult(EXAM, replies)


@pytest.fixture
def submission():
    return Submission("Tell me", capstones.honest())


@pytest.fixture
def statement(submission):
    return certificate.make_statement(NAME, submission, result())


@pytest.fixture
def page(statement, tmp_path):
    path = tmp_path / "certificate.html"
    path.write_bytes(certificate.to_html(statement).encode())
    return path


@pytest.fixture
def same_answers(monkeypatch):
    """The adapter answers again what it has answered, unless a test changes it."""
    replies = list(result().replies)
    monkeypatch.setattr(
        verification, "examine_own", lambda files, exam: ExamResult(exam, list(replies))
    )
    return replies


def verifies(page):
    try:
        return not verification.verify_page(page).failed
    except Refusal:
        return False


def test_a_page_as_it_was_written_verifies(page):
    checked = verification.verify_page(page)
    assert not checked.failed
    assert "The printed answers earn 12 of 20." in checked.passed


def test_the_page_needs_nothing_from_outside_and_runs_nothing(page):
    text = page.read_text(encoding="utf-8")
    assert "<script" not in text and "http" not in text.replace("http-equiv", "")
    assert all(sentence in text for sentence in certificate.PROVES_NOT[2:])


def test_no_byte_of_the_page_can_be_changed(page):
    content = page.read_bytes()
    for place in [*range(0, len(content), 997), len(content) - 1]:
        changed = bytearray(content)
        changed[place] = changed[place] ^ 1
        page.write_bytes(changed)
        assert not verifies(page), place
    page.write_bytes(content + b"\n")
    assert not verifies(page)
    page.write_bytes(content.replace(b"\n", b"\r\n"))
    assert not verifies(page)


@pytest.mark.parametrize(
    "change",
    [
        {"right": 20},
        {"interval": [0.9, 1.0]},
        {"answers": [["x", True]] * 20},
        {"answers": []},
        {"exam": {"seed": 11, "questions": 20, "sha256": "0" * 64}},
        {"exam": {"seed": "11", "questions": 20, "sha256": "0" * 64}},
        {"exam": {"seed": 12, "questions": 20, "sha256": EXAM.digest}},
        {"package": "9.9.9"},
        {"base": "000000000000"},
        {"sha256": None},
    ],
)
def test_a_page_made_anew_of_a_false_statement_does_not_verify(statement, page, change):
    false = statement | change
    try:
        text = certificate.to_html(false)
    except Exception:  # the forger has to write the page by hand
        before, after = json.dumps(statement["exam"]), json.dumps(false.get("exam"))
        text = page.read_text(encoding="utf-8").replace(before, after).replace("12 of", "20 of")
    page.write_text(text, encoding="utf-8", newline="\n")
    assert verification.verify_page(page).failed


def test_the_adapter_and_all_files_are_compared(page, submission, same_answers):
    assert not verification.verify_page(page, submission).failed
    other = capstones.honest(1)
    for name in submission.files:
        changed = dataclasses.replace(
            submission, files={**submission.files, name: other[name] + b" "}
        )
        assert name in verification.verify_page(page, changed).failed[0]


def test_other_answers_of_the_adapter_are_told(page, submission, same_answers):
    same_answers[0] = Reply("Something else.", True)
    assert "1 of 20 answers that are not printed" in str(
        verification.verify_page(page, submission).failed
    )


def test_a_few_answers_may_turn_over_by_rounding(submission, tmp_path, monkeypatch):
    exam = Exam(11, 100)
    replies = [Reply(x.response, True) for x in exam.examples]
    page = tmp_path / "page.html"
    statement = certificate.make_statement("", submission, ExamResult(exam, replies))
    page.write_bytes(certificate.to_html(statement).encode())
    now = [*replies[:-2], Reply("?", True), Reply("?", True)]
    monkeypatch.setattr(verification, "examine_own", lambda files, e: ExamResult(e, now))
    checked = verification.verify_page(page, submission)
    assert not checked.failed
    assert "but for 2 of 100" in str(checked.passed)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html></html>",
        b"\xff\xfe",
        b'<pre id="statement">\n{}</pre>',
        b'<pre id="statement">\n' + b"[" * 99_999 + b"</pre>",
    ],
)
def test_what_is_no_certificate_is_one_sentence(tmp_path, content):
    path = tmp_path / "x.html"
    path.write_bytes(content)
    with pytest.raises(Refusal, match="no certificate"):
        verification.verify_page(path)


def test_training_on_the_exam_stands_on_the_certificate(submission):
    files = {**submission.files, "data.jsonl": capstones.exam_rows(EXAM)}
    cheating = Submission("", files)
    statement = certificate.make_statement("", cheating, result())
    assert "repeat questions of the exam" in certificate.to_html(statement)
    assert statement["sha256"][ADAPTER] == submission.hashes[ADAPTER]
