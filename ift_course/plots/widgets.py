"""Display of a widget together with its static form, which a notebook keeps without a kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ipywidgets import Widget


def display_both(widget: Widget, static: Any, *, hint: str) -> None:
    """Display a widget, and below it the static form.

    Args:
        widget: The interactive form.
        static: Everything that a reader without a kernel should see.
        hint: A line that takes the widget's place where no widget can be drawn, as on GitHub.
    """
    from IPython.display import display

    bundle = dict(widget._repr_mimebundle_() or {})
    bundle["text/plain"] = hint
    display(bundle, raw=True)
    display(static)
