"""What lesson 02 says of its drawings, its runs and its stored panel is true of them."""

import pytest

from ift_course.data.native_templates import GEMMA
from ift_course.lessons.lesson_02 import experiment, figures
from ift_course.lessons.lesson_02.real import END_MASKED
from ift_course.panels.panel import read_panel
from ift_course.paths import evidence_root

CHAT = [{"role": "user", "content": "Hm?"}, {"role": "assistant", "content": "Owl."}] * 2


def render(template):
    from transformers.utils.chat_template_utils import render_jinja_template

    [text], [spans] = render_jinja_template(
        conversations=[CHAT],
        chat_template=template,
        return_assistant_tokens_mask=True,
        bos_token="<bos>",
    )
    return text, [text[start:stop] for start, stop in spans]


def test_the_two_templates_write_the_same_text_and_differ_in_the_end_of_the_turn():
    (text, trained), (same, masked) = render(GEMMA), render(END_MASKED)
    assert text == same
    assert trained == ["Owl.<end_of_turn>"] * 2 and masked == ["Owl."] * 2


def test_most_answers_of_the_masked_run_do_not_end_and_its_loss_ends_lower():
    path = evidence_root() / "gemma" / "02.json"
    if not path.exists():
        pytest.skip("nothing is stored")
    [trained], [masked] = read_panel(path).arms.values()
    assert all(reply.finished for reply in trained.replies)
    assert sum(reply.finished for reply in masked.replies) < len(masked.replies) / 2
    assert sum(masked.losses[-12:]) < sum(trained.losses[-12:])


def test_the_block_mask_counts_the_looks_at_other_examples():
    assert "6 of the 15 allowed links" in figures.block_mask([3, 2]).alt
    assert "0 of the 6 allowed links" in figures.block_mask([3]).alt


def test_titles_are_made_from_the_numbers():
    packed = figures.packing([5, 3, 4, 2, 2], 8)
    assert "5 examples into 2 sequences of 8 tokens" in packed.get_suptitle()
    arms = {"ChatML": [[1.0, 1.0]] * 2, "another": [[1.0, 1.0]] * 2, "worst": [[0.0], [1.0]]}
    title = figures.formats(arms).get_suptitle().replace("\n", " ")
    assert title == (
        "Asked in worst, the model is right 50% of the time (0% to 100% by seed) instead of 100%"
    )


def test_the_formats_are_shown_one_below_the_other(shared_tokenizer):
    explorer = figures.explore(shared_tokenizer)
    assert explorer.static.captions == ["ChatML", "Llama 3", "Alpaca"]
    assert len(explorer.static.rows) == 3


def test_a_difference_is_judged_by_its_interval():
    same = [[1.0, 0.0, 1.0, 1.0], [1.0, 1.0, 0.0, 1.0], [0.0, 1.0, 1.0, 1.0]]
    assert experiment.difference(same, same[::-1]).endswith(": undecided")
    ones, zeros = [[1.0] * 40] * 3, [[0.0] * 40] * 3
    assert experiment.difference(ones, zeros).endswith(": a difference")
    assert experiment.difference(zeros, ones).endswith(": a difference")
    same = [[1.0] * 200] * 3
    assert experiment.difference(same, same).endswith(": no difference of 0.05 or more")


def test_the_mixed_batch_has_the_packed_tokens_and_no_positions(monkeypatch):
    monkeypatch.setattr(experiment, "_pad_id", lambda: 0)
    rows = [{"input_ids": [5, 6, 7], "labels": [-100, 6, 7]}, {"input_ids": [8], "labels": [8]}]
    mixed = experiment._as_mixed(rows)
    assert mixed["input_ids"].tolist() == [[5, 6, 7, 8]]
    assert mixed.keys() == {"input_ids", "labels"}
