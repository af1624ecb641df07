"""Conversations in the chat formats of several model families: a widget with a static picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from ift_course.data.chat_templates import STYLES, with_chat_format
from ift_course.plots.loss_mask import MaskView, show_mask
from ift_course.plots.widgets import display_both

if TYPE_CHECKING:
    from ipywidgets import VBox
    from transformers import PreTrainedTokenizerBase


class FormatExplorer:
    """Menus of conversations and chat formats, with the tokens that a model would be trained on.

    Displaying the explorer shows both of its forms: `widget` is interactive, and `static`, with the
    first conversation in the first format, is what a notebook keeps without a kernel.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        conversations: Mapping[str, Sequence[dict[str, str]]],
        styles: Sequence[str],
    ) -> None:
        self.conversations = dict(conversations)
        self._tokenizers = {name: with_chat_format(tokenizer, name) for name in styles}

    def view(self, conversation: str, style: str) -> MaskView:
        """The mask viewer of one conversation in one format."""
        return show_mask(self._tokenizers[style], self.conversations[conversation])

    @cached_property
    def static(self) -> MaskView:
        """The first conversation in the first format."""
        return self.view(next(iter(self.conversations)), next(iter(self._tokenizers)))

    @cached_property
    def widget(self) -> VBox:
        """Two menus and the picture, created on first use."""
        import ipywidgets as widgets

        conversation = widgets.Dropdown(options=list(self.conversations), description="Record")
        style = widgets.Dropdown(options=list(self._tokenizers), description="Template")
        first = self.view(str(conversation.value), str(style.value))
        image = widgets.Image(value=first.figure().png(), format="png", width=800)

        def draw(_: object = None) -> None:
            view = self.view(str(conversation.value), str(style.value))
            image.value = view.figure().png()

        for menu in (conversation, style):
            menu.observe(draw, names="value")
        return widgets.VBox([widgets.HBox([conversation, style]), image])

    def _ipython_display_(self) -> None:
        display_both(
            self.widget,
            self.static,
            hint="Run this cell to choose a record and a template. One of them:",
        )


def explore_formats(
    tokenizer: PreTrainedTokenizerBase,
    conversations: Mapping[str, Sequence[dict[str, str]]],
    styles: Sequence[str] = tuple(STYLES),
) -> FormatExplorer:
    """An explorer of conversations in chat formats.

    Args:
        tokenizer: Its vocabulary gets the special tokens of each format.
        conversations: Lists of {"role", "content"} by name.
        styles: Names of formats in `data.chat_templates.STYLES`.
    """
    return FormatExplorer(tokenizer, conversations, styles)
