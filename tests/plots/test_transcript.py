"""A transcript may cut the replies of models, but never changes them or reads them as markup."""

from dataclasses import dataclass

import pytest

from ift_course.evaluation.generate import Completion
from ift_course.evaluation.score import Scores
from ift_course.plots.transcript import Reply, TranscriptRow, transcript


@dataclass(frozen=True)
class Question:
    instruction: str
    input: str = ""


def test_model_text_cannot_become_markup():
    html = transcript([TranscriptRow("<b>", {"<i>": "<script>alert(1)</script>"})]).html()
    assert "<script>" not in html and "<b>" not in html and "<i>" not in html
    assert "&lt;script&gt;" in html


def test_verdicts_are_marks_not_colors():
    table = transcript(
        [TranscriptRow("Q", {"base": Reply("no", False), "SFT": Reply("yes", True)})]
    )
    for form in (table.html(), str(table)):
        assert "✗ no" in form and "✓ yes" in form and "✓ right" in form


def test_rambling_is_cut_and_unfinished_answers_say_so():
    table = transcript(
        [TranscriptRow("Q", {"a": "x" * 500, "b": Completion("and so", False)})], max_chars=20
    )
    assert "x" * 19 + "…" in str(table) and "x" * 20 not in str(table)
    assert "and so…" in table.html() and "it went on" in table.html()


def test_without_verdicts_there_is_no_legend():
    assert transcript([TranscriptRow("step 1", {"text": "Moo."})], heading="after").note == ""
    assert "after" in transcript([TranscriptRow("1", {"text": "Moo."})], heading="after").html()


def test_scores_of_the_same_examples_stand_side_by_side():
    examples = [Question("Say it", "Moo"), Question("Name it")]
    base = Scores(examples, [Completion("a", True), Completion("b", False)], [False, False])
    tuned = Scores(examples, [Completion("Moo", True), Completion("", True)], [True, False])
    table = transcript({"base": base, "SFT": tuned}, limit=2)
    assert table.models == ["base", "SFT"] and table.rows[0].prompt == "Say it\nMoo"
    assert "Say it<br>Moo" in table.html()
    assert "✗ b…" in str(table) and "✓ Moo" in str(table) and "✗ (nothing)" in str(table)
    assert len(transcript({"base": base}, limit=1).rows) == 1


def test_scores_of_different_examples_are_refused():
    completions = [Completion("a", True)]
    with pytest.raises(ValueError, match="same examples"):
        transcript({"a": Scores([Question("1")], completions, [True]),
                    "b": Scores([Question("2")], completions, [True])})  # fmt: skip
