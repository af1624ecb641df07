"""An exam taken: in a process of the sandbox for the work of others, in this one for one's own."""

from __future__ import annotations

import importlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ift_course.capstone.exam import Exam, Reply, judge
from ift_course.capstone.rules import ADAPTER, ADAPTER_SETTINGS, LONGEST_ANSWER, Refusal
from ift_course.capstone.submission import Submission
from ift_course.evaluation.intervals import Interval
from ift_course.evaluation.paired import share_interval
from ift_course.exercises.learner import LearnerError, LearnerLost

if TYPE_CHECKING:
    from ift_course.grading.sandbox import Sandbox, Worker

PART = 3 << 20  # bytes of an adapter in one message to the sandbox
SECONDS = 180.0  # for one submission; an exam of 200 questions takes about five
MEMORY_MB = 1_536  # on top of what Python and torch take
LONGEST_TEXT = 40 * LONGEST_ANSWER  # characters of a reply that are kept
PRELOAD = ("torch", "numpy", "transformers", "safetensors.torch", "ift_course.evaluation.generate",
           "ift_course.models.load", "transformers.models.llama.modeling_llama")  # fmt: skip
SETUP = "from ift_course.capstone.answering import answer, receive"


@dataclass(frozen=True)
class ExamResult:
    """The replies to an exam, and what they are worth.

    Attributes:
        exam: The exam.
        replies: One for each question.
    """

    exam: Exam
    replies: Sequence[Reply]

    @cached_property
    def correct(self) -> list[bool]:
        """The strict verdicts, in the order of the questions."""
        return judge(self.exam, self.replies)

    @property
    def n_right(self) -> int:
        """The number of right replies."""
        return sum(self.correct)

    @property
    def score(self) -> float:
        """The share of right replies."""
        return self.n_right / len(self.correct)

    @property
    def interval(self) -> Interval:
        """The 95 % interval of the share, by Wilson's method."""
        return share_interval(self.n_right, len(self.correct))


def examine_own(files: Mapping[str, bytes], exam: Exam) -> ExamResult:
    """Let one's own adapter take an exam, in this process.

    Args:
        files: With the adapter and PEFT's settings, by name.
        exam: The exam.

    Raises:
        Refusal: The adapter cannot be used.
    """
    from ift_course.capstone.answering import answers_of

    replies = answers_of(files[ADAPTER], files[ADAPTER_SETTINGS], exam.questions)
    return ExamResult(exam, replies)


def require_sandbox() -> None:
    """Say at once where no sandbox exists.

    Raises:
        CourseError: On Windows.
    """
    importlib.import_module("ift_course.grading.isolation")


def new_sandbox() -> Sandbox:
    """A sandbox for adapters, on systems that have one.

    Raises:
        CourseError: The system has none of its layers.
    """
    from ift_course.grading.sandbox import Sandbox

    return Sandbox(PRELOAD, memory_mb=MEMORY_MB)


def examine_in_sandbox(
    sandbox: Sandbox, submission: Submission, exam: Exam, seconds: float = SECONDS
) -> ExamResult:
    """Let somebody's adapter take an exam, in a process of its own that knows no answer.

    Args:
        sandbox: Of this thread.
        submission: A checked one.
        exam: The exam.
        seconds: After which the process is killed.

    Raises:
        Refusal: The adapter cannot be used, took too long, or ended its process.
        GraderFault: No process starts on this machine.
    """
    worker = sandbox.new_worker()
    worker.deadline = time.monotonic() + seconds
    try:
        return ExamResult(exam, _replies(worker, submission, exam))
    except LearnerError as error:
        if "Refusal" in error.kinds:
            raise Refusal("numbers", error.message) from None
        raise Refusal(
            "crash", f"The adapter could not be used ({error.kinds[0]}: {error.message[:200]}); "
            "save it again with save_pretrained, and try `ift exam`."
        ) from None  # fmt: skip
    except LearnerLost as error:
        raise Refusal("crash", f"The exam was stopped: {_lost(error)} Try `ift exam`.") from None
    finally:
        worker.close()
        sandbox.kill_worker()


def _replies(worker: Worker, submission: Submission, exam: Exam) -> list[Reply]:
    """The replies of a process that nobody trusts: exactly as many texts as questions."""
    import torch

    result = worker.run_cell(1, SETUP)
    if result.error:
        raise result.error
    content = bytearray(submission.files[ADAPTER])
    for start in range(0, len(content), PART):
        worker.call("receive", torch.frombuffer(content[start : start + PART], dtype=torch.uint8))
    settings = submission.files[ADAPTER_SETTINGS].decode("utf-8", "replace")
    answers = worker.call("answer", settings, exam.questions)
    if type(answers) is not list or len(answers) != exam.n_questions:
        raise LearnerLost("it gave no list of answers.")
    if not all(type(x) is tuple and list(map(type, x)) == [str, bool] for x in answers):
        raise LearnerLost("it gave answers that are no texts.")
    return [Reply(text[:LONGEST_TEXT], finished) for text, finished in answers]


def _lost(error: LearnerLost) -> str:
    text = str(error).replace("The code", "the adapter's process")
    return text if text.endswith(".") else f"{text}."
