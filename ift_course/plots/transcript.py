"""Prompts and the replies of several models, side by side.

transcript({"base": base_scores, "SFT": sft_scores}, limit=8)
transcript([TranscriptRow("The capital of France is", {"base": "xq lo", "SFT": "Paris."})])
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from ift_course.data.records import user_text

if TYPE_CHECKING:
    from ift_course.evaluation.generate import Completion
    from ift_course.evaluation.score import Scores

MAX_CHARS = 160  # characters of one reply
# JupyterLab's style sheet overrides the attributes, and GitHub strips the style.
LEFT = 'align="left" valign="top" style="text-align: left; vertical-align: top"'


@dataclass(frozen=True)
class Reply:
    """A model's reply with its strict verdict.

    Attributes:
        text: The reply.
        correct: The verdict; None without one.
        finished: Whether the model ended its turn by itself.
    """

    text: str
    correct: bool | None = None
    finished: bool = True


@dataclass(frozen=True)
class TranscriptRow:
    """A prompt and the reply of each model, by the model's name."""

    prompt: str
    answers: Mapping[str, Reply | Completion | str]


@dataclass(frozen=True)
class Transcript:
    """A table with a row for each prompt and a column for each model, as HTML and plain text."""

    rows: Sequence[TranscriptRow]
    heading: str
    max_chars: int

    @property
    def models(self) -> list[str]:
        """The columns, in the order in which they first appear."""
        return list(dict.fromkeys(name for row in self.rows for name in row.answers))

    @property
    def note(self) -> str:
        """An explanation of the marks in this table; empty without marks."""
        replies = [_to_reply(answer) for row in self.rows for answer in row.answers.values()]
        judged = any(reply.correct is not None for reply in replies)
        clipped = any(self._clip(reply).endswith("…") for reply in replies)
        marks = "✓ right, nothing else, and finished · ✗ not" if judged else ""
        cut = "…: it went on, and is cut here" if clipped else ""
        return " · ".join(part for part in (marks, cut) if part)

    def html(self) -> str:
        """A plain table that needs no style sheet."""
        head = "".join(f"<th {LEFT}>{escape(name)}</th>" for name in (self.heading, *self.models))
        body = "".join(
            f"<tr>{_td(row.prompt)}"
            + "".join(
                _td(self._cell(row.answers[n])) if n in row.answers else "<td></td>"
                for n in self.models
            )
            + "</tr>"
            for row in self.rows
        )
        note = f"<p><small>{escape(self.note)}</small></p>" if self.note else ""
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{note}"

    def __str__(self) -> str:
        width = max((len(name) for name in self.models), default=0)
        blocks = [f"{self.heading} / {', '.join(self.models)}"]
        for row in self.rows:
            lines = [row.prompt.replace("\n", " ↵ ")]
            for name, answer in row.answers.items():
                text = self._cell(answer).replace("\n", " ↵ ")
                first, *others = textwrap.wrap(text, 92 - width) or [""]
                lines.append(f"  {name:>{width}}  {first}")
                lines += [" " * (width + 4) + line for line in others]
            blocks.append("\n".join(lines))
        return "\n\n".join([*blocks, *([self.note] if self.note else [])])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": str(self)}

    def _cell(self, answer: Reply | Completion | str) -> str:
        reply = _to_reply(answer)
        mark = {True: "✓ ", False: "✗ ", None: ""}[reply.correct]
        return mark + self._clip(reply)

    def _clip(self, reply: Reply) -> str:
        text = reply.text.strip() or ("(nothing)" if reply.finished else "(only blank space)")
        if len(text) > self.max_chars:
            return text[: self.max_chars - 1].rstrip() + "…"
        return text if reply.finished else f"{text}…"


def transcript(
    rows: Sequence[TranscriptRow] | Mapping[str, Scores],
    *,
    limit: int | None = None,
    heading: str = "prompt",
    max_chars: int = MAX_CHARS,
) -> Transcript:
    """A table of prompts and the models' answers.

    Args:
        rows: The table's rows, or the scores of each model on the same examples, by model name.
        limit: Show at most this many prompts.
        heading: Of the column with the prompts.
        max_chars: Longer answers are cut and end in "…", as do those that did not finish.

    Raises:
        ValueError: The scores are not of the same examples.
    """
    if isinstance(rows, Mapping):
        rows = _from_scores(rows)
    return Transcript(rows[:limit], heading, max_chars)


def _from_scores(scores: Mapping[str, Scores]) -> list[TranscriptRow]:
    first = next(iter(scores.values()))
    if any(list(other.examples) != list(first.examples) for other in scores.values()):
        raise ValueError("A transcript compares models on the same examples; these differ.")
    return [
        TranscriptRow(
            user_text(example.instruction, example.input),
            {
                name: Reply(s.completions[i].text, s.correct[i], s.completions[i].finished)
                for name, s in scores.items()
            },
        )
        for i, example in enumerate(first.examples)
    ]


def _to_reply(answer: Reply | Completion | str) -> Reply:
    if isinstance(answer, Reply):
        return answer
    if isinstance(answer, str):
        return Reply(answer)
    return Reply(answer.text, finished=answer.finished)


def _td(text: str) -> str:
    return f"<td {LEFT}>{escape(text).replace(chr(10), '<br>')}</td>"
