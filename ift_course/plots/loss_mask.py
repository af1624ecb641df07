"""The loss-mask viewer: which tokens of a conversation a model is trained on.

    show_mask(tokenizer, record.messages)      one conversation, as the course renders it
    show_batch(tokenizer, **batch)             what a collator really hands to the model

Most silent failures of instruction tuning (the prompt trained, the end of turn not, everything
ignored) are seen at one look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ift_course.data.loss_mask import IGNORE, render
from ift_course.plots.mask_tokens import KINDS, Token, broken_lines, count, pieces, visible

if TYPE_CHECKING:
    from rich.text import Text

    from ift_course.plots.figure import Picture


@dataclass(frozen=True)
class MaskView:
    """Rows of tokens with their part in the loss: a picture, terminal text and plain text."""

    rows: Sequence[Sequence[Token]]

    def count(self, kind: str) -> int:
        """How many tokens are "trained", "ignored" or "padding"."""
        return count(self.rows, kind)

    @property
    def summary(self) -> str:
        """The counts in words."""
        total = sum(map(len, self.rows))
        counts = [f"{self.count(k)} {k}" for k in KINDS if self.count(k) or k != "padding"]
        return f"{total} tokens: {', '.join(counts)}"

    def __str__(self) -> str:
        """Plain text: trained tokens are underlined with ^, padding with a dot."""
        cues = {"trained": "^", "ignored": " ", "padding": "."}
        lines = [f"{self.summary} (^ trained, . padding)"]
        for row in self.rows:
            lines.append("")
            for line in broken_lines(row):
                lines.append("".join(token.text for token in line))
                marks = "".join(cues[token.kind] * len(token.text) for token in line).rstrip()
                lines.extend([marks] if marks else [])
        return "\n".join(lines)

    def __rich__(self) -> Text:
        """For the terminal: trained is bold on blue, ignored plain, padding dim and struck."""
        from rich.text import Text

        styles = {"trained": "bold white on blue", "ignored": "", "padding": "dim strike"}
        text = Text(f"{self.summary}\n")
        for kind in KINDS:
            text.append(kind, styles[kind]).append("  ")
        for row in self.rows:
            text.append("\n")
            for line in broken_lines(row):
                text.append("\n")
                for token in line:
                    italic = " italic" if token.special else ""
                    text.append(token.text, styles[token.kind] + italic)
        return text

    def figure(self) -> Picture:
        """The picture: trained filled with bold text, ignored framed, padding hatched."""
        from ift_course.plots.mask_picture import draw

        return draw(self.rows, f"Loss mask, {self.summary}.")

    def _repr_mimebundle_(self, include=None, exclude=None):
        data, metadata = self.figure()._repr_mimebundle_()
        return data | {"text/plain": str(self)}, metadata


def show_mask(tokenizer, messages) -> MaskView:
    """A conversation's tokens and which of them the loss covers, as `data.masking.render` says.

    messages: a list of {"role", "content"}, or a Record. A list of these is shown padded on the
        right to the longest, as a batch.
    """
    if hasattr(messages, "messages"):
        messages = [messages.messages]
    elif isinstance(messages[0], dict):
        messages = [messages]
    rendered = [render(tokenizer, getattr(item, "messages", item)) for item in messages]
    longest = max(len(ids) for ids, _ in rendered)
    rows = []
    for ids, mask in rendered:
        kinds = ["trained" if trained else "ignored" for trained in mask]
        padding = [Token("pad", "padding", special=False)] * (longest - len(ids))
        rows.append(_tokens(tokenizer, ids, kinds) + padding)
    return MaskView(rows)


def show_batch(tokenizer, input_ids, labels, attention_mask=None, **_) -> MaskView:
    """The tokens of a real batch and which of them the loss covers, by its own labels.

    input_ids, labels, attention_mask: int64 (rows, length) tensors or nested lists, labels not
    shifted. Without an attention mask no token counts as padding. Further keys are ignored, so
    that a collator's result can be passed as it is.
    """
    rows = []
    for i, ids in enumerate(_plain(input_ids)):
        attended = _plain(attention_mask)[i] if attention_mask is not None else [1] * len(ids)
        kinds = [
            "trained" if label != IGNORE else "ignored" if seen else "padding"
            for label, seen in zip(_plain(labels)[i], attended, strict=True)
        ]
        rows.append(_tokens(tokenizer, ids, kinds))
    return MaskView(rows)


def _plain(values) -> list[list[int]]:
    return values.tolist() if hasattr(values, "tolist") else values


def _tokens(tokenizer, ids: Sequence[int], kinds: Sequence[str]) -> list[Token]:
    special = {*tokenizer.all_special_ids, *tokenizer.get_added_vocab().values()}
    return [
        Token("pad", kind, special=False)
        if kind == "padding"
        else Token(visible(text), kind, i in special)
        for i, kind, text in zip(ids, kinds, pieces(tokenizer, ids), strict=True)
    ]
