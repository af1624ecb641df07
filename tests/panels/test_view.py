"""A panel says what was measured, how sure it is, when and where, and whether it is out of date."""

from __future__ import annotations

import re

import pytest

from ift_course.evaluation.intervals import two_level_interval
from ift_course.evaluation.paired import share_interval
from ift_course.panels.compute import compute
from ift_course.panels.identity import differences
from ift_course.panels.panel import Contrast
from ift_course.panels.summary import difference, prediction, score_matrix, sentence, share
from ift_course.panels.view import PanelView
from ift_course.profile import get_profile
from tests.panels.toy import Toy

GEMMA = get_profile("gemma")
COMMAND = "ift run 01 --profile gemma"


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "test.jsonl"
    path.write_text("{}\n")
    return path


@pytest.fixture
def panel(real_base, real_results, data):
    return compute(Toy(data).part, GEMMA)


def test_one_run_has_wilsons_interval_and_several_have_that_over_seeds_and_items(panel):
    base_share, tuned = share(panel, "base, plain", "strict"), share(panel, "tuned", "strict")
    assert (base_share.value, base_share.interval) == (0.1, share_interval(2, 20))
    scores = score_matrix(panel, "tuned", "strict")
    assert tuned.value == pytest.approx(0.8) and tuned.interval == two_level_interval(scores)
    assert share(panel, "tuned", "unknown") is None


def test_a_difference_is_paired_by_item_and_covers_the_seeds(panel):
    estimate = difference(panel, panel.contrasts[0])
    base_scores = score_matrix(panel, "base, plain", "strict") * 3
    assert estimate.value == pytest.approx(0.7)
    assert estimate.interval == two_level_interval(
        score_matrix(panel, "tuned", "strict"), base_scores
    )


def test_sentences_name_the_better_arm_whichever_comes_first_and_chance_where_it_may_be(panel):
    forward = sentence(panel, panel.contrasts[0])
    assert re.fullmatch(
        r"tuned is better than base, plain in “right, and stopped” by 70 points \(\d+ to \d+\)\.",
        forward,
    )
    backward = Contrast(first="tuned", second="base, plain", metric="strict")
    assert sentence(panel, backward) == forward
    alike = Contrast(first="tuned", second="base, plain", metric="stopped")
    assert sentence(panel, alike).startswith("base, plain and tuned cannot be told apart")


@pytest.mark.parametrize(
    ("bound", "verdict"),
    [
        (0.2, "tuned is better by at least 20 points; it is."),
        (0.69, "tuned is better by at least 69 points; this does not decide it."),
        (0.99, "tuned is better by at least 99 points; it is not."),
        (0.0, "tuned is no worse; it is."),
        (-0.05, "tuned is worse by at most 5 points; it is."),
    ],
)
def test_a_prediction_comes_out_fails_or_stays_undecided_by_its_whole_interval(
    panel, bound, verdict
):
    contrast = Contrast(first="base, plain", second="tuned", metric="strict", at_least=bound)
    assert prediction(panel, contrast) == f"Predicted: {verdict}"
    predicted = panel.model_copy(update={"contrasts": [contrast]})
    assert verdict in PanelView(predicted, COMMAND).html()
    assert prediction(panel, panel.contrasts[0]) == "", "nothing was predicted"


def test_the_plain_text_has_table_findings_transcript_mark_and_command(panel):
    text = str(PanelView(panel, COMMAND))
    assert f"(stored: Gemma 3 270M, computed on {panel.runs[0].date} on " in text
    assert re.search(r"^base, plain +10 % \(\d+ to \d+\) +100 % .* 1 +answers 12 s$", text, re.M)
    assert re.search(r"^tuned +80 % \(\d+ to \d+\) .* 3 +answers 12 s$", text, re.M)
    assert "tuned is better than base, plain" in text
    assert "base, plain  1 2 3 4…" in text and "      tuned  1 2 3 4" in text
    assert text.rstrip().endswith(f"Compute it anew (48 seconds on that machine): {COMMAND}")
    assert "\x1b" not in text and "\\x1b[31m" in text


def test_the_html_is_static_escaped_and_says_the_same(panel):
    bundle = PanelView(panel, COMMAND)._repr_mimebundle_()
    html = bundle["text/html"]
    assert set(bundle) == {"text/html", "text/plain"}
    assert "Is &lt;b&gt;2&lt;/b&gt; &gt; 1?" in html and "<b>2</b>" not in html
    assert not re.search(r"<script|<style|\x1b", html)
    for text in ("80 %", "stored: Gemma 3 270M", COMMAND, "tuned is better than", "1 2 3 4…"):
        assert text in html


def test_a_panel_that_agrees_is_not_called_out_of_date(panel, data):
    assert differences(panel, Toy(data).part, GEMMA) == []
    assert "out of date" not in str(PanelView(panel, COMMAND))


def test_changed_data_settings_and_weights_are_named_in_both_forms(panel, data):
    data.write_text('{"prompt": "What?"}\n')
    other = panel.identity.model_copy(update={"weights": "0" * 12})
    changed = panel.model_copy(update={"identity": other})
    clauses = differences(changed, Toy(data, {"rate": 0.2, "sizes": (1, 2)}).part, GEMMA)
    assert clauses == [
        "it was computed from other weights than those of the profile gemma",
        "the data file test has changed",
        "the setting rate was 0.1 and is 0.2",
    ]
    view = PanelView(changed, COMMAND, clauses)
    for form in view._repr_mimebundle_().values():
        assert "✗ out of date:" in form.replace("<b>", "").replace("</b>", "")
        assert "the data file test has changed" in form


def test_without_the_model_on_this_machine_only_its_name_is_compared(
    panel, data, monkeypatch, tmp_path
):
    monkeypatch.setenv("IFT_CACHE", str(tmp_path / "empty"))
    assert differences(panel, Toy(data).part, GEMMA) == []
    other = panel.identity.model_copy(update={"base": "0" * 12})
    changed = panel.model_copy(update={"identity": other})
    assert len(differences(changed, Toy(data).part, GEMMA)) == 1


def test_what_was_computed_in_the_notebook_is_not_called_stored(panel):
    view = PanelView(panel, COMMAND, is_live=True)
    assert "computed just now: Gemma 3 270M" in str(view) and "stored:" not in str(view)
