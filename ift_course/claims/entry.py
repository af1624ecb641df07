"""One claim: the expectation, what was measured, whether it holds, and the card that says so."""

from __future__ import annotations

import numpy as np
from pydantic import BaseModel, ConfigDict, PrivateAttr

from ift_course.plots.cards import Card, show


class Claim(BaseModel):
    """A claim and its measurement, as `results/<profile>/claims.json` holds it.

    Attributes:
        id: as "03.quality-beats-quantity".
        lesson: its number, as "03".
        statement: the expectation in one sentence.
        source: the publication that it comes from.
        metric: what the numbers are.
        arms: arm → one value for each seed (the mean, where item scores were given).
        of: the arms of the effect, one or two.
        effect: the mean of the arm in `of`, or of the first arm in it minus the second.
        interval: the effect's 95 % interval, (low, high).
        method: what the interval covers, "over seeds" or "over seeds and items".
        at_least: the lower bound that the whole interval must keep; None if there is none.
        at_most: the upper bound, likewise.
        holds: whether the whole interval keeps the bounds.
        subject: numbers of `lessons.objectives`.
        literature: the statement as the field puts it, where that is not `statement`.
        differs: how and why the result differs from the literature; "" if it does not.
        seconds: since the lesson began.
        peak_mb: the most memory used so far, in MB of 10^6 bytes.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    lesson: str
    statement: str
    source: str
    metric: str
    arms: dict[str, list[float]]
    of: list[str]
    effect: float
    interval: tuple[float, float]
    method: str
    at_least: float | None
    at_most: float | None
    holds: bool
    subject: tuple[int, ...] = ()
    literature: str = ""
    differs: str = ""
    seconds: int
    peak_mb: int

    _shown_in: int | None = PrivateAttr(default=None)
    _published: Claim | None = PrivateAttr(default=None)

    def card(self, published: Claim | None = None) -> Card:
        """The claim as a card.

        Args:
            published: the authors' measurement of the same claim, shown beside this one.
        """
        low, high = self.interval
        arms = [
            f"{name}: {np.mean(values):.3g} (seeds {', '.join(f'{v:.3g}' for v in values)})"
            for name, values in self.arms.items()
        ]
        return Card(
            kind="good" if self.holds else "bad",
            verdict="holds" if self.holds else "does not hold",
            title=self.statement,
            details=[
                f"{' − '.join(self.of)}, {self.metric}: {self.effect:.3g}, "
                f"95 % interval {low:.3g} to {high:.3g} ({self.method}); needs {self.bound}",
                *([f"Effect: {self.beside(published)}"] if published else []),
                " · ".join(arms),
                *([f"Not as in the literature: {self.differs}"] if self.differs else []),
                f"Source: {self.source} · claim {self.id}",
            ],
        )

    @property
    def bound(self) -> str:
        """The bounds that the interval has to keep, in words."""
        parts = []
        if self.at_least is not None:
            parts.append(f"at least {self.at_least:g}")
        if self.at_most is not None:
            parts.append(f"at most {self.at_most:g}")
        return " and ".join(parts)

    def beside(self, published: Claim) -> str:
        """The effect next to the published one: "yours 0.95, published 0.97"."""
        return f"yours {self.effect:.3g}, published {published.effect:.3g}"

    def show(self, published: Claim | None = None) -> None:
        """Show the claim's card, with the published measurement if there is one."""
        self._published = published
        self._shown_in = _execution_count()
        show(self.card(published))

    def _ipython_display_(self) -> None:
        # `claim` has already shown the card when the notebook echoes a cell's last value.
        if self._shown_in is None or self._shown_in != _execution_count():
            self.show(self._published)


def _execution_count() -> int | None:
    """The number of the notebook cell that is running; None outside a notebook."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    return shell.execution_count if shell else None
