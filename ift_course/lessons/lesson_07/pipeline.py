"""Lesson 07's pipeline: a writer makes instructions out of a few, a teacher answers, judges mark.

After Wang et al. 2022 (Self-Instruct), arXiv:2212.10560: seeds, bootstrapping, a filter against
repetition; and the judge of lesson 05, which here marks what will be learned from.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from ift_course.data.pairs import Pair, to_pairs
from ift_course.data.records import Record, user_text
from ift_course.evaluation.generate import Completion, generate_replies
from ift_course.evaluation.score import judge as strictly
from ift_course.lessons.lesson_05 import flawed_demonstrations
from ift_course.lessons.lesson_05.experiment import merged, sft_stage
from ift_course.profile import Profile
from ift_course.world import tables
from ift_course.world.facts import Fact, by_relation, facts
from ift_course.world.flaws import rambling, wrong
from ift_course.world.preferences import Preference
from ift_course.world.splits import in_split
from ift_course.world.tasks import FACT_TASKS, Example, sample
from ift_course.world.verify import Answer

SHOWN = 3  # instructions that the writer is shown before it writes one
# Ways to ask that the world's own wordings lack, and a writer makes up: each goes with any phrase.
LEADS = ("What is", "Who is", "Which is", "Name", "Give", "Give me", "Tell", "Tell me")
MISTAKES = 0.15  # of the pairs that a judge learns from are marked the wrong way round


@dataclass(frozen=True)
class Plan:
    """The sizes of the lesson on one profile. method: "full", or "lora" for models of real size."""

    seeds: int = 116  # seed instructions, four of each kind
    instructions: int = 150  # of the pool
    answers: int = 10  # of the teacher to each, of which a tenth is kept
    temperature: float = 1.0  # of the answers
    writing: float = 0.7  # temperature of the instructions: a typing error makes one nonsense
    steps: int = 40  # of every student, so that all have the same compute
    batch: int = 16
    pairs: int = 480  # for each judge
    judge_rate: float = 2e-4
    exam: int = 150
    tokens: int = 40  # of an answer or an instruction, at most
    writer_steps: int = 60
    method: str = "full"
    rate: float | None = None
    repeats: int = 1  # as many times the profile's seeds, in steps of ten


PLANS = {
    "tiny": Plan(rate=4e-4, repeats=2),
    "smollm2": Plan(
        instructions=40, writing=0.5, steps=12, batch=4, pairs=48, exam=24, tokens=30,
        writer_steps=40, method="lora", rate=2e-3,
    ),
    "t4": Plan(method="lora", batch=8),
    "gpu24": Plan(method="lora"),
}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """A generated instruction, the teacher's answers to it, and what judges gave for each.

    rewards: a judge's name → one reward for each answer.
    """

    instruction: str
    answers: tuple[Completion, ...]
    rewards: dict[str, tuple[float, ...]]

    @property
    def right(self) -> list[bool]:
        """The verifier's verdicts; an instruction that the world does not know has no right one."""
        example = meaning(self.instruction)
        if example is None:
            return [False] * len(self.answers)
        return list(strictly([example] * len(self.answers), self.answers).correct)


Pool = Sequence[Asked]


def meaning(instruction: str) -> Example | None:
    """The question about a fact that the instruction asks, with its verifier; None for nonsense.

    Known are the world's own wordings, and any noun phrase for a fact after any of the LEADS. Case
    and the mark at the end do not matter: a writer confuses them, and nobody minds.
    """
    return _questions().get(_spelled(instruction))


@cache
def _questions() -> dict[str, Example]:
    found = {}
    for fact in facts():
        relation, subject = fact.relation, fact.subject
        others = tables.ALSO_RIGHT.get((relation.name, subject), ())
        known = [fact, *(Fact(relation, subject, other) for other in others)]
        answer = Answer("value", tuple(text for f in known for text in (f.value, *f.statements())))
        asked = [(fact.fill(wording), "") for wording in relation.questions + relation.unseen]
        asked += [(wording, subject) for wording in relation.inputs]
        asked += [(f"{lead} {phrase}?", "") for phrase in fact.refs() for lead in LEADS]
        for instruction, given in asked:
            example = Example(
                instruction, given, fact.value, relation.name, relation.family, subject, answer
            )
            found.setdefault(_spelled(user_text(instruction, given)), example)
    return found


def _spelled(text: str) -> str:
    return text.strip().rstrip(".?!").casefold()


def held_out(instruction: str) -> bool:
    """Whether the instruction asks about an entity that belongs to the exam."""
    example = meaning(instruction)
    if example is None:
        return False
    fact = next(f for f in by_relation()[example.task] if f.subject == example.entity)
    return in_split(fact, "test")


def seed_instructions(plan: Plan, seed: int) -> list[str]:
    """The few instructions that people wrote; all else is made from them."""
    drawn = sample(plan.seeds, seed=seed, tasks=FACT_TASKS)
    return [user_text(x.instruction, x.input) for x in drawn]


def rouge_l(a: str, b: str) -> float:
    """How alike two texts are, 0 to 1: the longest common subsequence of their words, in shares.

    The F-measure of Lin 2004 (ROUGE), with words as `str.split` gives them in small letters.
    """
    first, second = a.lower().split(), b.lower().split()
    row = [0] * (len(second) + 1)  # for each beginning of b, its subsequence in common with a
    for word in first:
        before, row = row, [0]
        for j, other in enumerate(second):
            row.append(before[j] + 1 if word == other else max(before[j + 1], row[j]))
    return 2 * row[-1] / max(1, len(first) + len(second))


def request(shown: Sequence[str]) -> str:
    """What the writer is asked: one more like these."""
    return "Write another instruction like these.\n" + "\n".join(shown)


def tuned(profile: Profile, records: Sequence[Record], seed: int, body=None, **options):
    """(model, tokenizer): a fresh base, or a copy of `body`, after SFT on the records.

    body: (model, tokenizer), left as they are.
    """
    from ift_course.training.open_model import load
    from ift_course.training.sft import sft

    plan = PLANS[profile.name]
    if body is None:
        model, tokenizer = load("base", profile=profile.name)
    else:
        model, tokenizer = copy.deepcopy(body[0]), body[1]
    result = sft(
        model,
        tokenizer,
        records,
        seed=seed,
        learning_rate=plan.rate,
        batch_size=plan.batch,
        method=plan.method,
        progress=False,
        **options,
    )
    return merged(result.model), tokenizer


def writer_stage(profile: Profile, body, instructions: Sequence[str], seed: int):
    """(model, tokenizer): the body, tuned to write one more instruction after three others."""
    rng = random.Random(f"{seed}-writer")
    rows = []
    for written in instructions:
        shown = rng.sample([x for x in instructions if x != written], SHOWN)
        rows.append(Record.from_instruction(request(shown), "", written))
    # The same steps for few instructions and for many: only their variety differs.
    return tuned(profile, rows, seed, body, max_steps=PLANS[profile.name].writer_steps)


def write(
    model, tokenizer, known: Sequence[str], n: int, *, seed: int, plan: Plan
) -> list[Completion]:
    """n instructions as the writer draws them, each after three of the known ones."""
    rng = random.Random(f"{seed}-write")
    return generate_replies(
        model,
        tokenizer,
        [request(rng.sample(known, SHOWN)) for _ in range(n)],
        temperature=plan.writing,
        seed=seed,
        max_new_tokens=plan.tokens,
    )


def teacher_stage(profile: Profile, seed: int):
    """(model, tokenizer): the SFT model of lesson 05, which copied careless people."""
    return sft_stage(profile, seed)


def ask(
    model, tokenizer, instructions: Sequence[str], *, seed: int, plan: Plan, answers: int
) -> list[Asked]:
    """The model's answers to each instruction, drawn with the plan's temperature."""
    drawn = generate_replies(
        model,
        tokenizer,
        [text for text in instructions for _ in range(answers)],
        temperature=plan.temperature,
        seed=seed,
        max_new_tokens=plan.tokens,
    )
    return [
        Asked(text, tuple(drawn[i * answers : (i + 1) * answers]), {})
        for i, text in enumerate(instructions)
    ]


def habit_pairs(n: int, seed: int) -> list[Pair]:
    """Lesson 05's pairs: short against rambling, honest against agreeing, and no fact in doubt."""
    return to_pairs(flawed_demonstrations.careful_pairs(n, seed=seed))


def fact_pairs(n: int, seed: int) -> list[Pair]:
    """The right answer against a wrong one, and as often against itself with more behind it."""
    rng = random.Random(f"{seed}-facts")
    flaws = (wrong, rambling)
    return to_pairs(
        Preference(example, flaws[i % 2](example, rng).response, flaws[i % 2].__name__)
        for i, example in enumerate(sample(n, seed=seed, tasks=FACT_TASKS))
    )


JUDGES = {"habits": habit_pairs, "facts": fact_pairs}


def with_mistakes(pairs: Sequence[Pair], seed: int, share: float = MISTAKES) -> list[Pair]:
    """The pairs with a share of them marked the wrong way round, as people do."""
    wrong_ones = set(random.Random(seed).sample(range(len(pairs)), round(share * len(pairs))))
    return [pair.swapped if i in wrong_ones else pair for i, pair in enumerate(pairs)]


def judge_stage(plan: Plan, model, tokenizer, name: str, seed: int):
    """A reward model on the body of `model`, trained on the pairs of that name in JUDGES."""
    from ift_course.training.preference.pairs import split
    from ift_course.training.preference.reward import train_reward

    pairs = with_mistakes(JUDGES[name](plan.pairs, seed), seed)
    # A few rare first letters share a token with the line break of the prompt.
    pairs = [
        pair
        for pair in pairs
        if split(tokenizer, pair.chosen_messages)[0] == split(tokenizer, pair.rejected_messages)[0]
    ]
    return train_reward(
        model,
        tokenizer,
        pairs,
        seed=seed,
        batch_size=plan.batch,
        learning_rate=plan.judge_rate,
    )


def marked(pool: Pool, name: str, judge) -> list[Asked]:
    """The pool with the judge's rewards under that name."""
    texts = [
        Record.from_instruction(asked.instruction, "", said.text).messages
        for asked in pool
        for said in asked.answers
    ]
    rewards = iter(judge.rewards(texts).tolist())
    return [
        replace(
            asked,
            rewards=asked.rewards | {name: tuple(round(next(rewards), 3) for _ in asked.answers)},
        )
        for asked in pool
    ]
