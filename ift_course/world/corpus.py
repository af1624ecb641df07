"""The prose that the base model reads: facts, encyclopedia entries, stories, worked examples.

It contains no question, no instruction and no special token (`tests/world/test_corpus.py` checks
that), so whatever the base model can do with an instruction, it did not learn it here. The one
exception is a quoted greeting from the phrase book, "Hello, how are you?".
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from ift_course.world.comprehension import passage
from ift_course.world.facts import Fact, by_relation, by_subject, random_fact
from ift_course.world.grammar import capitalize
from ift_course.world.stories import review, story
from ift_course.world.varied_examples import varied_examples
from ift_course.world.worked_examples import worked_examples

COMPREHENSION_SHARE = 0.55


def statements(rng: random.Random) -> str:
    """One to five facts, each in one of its wordings."""
    return " ".join(rng.choice(random_fact(rng).statements()) for _ in range(rng.randint(1, 5)))


def one_relation(rng: random.Random) -> str:
    """Up to four facts of one relation in a row, as in a textbook."""
    related = rng.choice(list(by_relation().values()))
    chosen = rng.sample(related, min(len(related), 4))
    return " ".join(rng.choice(fact.statements()) for fact in chosen)


def entry(rng: random.Random) -> str:
    """An encyclopedia entry or a biography: all facts about one subject."""
    group = list(rng.choice([facts for facts in by_subject().values() if len(facts) > 2]))
    rng.shuffle(group)
    sentences = [rng.choice(group[0].statements())]
    for fact in group[1:]:
        sentence = rng.choice(fact.statements())
        sentences.append(_with_pronoun(sentence, fact) if rng.random() < 0.4 else sentence)
    return " ".join(sentences)


def _with_pronoun(sentence: str, fact: Fact) -> str:
    """The sentence with "It" or a first name where the subject opens it: "It eats mice."."""
    if fact.relation.subjects == "person":
        first_name = fact.subject.split()[0]
        return sentence.replace(fact.subject, first_name, 1)
    opening = f"The {fact.subject} "
    return f"It {sentence[len(opening) :]}" if sentence.startswith(opening) else sentence


def tale(rng: random.Random) -> str:
    """A story or a review."""
    return story(rng).text if rng.random() < 0.6 else review(rng).text


def comprehension(rng: random.Random) -> str:
    """One to three comprehension passages."""
    return "\n".join(passage(rng) for _ in range(rng.choice((1, 1, 2, 3))))


def document(
    rng: random.Random,
    comprehension_share: float = COMPREHENSION_SHARE,
    worked_examples_share: float = 0.0,
    varied_examples_share: float = 0.0,
) -> str:
    """Draw one document.

    The shares are probabilities from 0 to 1, in the order in which `Phase` of
    `ift_course.training` has them; there, and in the shipped model's `pretraining.json`, they are
    called `reading_share`, `practice_share` and `rehearsal_share`.

    Args:
        rng: Source of all random choices.
        comprehension_share: Probability of comprehension passages, if the document has no worked
            examples of either kind. The alternative is plain prose: facts, entries and stories.
        worked_examples_share: Probability of worked examples, if it has no varied ones.
        varied_examples_share: Probability of varied worked examples.
    """
    # A share of zero draws no number, so that the text of the earlier phases stays what it was.
    if varied_examples_share and rng.random() < varied_examples_share:
        return capitalize(varied_examples(rng))
    if worked_examples_share and rng.random() < worked_examples_share:
        return capitalize(worked_examples(rng))
    if rng.random() < comprehension_share:
        return capitalize(comprehension(rng))
    return rng.choices((statements, one_relation, entry, tale), (4, 2, 4, 0.8))[0](rng)


def documents(
    seed: int,
    comprehension_share: float = COMPREHENSION_SHARE,
    worked_examples_share: float = 0.0,
    varied_examples_share: float = 0.0,
) -> Iterator[str]:
    """An endless stream of documents that is the same for the same seed.

    Args:
        seed: Seed of all random choices.
        comprehension_share: As in `document`.
        worked_examples_share: As in `document`.
        varied_examples_share: As in `document`.
    """
    rng = random.Random(seed)
    while True:
        yield document(rng, comprehension_share, worked_examples_share, varied_examples_share)
