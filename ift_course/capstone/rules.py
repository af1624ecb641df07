"""The budget of the capstone, and the caps on what a submission may hold."""

from __future__ import annotations

from ift_course.errors import CourseError

POOL_ROWS = 2_000  # raw rows that everybody chooses from
MOST_ROWS = 300  # of them, or of one's own, that an adapter may be trained on
MOST_STEPS = 200  # optimizer steps
MOST_BATCH = 32  # rows in a step
MOST_RANK = 64  # of LoRA
QUESTIONS = 200  # of an exam
MOST_QUESTIONS = 1_000
LONGEST_ANSWER = 40  # tokens; the longest ideal answer of the closed world takes about 30

DATA, SETTINGS, REPORT = "data.jsonl", "config.json", "report.md"
ADAPTER, ADAPTER_SETTINGS = "adapter_model.safetensors", "adapter_config.json"
MANIFEST = "manifest.json"
PARTS = (DATA, SETTINGS, REPORT, ADAPTER_SETTINGS, ADAPTER)  # what the manifest names
FORMAT = 1  # of the manifest

# Bytes of each file of a submission, and of the zip.
LARGEST = {
    MANIFEST: 16 << 10,
    SETTINGS: 16 << 10,
    REPORT: 64 << 10,
    ADAPTER_SETTINGS: 64 << 10,
    DATA: 1 << 20,
    ADAPTER: 12 << 20,
}
LARGEST_ZIP = 16 << 20
MOST_MEMBERS = 32  # files and folders in the zip


class Refusal(CourseError):
    """Why a submission is not accepted, in a sentence for its author.

    Attributes:
        kind: One word for it, such as "budget" or "pickle".
    """

    def __init__(self, kind: str, sentence: str):
        """Create the refusal.

        Args:
            kind: One word.
            sentence: What is wrong, and what to do.
        """
        super().__init__(sentence)
        self.kind = kind


def megabytes(size: int) -> str:
    """A number of bytes in MB, or in kB below one."""
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(1, round(size / 1e3))} kB"
