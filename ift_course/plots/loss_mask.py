"""The loss-mask viewer: which tokens of a conversation a model is trained on.

    show_mask(tokenizer, record.messages)      one conversation, as the course renders it
    show_batch(tokenizer, **batch)             a batch, as the collator passes it to the model

Most silent failures of instruction tuning are visible here: a trained prompt, an end of turn
without a label, a sequence without any label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from ift_course.data.chat_templates import special_ids
from ift_course.data.loss_mask import IGNORE, render
from ift_course.plots.mask_tokens import KINDS, Token, broken_lines, count, pieces, visible

if TYPE_CHECKING:
    from rich.text import Text
    from torch import Tensor
    from transformers import PreTrainedTokenizerBase

    from ift_course.data.records import Record
    from ift_course.plots.figure import Picture


@dataclass(frozen=True)
class MaskView:
    """Sequences of tokens and their part in the loss: a picture, terminal text and plain text.

    Attributes:
        rows: The tokens of each sequence.
        captions: A line above each sequence. With them, lines do not break after newlines.
    """

    rows: Sequence[Sequence[Token]]
    captions: Sequence[str] = ()

    def count(self, kind: str) -> int:
        """How many tokens are of a kind: "trained", "ignored" or "padding"."""
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
        for row, caption in self._captioned:
            lines.extend(["", caption] if caption else [""])
            for line in broken_lines(row, compact=bool(caption)):
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
        for row, caption in self._captioned:
            text.append(f"\n{caption}" if caption else "")
            text.append("\n")
            for line in broken_lines(row, compact=bool(caption)):
                text.append("\n")
                for token in line:
                    italic = " italic" if token.special else ""
                    text.append(token.text, styles[token.kind] + italic)
        return text

    def figure(self) -> Picture:
        """The picture: trained tokens filled and bold, ignored ones framed, padding hatched."""
        from ift_course.plots.mask_picture import draw

        names = f" of {', '.join(self.captions)}" if self.captions else ""
        return draw(self.rows, f"Loss mask{names}, {self.summary}.", self.captions)

    @property
    def _captioned(self) -> list[tuple[Sequence[Token], str]]:
        return list(zip(self.rows, self.captions or [""] * len(self.rows), strict=True))

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = self.figure()._repr_mimebundle_()
        return data | {"text/plain": str(self)}, metadata


def show_mask(
    tokenizer: PreTrainedTokenizerBase,
    messages: Record | Sequence[dict[str, str]] | Sequence[Record | Sequence[dict[str, str]]],
) -> MaskView:
    """Show a conversation's tokens and which of them the loss covers, by `data.loss_mask.render`.

    Args:
        tokenizer: With a chat template.
        messages: A Record or a list of {"role", "content"}. A list of these is shown as a batch,
            padded on the right to the longest.
    """
    single = hasattr(messages, "messages") or isinstance(cast("Any", messages)[0], dict)
    batch = cast("Sequence[Any]", [messages] if single else messages)
    rendered = [render(tokenizer, getattr(item, "messages", item)) for item in batch]
    longest = max(len(ids) for ids, _ in rendered)
    rows = []
    for ids, mask in rendered:
        kinds = ["trained" if trained else "ignored" for trained in mask]
        padding = [Token("pad", "padding", special=False)] * (longest - len(ids))
        rows.append(_tokens(tokenizer, ids, kinds) + padding)
    return MaskView(rows)


def show_batch(
    tokenizer: PreTrainedTokenizerBase,
    input_ids: Tensor | Sequence[Sequence[int]],
    labels: Tensor | Sequence[Sequence[int]],
    attention_mask: Tensor | Sequence[Sequence[int]] | None = None,
    *,
    captions: Sequence[str] = (),
    **_: Any,
) -> MaskView:
    """Show the tokens of a batch and which of them the loss covers, according to its labels.

    Further keys are ignored, so that a collator's result can be passed unchanged.

    Args:
        tokenizer: The one that made the ids.
        input_ids: int64 tensor of shape (sequences, length), or nested lists.
        labels: As `input_ids`, not shifted, with -100 where there is no loss.
        attention_mask: As `input_ids`. Without it, no token counts as padding.
        captions: A line above each sequence; without them there are none.
    """
    rows = []
    for i, ids in enumerate(_to_lists(input_ids)):
        attended = _to_lists(attention_mask)[i] if attention_mask is not None else [1] * len(ids)
        kinds = [
            "trained" if label != IGNORE else "ignored" if visible_to_model else "padding"
            for label, visible_to_model in zip(_to_lists(labels)[i], attended, strict=True)
        ]
        rows.append(_tokens(tokenizer, ids, kinds))
    return MaskView(rows, captions)


def _to_lists(values: Tensor | Sequence[Sequence[int]]) -> Sequence[Sequence[int]]:
    return values if isinstance(values, Sequence) else values.tolist()


def _tokens(
    tokenizer: PreTrainedTokenizerBase, ids: Sequence[int], kinds: Sequence[str]
) -> list[Token]:
    special = special_ids(tokenizer)
    return [
        Token("pad", kind, special=False)
        if kind == "padding"
        else Token(visible(text), kind, i in special)
        for i, kind, text in zip(ids, kinds, pieces(tokenizer, ids), strict=True)
    ]
