"""The sections of the lessons that explain the findings.

A test compares every heading with the notebooks, so that no finding leads nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from ift_course.links import repository_url


@dataclass(frozen=True)
class Section:
    """A section of a lesson.

    Attributes:
        notebook: the notebook's name, without its suffix.
        heading: the heading, as the notebook writes it.
    """

    notebook: str
    heading: str

    def __str__(self) -> str:
        return f"lesson {self.notebook[:2]}, “{self.heading}”"

    @property
    def url(self) -> str:
        """The address of the notebook, which opens at its beginning."""
        return f"{repository_url()}/blob/main/notebooks/{self.notebook}.ipynb"


FORMATTING, CURATING = "02_dataset_formatting", "09_curating_a_data_set"
DATA_SETS = Section(FORMATTING, "6. The data sets")
TEMPLATE = Section(FORMATTING, "3. The chat template")
MASK = Section(FORMATTING, "2. From a row to labels, by hand")
RECIPE = Section(FORMATTING, "8. The recipe in today's API")
LOSS_ON_PROMPT = Section(FORMATTING, "4. Which tokens does TRL train?")
NO_MARKS = Section(FORMATTING, "A template that marks too little")
NO_END = Section(FORMATTING, "The end is never learned")
TWO_BEGINNINGS = Section(FORMATTING, "Two beginnings, and rows that vanish")
OTHER_TEMPLATE = Section(FORMATTING, "Training with one template, asking with another")
VANISHED_ROWS = Section(FORMATTING, "Two beginnings, and rows that vanish")
DUPLICATES = Section(CURATING, "3. Duplicates")
FLAWED_POOL = Section(CURATING, "2. Rules of form")
LEAKED_TEST = Section(CURATING, "Rows that hold a test question")
NEW_TOKENS = Section("04_qlora_consumer_gpu", "5. Embedding rows frozen, or trained and not saved")
BROKEN_OFF = Section("07_synthetic_data", "Answers that broke off")
