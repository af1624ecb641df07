"""The prose the base model reads: statements, entries, biographies, stories, and reading text.

No question, no instruction, no chat token ever appears in it (``tests/world/test_corpus.py``
holds it to that): whatever the base model can do with an instruction, it was not taught here.
The one exception is a quoted greeting of the phrase book, "Hello, how are you?".
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from .facts import Fact, by_relation, by_subject
from .grammar import capitalize
from .practice import practice
from .reading import passage, pick
from .rehearsal import rehearsal
from .stories import review, story

READING_SHARE = 0.55


def statements(rng: random.Random) -> str:
    """A few facts, each in one of its phrasings."""
    return " ".join(rng.choice(pick(rng).statements()) for _ in range(rng.randint(1, 5)))


def one_relation(rng: random.Random) -> str:
    """Facts of one relation in a row, as a textbook has them."""
    known = rng.choice(list(by_relation().values()))
    return " ".join(rng.choice(fact.statements()) for fact in rng.sample(known, min(len(known), 4)))


def entry(rng: random.Random) -> str:
    """An encyclopedia entry or a biography: what is known about one subject."""
    rich = [known for known in by_subject().values() if len(known) > 2]
    known = list(rng.choice(rich))
    rng.shuffle(known)
    sentences = [_statement(known[0], rng)]
    for fact in known[1:]:
        sentence = _statement(fact, rng)
        sentences.append(_with_pronoun(sentence, fact) if rng.random() < 0.4 else sentence)
    return " ".join(sentences)


def _statement(fact: Fact, rng: random.Random) -> str:
    return rng.choice(fact.statements())


def _with_pronoun(sentence: str, fact: Fact) -> str:
    """ "The owl eats mice." → "It eats mice." where the subject opens the sentence."""
    if fact.relation.subjects == "person":
        first = fact.subject.split()[0]
        return sentence.replace(fact.subject, first, 1)
    opening = f"The {fact.subject} "
    return f"It {sentence[len(opening) :]}" if sentence.startswith(opening) else sentence


def tale(rng: random.Random) -> str:
    """A story or a review, for its own sake."""
    return story(rng).text if rng.random() < 0.6 else review(rng).text


def reading(rng: random.Random) -> str:
    """One to three passages of reading text."""
    return "\n".join(passage(rng) for _ in range(rng.choice((1, 1, 2, 3))))


def document(
    rng: random.Random,
    reading_share: float = READING_SHARE,
    practice_share: float = 0.0,
    rehearsal_share: float = 0.0,
) -> str:
    """Draw one document: rehearsal, practice, reading text or plain prose, by these chances.

    Each share is one of what the shares before it left: of all documents, of all but rehearsal …
    """
    # A share of zero draws no number, so that the text of the earlier phases stays what it was.
    if rehearsal_share and rng.random() < rehearsal_share:
        return capitalize(rehearsal(rng))
    if practice_share and rng.random() < practice_share:
        return capitalize(practice(rng))
    if rng.random() < reading_share:
        return capitalize(reading(rng))
    return rng.choices((statements, one_relation, entry, tale), (4, 2, 4, 0.8))[0](rng)


def documents(seed: int, *shares: float, **named: float) -> Iterator[str]:
    """An endless, reproducible stream of documents; the shares are those of `document`."""
    rng = random.Random(seed)
    while True:
        yield document(rng, *shares, **named)
