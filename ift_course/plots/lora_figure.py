"""A weight matrix and its low-rank update (LoRA), with the value of every entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ift_course.plots.figure import FAINT, INK, Picture, axes, footnote, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from torch import Tensor

GAP = 1.2  # between the matrices, in cells
MAX_COLUMNS_WITH_VALUES = 9  # in wider matrices, a cell has no room for its value


def show_low_rank_update(
    W: Tensor, A: Tensor, B: Tensor, scale: float = 1.0, *, title: str = ""
) -> Picture:
    """Draw W, the low-rank update with B on its left and A above it, and the sum of both.

    LoRA: Hu et al. 2021, section 4.1.

    Args:
        W: Frozen weights, float, (rows, columns).
        A: Trained, float, (rank, columns).
        B: Trained, float, (rows, rank).
        scale: α / r.
        title: Above the figure.
    """
    rows, columns = W.shape
    rank = A.shape[0]
    change = scale * B @ A
    trained = A.numel() + B.numel()
    alt = (
        f"A frozen matrix W of {rows} by {columns} plus the change that B ({rows} by {rank}) and "
        f"A ({rank} by {columns}) make, times {scale:g}, is the tuned matrix. {W.numel()} weights "
        f"get an update, {trained} parameters are trained."
    )
    fig = new_figure(2.9, title=title, alt=alt)
    ax = axes(fig)
    ax.grid(False)
    top = rank + 0.3  # W is drawn below A
    second = columns + GAP + rank + 0.3
    third = second + columns + GAP
    largest = max(m.abs().max().item() for m in (W, change, W + change))
    for matrix, x, y, name in (
        (W, 0, top, f"W: frozen, {W.numel()} parameters"),
        (B, second - rank - 0.3, top, f"B: {rows} × {rank}"),
        (A, second, 0, f"A: {A.numel()} parameters, trained like B"),
        (change, second, top, ""),
        (W + change, third, top, "W + α/r · B A"),
    ):
        _draw_matrix(ax, matrix.detach(), x, y, largest)
        # To the left, because A stands right of B's name.
        edge, side = (x + rank, "right") if matrix is B else (x, "left")
        ax.text(edge, y - 0.2, name, color=INK, va="bottom", ha=side, fontsize=10)
    ax.text(second, top + rows + 0.2, f"α/r · B A, with α/r = {scale:g}", color=INK, va="top",
            fontsize=10)  # fmt: skip
    for x, sign in ((columns, "+"), (third - GAP, "=")):
        ax.text(x + GAP / 2, top + rows / 2, sign, ha="center", va="center", fontsize=16)
    ax.set(xlim=(-0.1, third + columns + 0.1), ylim=(top + rows + 0.9, -1.0), aspect="equal")
    ax.axis("off")
    footnote(fig, "violet: above zero · orange: below zero · pale: close to zero")
    return fig


def _draw_matrix(ax: Axes, matrix: Tensor, left: float, top: float, largest: float) -> None:
    rows, columns = matrix.shape
    extent = (left, left + columns, top + rows, top)
    ax.imshow(matrix.numpy(), cmap="PuOr", vmin=-largest, vmax=largest, extent=extent)
    for row in range(rows):
        for column in range(columns if columns <= MAX_COLUMNS_WITH_VALUES else 0):
            value = matrix[row, column].item()
            text = f"{round(value, 1) + 0.0:+.1f}"  # the sum turns -0.0 into 0.0
            ink = "white" if abs(value) > 0.6 * largest else INK
            ax.text(left + column + 0.5, top + row + 0.5, text, color=ink, fontsize=8,
                    ha="center", va="center")  # fmt: skip
    ax.plot([left, left + columns, left + columns, left, left],
            [top, top, top + rows, top + rows, top], color=FAINT, linewidth=1)  # fmt: skip
