"""The result of `ift eval`: every answer with its verdict, and the numbers made of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean, median
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ift_course.data.curation.overlap import Overlap
from ift_course.disk import atomic_write_text, disk_errors
from ift_course.errors import CourseError
from ift_course.evaluation.generate import Completion
from ift_course.evaluation.intervals import Interval
from ift_course.evaluation.items import Item, Use
from ift_course.evaluation.paired import share_interval

FORMAT: Literal["ift-eval-1"] = "ift-eval-1"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Answer(_Part):
    """One test item with a model's answer.

    Attributes:
        row: The item's row in the data file.
        key: Of the item, so that two results can be paired.
        category: The item's kind; "" if it has none.
        prompt: What was asked.
        reference: The answer in the file; "" if it has none.
        use: What judged the answer.
        answer: What the model wrote.
        finished: Whether it stopped by itself.
        right: The verdict; None if nothing judged the answer.
        fault: Why the answer is wrong; "" otherwise.
        leak: How the training file holds the question; "" if it does not.
    """

    row: int
    key: str
    category: str
    prompt: str
    reference: str
    use: Use
    answer: str
    finished: bool
    right: bool | None
    fault: str = ""
    leak: str = ""

    @property
    def n_words(self) -> int:
        """The length of the answer in words."""
        return len(self.answer.split())


class Share(_Part):
    """A share of right answers with its 95 % interval by Wilson's method.

    Attributes:
        right: Items with a right answer.
        n: Judged items.
    """

    right: int
    n: int

    @property
    def share(self) -> float:
        """Between 0 and 1."""
        return self.right / self.n

    @property
    def interval(self) -> Interval:
        """The 95 % interval of the share."""
        return share_interval(self.right, self.n)

    @classmethod
    def of(cls, answers: Sequence[Answer]) -> Share | None:
        """Return the share of the judged answers, or None if none was judged."""
        verdicts = [answer.right for answer in answers if answer.right is not None]
        return cls(right=sum(verdicts), n=len(verdicts)) if verdicts else None


class EvalResult(_Part):
    """What a model answered to a file of test items.

    Attributes:
        format: Of the file that holds the result.
        model: The model's name as the user gave it.
        data: The name of the data file.
        data_sha256: Of its content.
        train: The training file that was searched for the test's questions; "" for none.
        max_new_tokens: The limit for each answer.
        accept_cut: Whether answers that reached the limit were judged.
        answers: In the order of the file.
    """

    format: Literal["ift-eval-1"]
    model: str
    data: str
    data_sha256: str
    train: str = ""
    max_new_tokens: int
    accept_cut: bool = False
    answers: list[Answer]

    @property
    def total(self) -> Share | None:
        """The share over all judged answers; None if none was judged."""
        return Share.of(self.answers)

    @property
    def clean(self) -> Share | None:
        """The share without the questions that the training file holds, too."""
        return Share.of([answer for answer in self.answers if not answer.leak])

    @property
    def categories(self) -> dict[str, Share]:
        """The share of every category that has a judged answer, by name."""
        return {
            name: share
            for name, answers in by_category(self.answers).items()
            if (share := Share.of(answers))
        }

    @property
    def leaked(self) -> list[Answer]:
        """The answers to questions that the training file holds, too."""
        return [answer for answer in self.answers if answer.leak]

    @property
    def stopped(self) -> float:
        """The share of answers that the model ended by itself."""
        return fmean(answer.finished for answer in self.answers)

    @property
    def lengths(self) -> dict[str, float]:
        """Mean, median and largest number of words of an answer."""
        words = [answer.n_words for answer in self.answers]
        return {"mean": fmean(words), "median": median(words), "longest": max(words)}

    def summary(self) -> dict[str, Any]:
        """The numbers for `--json`; the answers stand beside them."""
        return {
            "score": share_numbers(self.total),
            "without_leaked": share_numbers(self.clean) if self.train else None,
            "categories": {name: share_numbers(share) for name, share in self.categories.items()},
            "stopped": self.stopped,
            "words": self.lengths,
            "leaked": len(self.leaked) if self.train else None,
        }

    def to_dict(self) -> dict[str, Any]:
        """The whole result as plain data, which `read_result` reads back."""
        return self.model_dump() | {"summary": self.summary()}

    def write(self, path: Path) -> None:
        """Write the result to a file, whole or not at all.

        Raises:
            CourseError: The file cannot be written.
        """
        import json

        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            atomic_write_text(path, json.dumps(self.to_dict(), ensure_ascii=False, indent=1) + "\n")


def share_numbers(share: Share | None) -> dict[str, float] | None:
    """A share as plain numbers."""
    if share is None:
        return None
    low, high = share.interval
    return {"right": share.right, "n": share.n, "share": share.share, "low": low, "high": high}


def by_category(answers: Sequence[Answer]) -> dict[str, list[Answer]]:
    """Answers by their category, sorted by name; those without one are left out."""
    groups: dict[str, list[Answer]] = {}
    for answer in answers:
        if answer.category:
            groups.setdefault(answer.category, []).append(answer)
    return dict(sorted(groups.items()))


def judge_answers(
    items: Sequence[Item],
    completions: Sequence[Completion],
    *,
    accept_cut: bool = False,
    leaks: Mapping[int, Overlap] | None = None,
    on_done: Callable[[int, int], None] | None = None,
) -> list[Answer]:
    """Judge a model's answers.

    Args:
        items: The questions.
        completions: The answers, in the same order.
        accept_cut: Judge an answer that reached the token limit, too; otherwise it is wrong.
        leaks: What the training file shares with an item, by the item's index.
        on_done: Is called with the number of judged answers, and of all.
    """
    answers = []
    for i, (item, completion) in enumerate(zip(items, completions, strict=True)):
        fault = item.fault(completion.text, completion.finished, accept_cut)
        leak = (leaks or {}).get(i)
        answers.append(
            Answer(
                row=item.number,
                key=item.key,
                category=item.category,
                prompt=item.prompt,
                reference=item.reference,
                use=item.use,
                answer=completion.text,
                finished=completion.finished,
                right=None if item.verifier is None else fault is None,
                fault=fault or "",
                leak=str(leak) if leak else "",
            )
        )
        if on_done:
            on_done(i + 1, len(items))
    return answers


def file_sha256(path: str | Path) -> str:
    """The SHA-256 of a data file, or of the names and sizes in a data folder."""
    path = Path(path)
    digest = hashlib.sha256()
    if path.is_dir():
        parts = sorted(p for p in path.rglob("*") if p.is_file())
        digest.update(repr([(p.name, p.stat().st_size) for p in parts]).encode())
    else:
        with path.open("rb") as file:
            while block := file.read(2**20):
                digest.update(block)
    return digest.hexdigest()


def is_result(path: str | Path) -> bool:
    """Return whether a path is a file, rather than the name or folder of a model."""
    return Path(path).is_file()


def read_result(path: str | Path) -> EvalResult:
    """Read what `ift eval --out` or `--json` wrote.

    Raises:
        CourseError: The file is not such a result, or it is damaged.
    """
    import json

    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        content.pop("summary", None)
        result = EvalResult.model_validate(content)
    except (OSError, ValueError, TypeError, AttributeError, RecursionError, ValidationError):
        raise CourseError(
            f"{path} is not a result of ift eval; make one with: "
            f"ift eval MODEL --data FILE --out {Path(path).name}"
        ) from None
    if not result.answers:
        raise CourseError(f"{path} holds no answers; run ift eval again.")
    return result
