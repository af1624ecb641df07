"""Any conversation in any family's format, token by token: a widget with a static picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from ift_course.data.chat_templates import STYLES, with_chat_format
from ift_course.plots.loss_mask import MaskView, show_mask


class FormatExplorer:
    """Choose a conversation and a style, and see what a model would see and be trained on.

    `static` is the first of both, which a notebook keeps without a kernel; `widget` is what one
    plays with. Showing the explorer shows both.
    """

    def __init__(
        self, tokenizer, conversations: Mapping[str, Sequence[dict]], styles: Sequence[str]
    ):
        self.conversations = dict(conversations)
        self._tokenizers = {name: with_chat_format(tokenizer, name) for name in styles}

    def view(self, conversation: str, style: str) -> MaskView:
        """The mask viewer of one conversation in one style."""
        return show_mask(self._tokenizers[style], self.conversations[conversation])

    @cached_property
    def static(self) -> MaskView:
        """The first conversation in the first style."""
        return self.view(next(iter(self.conversations)), next(iter(self._tokenizers)))

    @cached_property
    def widget(self):
        """Two menus and the picture, made when they are first needed."""
        import ipywidgets as widgets

        conversation = widgets.Dropdown(options=list(self.conversations), description="Record")
        style = widgets.Dropdown(options=list(self._tokenizers), description="Template")
        image = widgets.Image(value=self.static.figure().png(), format="png", width=800)

        def draw(_=None) -> None:
            image.value = self.view(conversation.value, style.value).figure().png()

        for menu in (conversation, style):
            menu.observe(draw, names="value")
        return widgets.VBox([widgets.HBox([conversation, style]), image])

    def _ipython_display_(self) -> None:
        from IPython.display import display

        bundle = self.widget._repr_mimebundle_()
        # Where no widget can be drawn, as on GitHub, this line stands in its place.
        bundle["text/plain"] = "Run this cell to choose a record and a template. One of them:"
        display(bundle, raw=True)
        display(self.static)


def explore_formats(
    tokenizer, conversations: Mapping[str, Sequence[dict]], styles: Sequence[str] = tuple(STYLES)
) -> FormatExplorer:
    """An explorer of named conversations, given as lists of {"role", "content"}."""
    return FormatExplorer(tokenizer, conversations, styles)
