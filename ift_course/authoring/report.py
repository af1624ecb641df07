"""The report of a run: one HTML file with all its results, which loads no other file."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ift_course.disk import atomic_write_text
from ift_course.hardware import machine
from ift_course.lessons import timings
from ift_course.paths import results_dir
from ift_course.profile import Profile

if TYPE_CHECKING:
    from ift_course.claims.entry import Claim

WIDTH, MARGIN = 220, 8  # of an interval's drawing, in SVG units


@dataclass(frozen=True)
class Figure:
    """A picture of an executed lesson, as a data URI, with the heading of its section."""

    heading: str
    uri: str


@dataclass(frozen=True)
class Interval:
    """Horizontal positions of the parts of an interval's drawing, in SVG units.

    Attributes:
        zero: Position of the value zero; None if it lies outside the drawing.
    """

    low: float
    high: float
    effect: float
    bounds: list[float]
    zero: float | None


def write(profile: Profile) -> Path:
    """Write `<profile>/report.html` from the stored results and executed notebooks."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from ift_course.claims import store

    environment = Environment(
        loader=PackageLoader("ift_course", "authoring"), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["minutes"] = timings.minutes
    environment.filters["number"] = lambda x: f"{x:.3g}"
    folder = results_dir(profile.name)
    costs = timings.read_timings(profile.name)
    html = environment.get_template("report.html.j2").render(
        profile=asdict(profile),
        machine=machine(),
        lessons=[costs[x] for x in sorted(costs)],
        claims=[(x, drawing(x)) for x in store.read_claims(profile.name)],
        published=store.published_claims(profile.name),
        figures={
            x.stem[:2]: list(figures(x)) for x in sorted((folder / "notebooks").glob("*.ipynb"))
        },
        width=WIDTH,
    )
    path = folder / "report.html"
    atomic_write_text(path, html)
    return path


def drawing(claim: Claim) -> Interval:
    """Scale a claim's interval, its bounds and zero to the width of the drawing."""
    low, high = claim.interval
    bounds = [x for x in (claim.at_least, claim.at_most) if x is not None]
    values = [low, high, claim.effect, *bounds]
    left, right = min(values), max(values)
    span = (right - left) or 1.0

    def position(value: float) -> float:
        return round(MARGIN + (value - left) / span * (WIDTH - 2 * MARGIN), 1)

    return Interval(
        low=position(low),
        high=position(high),
        effect=position(claim.effect),
        bounds=[position(x) for x in bounds],
        zero=position(0.0) if left <= 0 <= right else None,
    )


def figures(notebook: Path) -> Iterator[Figure]:
    """The pictures among a notebook's outputs, in order."""
    heading = notebook.stem
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            headings = re.findall(r"^#+ (.+)$", source, re.MULTILINE)
            heading = headings[-1] if headings else heading
        for output in cell.get("outputs", []):
            uri = data_uri(output.get("data", {}))
            if uri:
                yield Figure(heading, uri)


def data_uri(data: dict[str, Any]) -> str | None:
    """The picture in an output's data, as an address that holds it; None without one."""
    if "image/png" in data:
        return "data:image/png;base64," + "".join(data["image/png"]).replace("\n", "")
    if "image/svg+xml" in data:
        svg = "".join(data["image/svg+xml"]).encode()
        return "data:image/svg+xml;base64," + base64.b64encode(svg).decode()
    return None
