"""Ask the models yourself: widgets where there is a kernel, example answers where there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from ift_course.data.records import user_text
from ift_course.evaluation.generate import generate_replies
from ift_course.plots.transcript import Row, Transcript, transcript

EXAMPLES = (
    ("What is the capital of France?", ""),
    ("Translate the following English sentence into Spanish.", "Hello, how are you?"),
    ("Name the sound of the owl.", ""),
)


class Playground:
    """An instruction box, an input box, the models, a temperature, and their answers.

    `static` is the table of example answers that a notebook keeps without a kernel; `widget` is
    what one plays with. Showing the playground shows both.
    """

    def __init__(
        self,
        models: Mapping[str, tuple[Any, Any]],
        examples: Sequence[tuple[str, str]] = EXAMPLES,
        max_new_tokens: int = 40,
    ):
        self.models = dict(models)
        self.examples = list(examples)
        self.max_new_tokens = max_new_tokens

    def ask(
        self,
        questions: Sequence[tuple[str, str]],
        names: Sequence[str] | None = None,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> Transcript:
        """What the named models (None: all) answer to (instruction, input) pairs."""
        texts = [user_text(instruction, input) for instruction, input in questions]
        said = {
            name: generate_replies(
                *self.models[name],
                texts,
                max_new_tokens=self.max_new_tokens,
                temperature=temperature,
                seed=seed,
            )
            for name in (self.models if names is None else names)
        }
        return transcript(
            [Row(text, {n: said[n][i] for n in said}) for i, text in enumerate(texts)]
        )

    @cached_property
    def static(self) -> Transcript:
        """The greedy answers of all models to the examples."""
        return self.ask(self.examples)

    @cached_property
    def widget(self) -> Controls:
        """The boxes and buttons, made when they are first needed."""
        return Controls(self)

    def _ipython_display_(self) -> None:
        from IPython.display import display

        bundle = self.widget.box._repr_mimebundle_()
        # Where no widget can be drawn, as on GitHub, this line stands in its place.
        bundle["text/plain"] = "Run this cell to ask your own questions. Some answers:"
        display(bundle, raw=True)
        display(self.static)


class Controls:
    """The widgets, all in `box`, and what happens when one presses Ask."""

    def __init__(self, playground: Playground):
        import ipywidgets as widgets

        self.playground = playground
        first, first_input = playground.examples[0] if playground.examples else ("", "")
        wide = widgets.Layout(width="95%")
        self.instruction = widgets.Text(first, description="Instruction", layout=wide)
        self.input = widgets.Text(first_input, description="Input", layout=wide)
        names = list(playground.models)
        self.chosen = [widgets.Checkbox(True, description=n, indent=False) for n in names]
        self.temperature = widgets.FloatSlider(0.0, min=0.0, max=1.5, step=0.1,
                                               description="Temperature")  # fmt: skip
        self.button = widgets.Button(description="Ask", button_style="primary")
        self.answers = widgets.HTML()
        self.asked = 0
        self.button.on_click(self.ask)
        self.box = widgets.VBox(
            [
                self.instruction,
                self.input,
                widgets.HBox([*self.chosen, self.temperature, self.button]),
                self.answers,
            ]
        )

    def ask(self, _=None) -> None:
        names = [box.description for box in self.chosen if box.value]
        if not names or not self.instruction.value.strip():
            self.answers.value = "Choose a model and write an instruction."
            return
        self.asked += 1  # another sample each time, unless the temperature is 0
        question = (self.instruction.value.strip(), self.input.value.strip())
        self.button.disabled = True
        try:
            table = self.playground.ask([question], names, self.temperature.value, self.asked)
            self.answers.value = table.html()
        finally:
            self.button.disabled = False


def playground(models: Mapping[str, tuple[Any, Any]], **options) -> Playground:
    """A playground for models given as {"base": (model, tokenizer), ...}.

    options: examples, a list of (instruction, input) pairs answered in the static table;
        max_new_tokens for each answer.
    """
    return Playground(models, **options)
