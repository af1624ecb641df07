"""A playground for questions to models: widgets with a kernel, example answers without one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ift_course.data.records import user_text
from ift_course.evaluation.generate import generate_replies
from ift_course.plots.transcript import Transcript, TranscriptRow, transcript
from ift_course.plots.widgets import display_both

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

EXAMPLES = (
    ("What is the capital of France?", ""),
    ("Translate the following English sentence into Spanish.", "Hello, how are you?"),
    ("Name the sound of the owl.", ""),
)


class Playground:
    """Boxes for an instruction and an input, models, a temperature, and the models' answers.

    Displaying the playground shows both of its forms: `widget` is interactive, and `static`, the
    table of example answers, is what a notebook keeps without a kernel.
    """

    def __init__(
        self,
        models: Mapping[str, tuple[PreTrainedModel, PreTrainedTokenizerBase]],
        examples: Sequence[tuple[str, str]] = EXAMPLES,
        max_new_tokens: int = 40,
    ) -> None:
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
        """Let models answer questions.

        Args:
            questions: Pairs of an instruction and an input, which may be empty.
            names: Of the models; None means all.
            temperature: 0 for greedy decoding.
            seed: Of the sampling.
        """
        prompts = [user_text(instruction, input) for instruction, input in questions]
        replies = {
            name: generate_replies(
                *self.models[name],
                prompts,
                max_new_tokens=self.max_new_tokens,
                temperature=temperature,
                seed=seed,
            )
            for name in (self.models if names is None else names)
        }
        return transcript(
            [
                TranscriptRow(prompt, {name: replies[name][i] for name in replies})
                for i, prompt in enumerate(prompts)
            ]
        )

    @cached_property
    def static(self) -> Transcript:
        """The greedy answers of all models to the examples."""
        return self.ask(self.examples)

    @cached_property
    def widget(self) -> Controls:
        """The boxes and buttons, created on first use."""
        return Controls(self)

    def _ipython_display_(self) -> None:
        display_both(
            self.widget.box,
            self.static,
            hint="Run this cell to ask your own questions. Some answers:",
        )


class Controls:
    """The widgets, all of them in `box`, and the action of the button Ask."""

    def __init__(self, playground: Playground) -> None:
        import ipywidgets as widgets

        self.playground = playground
        first, first_input = playground.examples[0] if playground.examples else ("", "")
        wide = widgets.Layout(width="95%")
        self.instruction = widgets.Text(first, description="Instruction", layout=wide)
        self.input = widgets.Text(first_input, description="Input", layout=wide)
        names = list(playground.models)
        self.model_boxes = [widgets.Checkbox(True, description=n, indent=False) for n in names]
        self.temperature = widgets.FloatSlider(0.0, min=0.0, max=1.5, step=0.1,
                                               description="Temperature")  # fmt: skip
        self.button = widgets.Button(description="Ask", button_style="primary")
        self.answers = widgets.HTML()
        self.question_count = 0
        self.button.on_click(self.ask)
        self.box = widgets.VBox(
            [
                self.instruction,
                self.input,
                widgets.HBox([*self.model_boxes, self.temperature, self.button]),
                self.answers,
            ]
        )

    def ask(self, _: object = None) -> None:
        """Show the answers of the selected models to the question in the boxes."""
        names = [str(box.description) for box in self.model_boxes if box.value]
        instruction = str(self.instruction.value).strip()
        if not names or not instruction:
            self.answers.value = "Choose a model and write an instruction."
            return
        self.question_count += 1  # the seed: another sample each time, unless the temperature is 0
        question = (instruction, str(self.input.value).strip())
        self.button.disabled = True
        try:
            temperature = float(self.temperature.value or 0)
            table = self.playground.ask([question], names, temperature, self.question_count)
            self.answers.value = table.html()
        finally:
            self.button.disabled = False


def playground(
    models: Mapping[str, tuple[PreTrainedModel, PreTrainedTokenizerBase]], **options: Any
) -> Playground:
    """A playground for models, given as {"base": (model, tokenizer), ...}.

    Args:
        models: Pairs of a model and its tokenizer, by name.
        options: `examples`, a list of (instruction, input) pairs for the static table, and
            `max_new_tokens` for each answer.
    """
    return Playground(models, **options)
