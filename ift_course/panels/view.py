"""A panel in a notebook: what was measured on the real model, when and where, and how to redo it.

It is plain HTML without a style sheet or a script, so that it looks the same in JupyterLab, on
GitHub and on the site, and it has a form in plain text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from ift_course.panels.panel import Panel, Run
from ift_course.panels.summary import prediction, sentence, share
from ift_course.plots.cards import Card
from ift_course.plots.transcript import LEFT, Reply, Transcript, TranscriptRow, transcript
from ift_course.terminal import printable

REPLY_CHARS = 240  # of an answer, of which the file has all
INTERVALS = (
    "Shares are of {n} test items, with 95 % intervals: Wilson's for one run, over seeds and items "
    "for several. Differences are paired by item."
)


@dataclass(frozen=True)
class PanelView:
    """A panel as HTML and as plain text.

    Attributes:
        panel: What is shown.
        command: The command that computes it anew.
        outdated: In which respects it no longer agrees with the course; empty if it does.
        is_live: Whether it was computed in this notebook, and not read from a file.
        max_chars: Longer answers are cut in the table.
    """

    panel: Panel
    command: str
    outdated: Sequence[str] = ()
    is_live: bool = False
    max_chars: int = REPLY_CHARS

    @property
    def mark(self) -> str:
        """Whether it is stored, and where it is from."""
        kind = "computed just now" if self.is_live else "stored"
        return f"{kind}: {self.panel.model}, {self.panel.origin}"

    @property
    def warning(self) -> Card | None:
        """A card that says why the panel is out of date; None if it is not."""
        if not self.outdated:
            return None
        return Card(
            kind="bad",
            verdict="out of date",
            title=f"{'; '.join(self.outdated)}.",
            details=[f"Compute it anew: {self.command}"],
        )

    @property
    def table(self) -> list[list[str]]:
        """A head, and for each arm its shares, its other numbers, its seeds, and a run's time."""
        metrics = self._metrics
        quantities = list(dict.fromkeys(name for run in self.panel.runs for name in run.quantities))
        if not metrics and not quantities:
            return []
        headings = [self.panel.metrics[name] for name in metrics]
        rows = [["", *headings, *quantities, "seeds", "time of a run"]]
        for arm, runs in self.panel.arms.items():
            shares = [share(self.panel, arm, name) for name in metrics]
            texts = [str(x) if x else "" for x in shares]
            texts += [_range(runs, name) for name in quantities]
            rows.append([arm, *texts, str(len(runs)), _mean_time(runs)])
        return rows

    @property
    def findings(self) -> list[str]:
        """For each difference that the lesson reports, what it is and what was predicted."""
        texts = [
            f"{sentence(self.panel, x) or ''} {prediction(self.panel, x)}".strip()
            for x in self.panel.contrasts
        ]
        return [text for text in texts if text]

    @property
    def transcript(self) -> Transcript | None:
        """The questions with the answer of each arm's first seed; None if none are stored."""
        replies: dict[str, dict[str, Reply]] = {}
        for arm, runs in self.panel.arms.items():
            for reply in runs[0].replies:
                text = Reply(printable(reply.text), finished=reply.finished)
                replies.setdefault(reply.prompt, {})[arm] = text
        rows = [TranscriptRow(prompt, answers) for prompt, answers in replies.items()]
        return transcript(rows, heading="asked", max_chars=self.max_chars) if rows else None

    @property
    def footer(self) -> list[str]:
        """How the numbers were made, and the command that makes them anew."""
        seconds = self.panel.seconds
        total = f"{seconds / 60:.0f} minutes" if seconds >= 90 else f"{seconds:.0f} seconds"
        recipe = ", ".join(f"{name} {value}" for name, value in self.panel.identity.recipe.items())
        lines = [INTERVALS.format(n=self.panel.n_items)] if self._metrics else []
        if recipe:
            lines.append(f"Settings: {recipe}.")
        return [*lines, f"Compute it anew ({total} on that machine): {self.command}"]

    def html(self) -> str:
        """Heading, warning, table, findings, transcript and footer."""
        parts = [f"<p><b>{escape(self.panel.title)}</b><br><small>{escape(self.mark)}</small></p>"]
        if self.warning:
            parts.append(self.warning.html())
        if self.table:
            head, *rows = self.table
            cells = "".join(f"<th {LEFT}>{escape(text)}</th>" for text in head)
            body = "".join(
                f"<tr>{''.join(f'<td {LEFT}>{escape(text)}</td>' for text in row)}</tr>"
                for row in rows
            )
            parts.append(f"<table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>")
        if self.findings:
            parts.append(f"<p>{'<br>'.join(map(escape, self.findings))}</p>")
        if self.transcript:
            parts.append(self.transcript.html())
        parts.append(f"<p><small>{'<br>'.join(map(escape, self.footer))}</small></p>")
        return "".join(parts)

    def __str__(self) -> str:
        blocks = [f"{self.panel.title}\n({self.mark})"]
        blocks += [str(self.warning)] if self.warning else []
        if self.table:
            widths = [max(map(len, column)) for column in zip(*self.table, strict=True)]
            lines = [
                "  ".join(f"{text:{width}}" for text, width in zip(row, widths, strict=True))
                for row in self.table
            ]
            blocks.append("\n".join(line.rstrip() for line in lines))
        blocks += ["\n".join(self.findings)] if self.findings else []
        blocks += [str(self.transcript)] if self.transcript else []
        return "\n\n".join([*blocks, "\n".join(self.footer)])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": str(self)}

    @property
    def _metrics(self) -> list[str]:
        scored = {name for run in self.panel.runs for name in run.scores}
        return [name for name in self.panel.metrics if name in scored]


def _range(runs: Sequence[Run], name: str) -> str:
    """The smallest and the largest value of a quantity over the seeds, such as "2.1 to 2.3"."""
    values = [run.quantities[name] for run in runs if name in run.quantities]
    if not values:
        return ""
    ends = (f"{x:,.0f}" if abs(x) >= 100 else f"{x:.3g}" for x in (min(values), max(values)))
    return " to ".join(dict.fromkeys(ends))


def _mean_time(runs: Sequence[Run]) -> str:
    """The mean time of a run by what took it, such as "training 52 s, answers 20 s"."""
    names = dict.fromkeys(name for run in runs for name in run.seconds)
    means = {name: sum(run.seconds.get(name, 0) for run in runs) / len(runs) for name in names}
    return ", ".join(f"{name} {seconds:.0f} s" for name, seconds in means.items())
