"""SmolLM2-135M-Instruct as writer and judge for lesson 07: measured once, stored, and read.

    python -m ift_course.lessons.lesson_07.judging

computes it anew; it needs the extra `[real]` and a few minutes. With IFT_RESULTS=results it
replaces the published file. The pairs are questions of the course set, each with an answer that its
verifier accepts and one that it refuses, so that the verifier's verdict is known.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from ift_course.data import course_set
from ift_course.disk import atomic_write_text
from ift_course.errors import CourseError
from ift_course.evaluation.judge import RUBRIC, AnswerPair, Opinion, asking, judge_pairs
from ift_course.evaluation.judge import Verdict as JudgeVerdict
from ift_course.paths import evidence_root, results_path

PROFILE, FILE = "smollm2", "07-judge.json"
N_PAIRS, N_WRITTEN, N_SHOTS = 60, 24, 3


class Judgment(BaseModel):
    """One pair and what the judge thinks of it.

    Attributes:
        question: what was asked.
        first, second: the answers.
        right: "first" or "second", as the verifier says.
        forward, swapped: log-probability of each letter, with the first answer as A and as B.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str
    first: str
    second: str
    right: str
    forward: dict[str, float]
    swapped: dict[str, float]

    @property
    def verdict(self) -> JudgeVerdict:
        """The two opinions as a verdict."""
        opinions = [self.forward, self.swapped]
        pair = AnswerPair(self.question, self.first, self.second)
        return judge_pairs(lambda prompts: opinions, [pair])[0]


class StoredJudge(BaseModel):
    """What the model judged and wrote, and where.

    Attributes:
        model: its name.
        date, machine, seconds: of the measurement.
        rubric: that it was given.
        judgments: one for each pair.
        written: instructions that it wrote after three examples of the course set each.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    date: str
    machine: str
    seconds: float
    rubric: str
    judgments: list[Judgment]
    written: list[str]

    @property
    def verdicts(self) -> list[JudgeVerdict]:
        """The judge's verdicts."""
        return [x.verdict for x in self.judgments]

    @property
    def truth(self) -> list[str]:
        """The verifier's verdicts."""
        return [x.right for x in self.judgments]

    @property
    def origin(self) -> str:
        """What judged, when and where."""
        return f"stored: {self.model}, {self.date}, {self.machine}, {self.seconds:.0f} s"


def stored() -> StoredJudge:
    """What was measured: on this machine, or by the course.

    Raises:
        CourseError: there is no such file, or it is damaged.
    """
    own, published = results_path(PROFILE) / FILE, evidence_root() / PROFILE / FILE
    path = own if own.exists() else published
    command = "python -m ift_course.lessons.lesson_07.judging"
    if not path.exists():
        raise CourseError(f"{path} is missing; make it with: {command}")
    try:
        return StoredJudge.model_validate_json(path.read_bytes())
    except ValidationError:
        raise CourseError(f"{path} is damaged; delete it and run: {command}") from None


def pairs(n: int = N_PAIRS, seed: int = 0) -> tuple[list[AnswerPair], list[str]]:
    """Pairs of a right and a wrong answer in random order, and which one is right.

    Args:
        n: how many.
        seed: of the order.
    """
    rng = random.Random(seed)
    built, truth = [], []
    for row in course_set.load("prompts")[:n]:
        right, wrong = row["ideal"], row["wrong"][0]
        first_is_right = rng.random() < 0.5
        first, second = (right, wrong) if first_is_right else (wrong, right)
        built.append(AnswerPair(row["messages"][-1]["content"], first, second))
        truth.append("first" if first_is_right else "second")
    return built, truth


def writer_prompt(instructions: Sequence[str]) -> str:
    """Ask for one more instruction like these, as Self-Instruct does."""
    shown = "\n".join(f"{i}. {text}" for i, text in enumerate(instructions, 1))
    return (
        "Here are instructions that people gave to an assistant:\n"
        f"{shown}\nWrite one more instruction, different from these. Write the instruction only."
    )


def writer_prompts(n: int = N_WRITTEN, seed: int = 0) -> list[str]:
    """Prompts with random instructions of the course set in them."""
    rng = random.Random(seed)
    known = [
        row["messages"][0]["content"]
        for row in course_set.load("train")
        if len(row["messages"]) == 2
        and len(row["messages"][0]["content"]) < 80
        and "\n" not in row["messages"][0]["content"]
    ]
    return [writer_prompt(rng.sample(known, N_SHOTS)) for _ in range(n)]


def measure() -> StoredJudge:
    """Let the model judge and write.

    Raises:
        CourseError: it is not installed.
    """
    from ift_course.hardware import machine
    from ift_course.lessons.lesson_07.real import open_teacher, write

    model, tokenizer = open_teacher()
    built, truth = pairs()
    opinions: list[Opinion] = []
    ask = asking(model, tokenizer, on_batch=lambda done, total: print(f"judged {done}/{total}"))

    def remember(prompts: Sequence[str]) -> Sequence[Opinion]:
        opinions.extend(ask(prompts))
        return opinions

    started = time.perf_counter()
    judge_pairs(remember, built)
    turns = [[{"role": "user", "content": prompt}] for prompt in writer_prompts()]
    written = write(model, tokenizer, turns, max_new_tokens=40, n=1, temperature=0.8)
    rounded = [{letter: round(x, 3) for letter, x in opinion.items()} for opinion in opinions]
    return StoredJudge(
        model="SmolLM2-135M-Instruct",
        date=datetime.now(timezone.utc).date().isoformat(),
        machine=machine(),
        seconds=round(time.perf_counter() - started, 1),
        rubric=RUBRIC,
        judgments=[
            Judgment(
                question=pair.question, first=pair.first, second=pair.second, right=right,
                forward=rounded[2 * i], swapped=rounded[2 * i + 1],
            )
            for i, (pair, right) in enumerate(zip(built, truth, strict=True))
        ],
        written=[reply.text for [reply] in written],
    )  # fmt: skip


def write_file(path: Path, content: StoredJudge) -> None:
    """Write the file, one line for each judgment."""
    data = content.model_dump(mode="json")
    rows = ",\n".join(json.dumps(row, ensure_ascii=False) for row in data.pop("judgments"))
    head = json.dumps(data, ensure_ascii=False, indent=1)[:-2]
    atomic_write_text(path, f'{head},\n "judgments": [\n{rows}\n]}}\n')


def main() -> None:
    """Measure, and write the file."""
    folder = results_path(PROFILE)
    folder.mkdir(parents=True, exist_ok=True)
    write_file(folder / FILE, measure())
    print(folder / FILE)


if __name__ == "__main__":
    try:
        main()
    except CourseError as error:
        sys.exit(str(error))
