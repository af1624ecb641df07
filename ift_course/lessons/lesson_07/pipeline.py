"""Lesson 07's pipeline: a writer makes new instructions, a teacher answers, a judge gives rewards.

After Wang et al. 2022 (Self-Instruct), arXiv:2212.10560: seed instructions, bootstrapping, a filter
against repetition; and a reward model as in lesson 05, which here judges the training data.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from ift_course.data.pairs import Pair, to_pairs
from ift_course.data.records import Record, user_text
from ift_course.evaluation.generate import Completion, generate_replies
from ift_course.evaluation.score import judge as strictly
from ift_course.lessons.lesson_05.experiment import merged, sft_stage
from ift_course.lessons.lesson_07.sizes import SIZES, StudentSizes
from ift_course.profile import Profile
from ift_course.world import tables
from ift_course.world.facts import Fact, by_relation, facts
from ift_course.world.flaws import rambling, wrong
from ift_course.world.preferences import Preference
from ift_course.world.splits import in_split
from ift_course.world.tasks import FACT_TASKS, Example, sample
from ift_course.world.verify import Answer

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from ift_course.training.preference.reward import RewardModel

    Loaded = tuple[PreTrainedModel, PreTrainedTokenizerBase]

N_SHOTS = 3  # instructions in the writer's prompt, before it writes one
# Ways to ask that are not among the world's own wordings, and that a writer makes up: each can come
# before any noun phrase.
LEADS = ("What is", "Who is", "Which is", "Name", "Give", "Give me", "Tell", "Tell me")
MISTAKES = 0.15  # the share of the judge's training pairs that are labeled the wrong way round


@dataclass(frozen=True)
class AnsweredInstruction:
    """A generated instruction, the teacher's answers to it, and the judge's rewards.

    Attributes:
        instruction: the text that the writer wrote.
        answers: of the teacher.
        rewards: of the judge, one for each answer; empty before it has judged.
    """

    instruction: str
    answers: tuple[Completion, ...]
    rewards: tuple[float, ...] = ()

    @property
    def right(self) -> list[bool]:
        """The verifier's verdict on each answer; False where the instruction is not understood."""
        example = to_question(self.instruction)
        if example is None:
            return [False] * len(self.answers)
        return list(strictly([example] * len(self.answers), self.answers).correct)


Pool = Sequence[AnsweredInstruction]


def to_question(instruction: str) -> Example | None:
    """The question about a fact that the instruction asks, with its verifier; None for nonsense.

    The world's own wordings are understood, and any noun phrase for a fact after any of the LEADS.
    Case and the punctuation at the end do not matter.
    """
    return _questions().get(_normalized(instruction))


@cache
def _questions() -> dict[str, Example]:
    questions: dict[str, Example] = {}
    for fact in facts():
        relation, subject = fact.relation, fact.subject
        others = tables.ALSO_RIGHT.get((relation.name, subject), ())
        known = [fact, *(Fact(relation, subject, other) for other in others)]
        answer = Answer("value", tuple(text for f in known for text in (f.value, *f.statements())))
        wordings = [(fact.fill(wording), "") for wording in relation.questions + relation.unseen]
        wordings += [(wording, subject) for wording in relation.inputs]
        wordings += [(f"{lead} {phrase}?", "") for phrase in fact.refs() for lead in LEADS]
        for instruction, input in wordings:
            example = Example(
                instruction, input, fact.value, relation.name, relation.family, subject, answer
            )
            questions.setdefault(_normalized(user_text(instruction, input)), example)
    return questions


def _normalized(text: str) -> str:
    return text.strip().rstrip(".?!").casefold()


def is_held_out(instruction: str) -> bool:
    """Whether the instruction asks about an entity that belongs to the exam."""
    example = to_question(instruction)
    if example is None:
        return False
    fact = next(f for f in by_relation()[example.task] if f.subject == example.entity)
    return in_split(fact, "test")


def seed_instructions(sizes: StudentSizes, seed: int) -> list[str]:
    """The few instructions that people wrote; all others are made from them."""
    examples = sample(sizes.seeds, seed=seed, tasks=FACT_TASKS)
    return [user_text(x.instruction, x.input) for x in examples]


def rouge_l(a: str, b: str) -> float:
    """The similarity of two texts, 0 to 1: the F-measure of their longest common subsequence.

    Lin 2004 (ROUGE), with lower-case words as `str.split` gives them.
    """
    first, second = a.lower().split(), b.lower().split()
    row = [0] * (
        len(second) + 1
    )  # for each prefix of b, the length of the longest common subsequence
    for word in first:
        before, row = row, [0]
        for j, other in enumerate(second):
            row.append(before[j] + 1 if word == other else max(before[j + 1], row[j]))
    return 2 * row[-1] / max(1, len(first) + len(second))


def writer_prompt(instructions: Sequence[str]) -> str:
    """The writer's prompt: ask for one more instruction like these."""
    return "Write another instruction like these.\n" + "\n".join(instructions)


def fine_tune(
    profile: Profile,
    records: Sequence[Record],
    seed: int,
    start: Loaded | None = None,
    **options: Any,
) -> Loaded:
    """Fine-tune a fresh base, or a copy of `start`, on the records.

    Args:
        profile: whose base and settings to use.
        records: the training set.
        seed: of the training.
        start: (model, tokenizer), left as they are; None takes the base.
        options: further arguments of `sft`.

    Returns:
        (model, tokenizer), adapters merged.
    """
    from ift_course.training.open_model import load
    from ift_course.training.sft import sft

    sizes = SIZES[profile.name]
    if start is None:
        model, tokenizer = load("base", profile=profile.name)
    else:
        model, tokenizer = copy.deepcopy(start[0]), start[1]
    result = sft(
        model,
        tokenizer,
        records,
        seed=seed,
        learning_rate=sizes.rate,
        batch_size=sizes.batch,
        method=sizes.method,
        progress=False,
        **options,
    )
    return merged(result.model), tokenizer


def writer_stage(profile: Profile, start: Loaded, instructions: Sequence[str], seed: int) -> Loaded:
    """Fine-tune a copy of `start` to write one more instruction after three others.

    Args:
        profile: whose settings to use.
        start: (model, tokenizer), left as they are.
        instructions: each is the response once, after a random three of the others.
        seed: of the choice and of the training.
    """
    rng = random.Random(f"{seed}-writer")
    records = []
    for target in instructions:
        shots = rng.sample([x for x in instructions if x != target], N_SHOTS)
        records.append(Record.from_instruction(writer_prompt(shots), "", target))
    # The same steps for few instructions and for many: only their variety differs.
    return fine_tune(profile, records, seed, start, max_steps=SIZES[profile.name].writer_steps)


def write_instructions(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    known: Sequence[str],
    n: int,
    *,
    seed: int,
    sizes: StudentSizes,
) -> list[Completion]:
    """Sample n instructions from the writer, each prompted with three of the known ones."""
    rng = random.Random(f"{seed}-write")
    return generate_replies(
        model,
        tokenizer,
        [writer_prompt(rng.sample(known, N_SHOTS)) for _ in range(n)],
        temperature=sizes.writer_temperature,
        seed=seed,
        max_new_tokens=sizes.tokens,
    )


def teacher_stage(profile: Profile, seed: int) -> Loaded:
    """(model, tokenizer): the SFT model of lesson 05, which imitates flawed demonstrations."""
    return sft_stage(profile, seed)


def sample_answers(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    instructions: Sequence[str],
    *,
    seed: int,
    sizes: StudentSizes,
    answers: int,
) -> list[AnsweredInstruction]:
    """Sample the model's answers to each instruction, at the temperature in `sizes`.

    Args:
        model: the teacher.
        tokenizer: of the model.
        instructions: its prompts.
        seed: of the sampling.
        sizes: the temperature and the length of an answer.
        answers: how many for each instruction.
    """
    replies = generate_replies(
        model,
        tokenizer,
        [text for text in instructions for _ in range(answers)],
        temperature=sizes.temperature,
        seed=seed,
        max_new_tokens=sizes.tokens,
    )
    return [
        AnsweredInstruction(text, tuple(replies[i * answers : (i + 1) * answers]))
        for i, text in enumerate(instructions)
    ]


def judge_pairs(n: int, seed: int) -> list[Pair]:
    """The right answer against a wrong one, and as often against itself with more after it."""
    rng = random.Random(f"{seed}-facts")
    flaws = (wrong, rambling)
    return to_pairs(
        Preference(example, flaws[i % 2](example, rng).response, flaws[i % 2].__name__)
        for i, example in enumerate(sample(n, seed=seed, tasks=FACT_TASKS))
    )


def with_mistakes(pairs: Sequence[Pair], seed: int, share: float = MISTAKES) -> list[Pair]:
    """The pairs with a share of them labeled the wrong way round, as by human annotators."""
    mistakes = set(random.Random(seed).sample(range(len(pairs)), round(share * len(pairs))))
    return [pair.swapped if i in mistakes else pair for i, pair in enumerate(pairs)]


def judge_stage(
    sizes: StudentSizes,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    seed: int,
) -> RewardModel:
    """Train a reward model on the body of `model`, with `judge_pairs`."""
    from ift_course.training.preference.pairs import split
    from ift_course.training.preference.reward import train_reward

    pairs = with_mistakes(judge_pairs(sizes.pairs, seed), seed)
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
        batch_size=sizes.batch,
        learning_rate=sizes.judge_rate,
    )


def with_rewards(pool: Pool, judge: RewardModel) -> list[AnsweredInstruction]:
    """The pool with the judge's rewards."""
    conversations = [
        Record.from_instruction(item.instruction, "", answer.text).messages
        for item in pool
        for answer in item.answers
    ]
    rewards = iter(judge.rewards(conversations).tolist())
    return [
        replace(item, rewards=tuple(round(next(rewards), 3) for _ in item.answers)) for item in pool
    ]
