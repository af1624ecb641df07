"""A transcript shows what was said, cut but never changed, and never as markup."""

from dataclasses import dataclass

import pytest

from ift_course.evaluation.generate import Completion
from ift_course.evaluation.score import Scores
from ift_course.plots.transcript import Row, Said, transcript


@dataclass(frozen=True)
class Asked:
    instruction: str
    input: str = ""


def test_model_text_cannot_become_markup():
    html = transcript([Row("<b>", {"<i>": "<script>alert(1)</script>"})]).html()
    assert "<script>" not in html and "<b>" not in html and "<i>" not in html
    assert "&lt;script&gt;" in html


def test_verdicts_are_marks_not_colors():
    table = transcript([Row("Q", {"base": Said("no", False), "SFT": Said("yes", True)})])
    for form in (table.html(), str(table)):
        assert "✗ no" in form and "✓ yes" in form and "✓ right" in form


def test_rambling_is_cut_and_unfinished_answers_say_so():
    table = transcript([Row("Q", {"a": "x" * 500, "b": Completion("and so", False)})], clip=20)
    assert "x" * 19 + "…" in str(table) and "x" * 20 not in str(table)
    assert "and so…" in table.html() and "… went on" in table.html()


def test_without_verdicts_there_is_no_legend():
    assert transcript([Row("step 1", {"text": "Moo."})], heading="after").note == ""
    assert "after" in transcript([Row("1", {"text": "Moo."})], heading="after").html()


def test_scores_of_the_same_examples_stand_side_by_side():
    examples = [Asked("Say it", "Moo"), Asked("Name it")]
    base = Scores(examples, [Completion("a", True), Completion("b", False)], [False, False])
    tuned = Scores(examples, [Completion("Moo", True), Completion("", True)], [True, False])
    table = transcript({"base": base, "SFT": tuned}, limit=2)
    assert table.models == ["base", "SFT"] and table.rows[0].prompt == "Say it\nMoo"
    assert "Say it<br>Moo" in table.html()
    assert "✗ b…" in str(table) and "✓ Moo" in str(table) and "✗ (nothing)" in str(table)
    assert len(transcript({"base": base}, limit=1).rows) == 1


def test_scores_of_different_examples_are_refused():
    said = [Completion("a", True)]
    with pytest.raises(ValueError, match="same examples"):
        transcript({"a": Scores([Asked("1")], said, [True]),
                    "b": Scores([Asked("2")], said, [True])})  # fmt: skip
