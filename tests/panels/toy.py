"""A real part without a model: what its arms give is planned."""

from __future__ import annotations

from pathlib import Path

from ift_course.panels.panel import Contrast, Measurement, StoredReply
from ift_course.panels.real_part import Arm, Job, RealPart

N_ITEMS = 20


class Toy:
    """Counts its measurements, and is interrupted before one of them.

    Attributes:
        part: Two arms, one of which has one seed.
        measured: Arm and seed of each measurement.
        interrupt_at: How many measurements are finished when the user stops it.
    """

    def __init__(self, data: Path, recipe: dict | None = None, lesson: str = "01") -> None:
        self.measured: list[tuple[str, int]] = []
        self.interrupt_at: int | None = None
        self.part = RealPart(
            lesson=lesson,
            title="A toy",
            arms=(
                Arm("base, plain", lambda job: self.measure("base, plain", job), n_seeds=1),
                Arm("tuned", lambda job: self.measure("tuned", job)),
            ),
            data={"test": data},
            recipe=recipe or {"rate": 0.1, "sizes": (1, 2)},
            metrics={"strict": "right, and stopped", "stopped": "stopped"},
            contrasts=(Contrast(first="base, plain", second="tuned", metric="strict"),),
        )

    def measure(self, arm: str, job: Job) -> Measurement:
        if self.interrupt_at == len(self.measured):
            raise KeyboardInterrupt
        self.measured.append((arm, job.seed))
        n_right = 2 if arm.startswith("base") else 15 + job.seed % 3
        return Measurement(
            scores={"strict": digits(n_right), "stopped": digits(N_ITEMS)},
            replies=[
                StoredReply(
                    prompt="Is <b>2</b> > 1?", text=f"{arm} says\x1b[31m so.", finished=True
                ),
                StoredReply(prompt="Count.", text="1 2 3 4", finished=not arm.startswith("base")),
            ],
            losses=[1.0, 0.25] if arm == "tuned" else [],
            seconds={"answers": 12.0},
        )


def digits(n_right: int) -> str:
    return "1" * n_right + "0" * (N_ITEMS - n_right)
