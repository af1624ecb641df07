"""The figure of a low-rank update describes how little is trained, and draws any rank."""

import pytest
import torch

from ift_course.plots.lora_figure import show_low_rank_update


@pytest.mark.parametrize(("rank", "trained"), [(1, 10), (2, 20)])
def test_the_description_counts_changed_and_trained_parameters(rank, trained):
    W, A, B = torch.randn(4, 6), torch.randn(rank, 6), torch.randn(4, rank)
    fig = show_low_rank_update(W, A, B, 2.0, title="An update")
    assert f"24 weights get an update, {trained} parameters are trained" in fig.alt
    assert fig.png(200).startswith(b"\x89PNG")


def test_every_number_of_the_change_is_drawn_unless_there_is_no_room():
    W, A, B = torch.zeros(2, 3), torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([[2.0], [-1.0]])
    texts = [x.get_text() for x in show_low_rank_update(W, A, B).axes[0].texts]
    assert {"+2.0", "+4.0", "+6.0", "-1.0", "-2.0", "-3.0"} <= set(texts)
    wide = show_low_rank_update(torch.zeros(2, 40), torch.ones(1, 40), torch.ones(2, 1))
    assert "+0.0" not in [x.get_text() for x in wide.axes[0].texts]
