"""What the base model reads: prose first, then worked tasks in prose.

*Prose* is facts, encyclopedia entries, tables, stories, reviews, strangers and refrains. *Worked
tasks in prose* are the passages of `comprehension`, `worked_examples`, `varied_examples`,
`drills` and `talk`: somebody wants to know something and finds it. The field calls training on such
text *mid-training*.

No text contains a question, an instruction or a special token (`tests/world/test_corpus.py` checks
that). The one exception is a greeting in the phrase book, "Hello, how are you?".
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import astuple, dataclass

from ift_course.world.collections import listing
from ift_course.world.comprehension import passage
from ift_course.world.drills import drills
from ift_course.world.facts import Fact, by_relation, by_subject, facts, random_fact
from ift_course.world.grammar import capitalize
from ift_course.world.stories import review, story
from ift_course.world.strangers import refrain, strangers
from ift_course.world.talk import talk
from ift_course.world.varied_examples import varied_examples
from ift_course.world.worked_examples import worked_examples

# Share of all documents that are random strings which repeat: they teach the model to copy.
REFRAIN_SHARE = 0.1
# Share of the prose that has each sentence on a line of its own: a word has one token inside a line
# and another at its start, and the model has to meet it in both places.
LINES_SHARE = 0.3


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


def table(rng: random.Random) -> str:
    """A table of one relation or of one subject, with a cell on each line or several on one."""
    groups = by_relation() if rng.random() < 0.6 else by_subject()
    group = rng.choice([facts for facts in groups.values() if len(facts) > 1])
    chosen = rng.sample(group, min(len(group), rng.randint(2, 6)))
    if groups is by_relation():
        title = f"{chosen[0].relation.label}"
        rows = [(fact.subject, fact.value) for fact in chosen]
    else:
        title = chosen[0].subject
        rows = [(fact.relation.label, fact.value) for fact in chosen]
    between, quote = rng.choice((("\n", ""), ("\n", ""), (": ", ""), (" | ", ""), (": ", '"')))
    return "\n".join([title, *(f"{left}{between}{quote}{right}{quote}" for left, right in rows)])


def cards(rng: random.Random) -> str:
    """Cards with a noun phrase on the front and its value on the back, all in one layout."""
    front, back = rng.choice((("", "\n"), ("", ": "), ("Front: ", "\nBack: "), ("- ", "\n- ")))
    related = rng.choice([*by_relation().values(), facts()])
    chosen = rng.sample(related, min(len(related), rng.randint(2, 5)))
    gap = rng.choice(("\n", "\n\n"))
    return gap.join(
        f"{front}{capitalize(rng.choice(fact.refs()))}{back}{fact.value}" for fact in chosen
    )


def tale(rng: random.Random) -> str:
    """A story or a review."""
    return story(rng).text if rng.random() < 0.6 else review(rng).text


# Kinds of prose and how often each is drawn.
PROSE = {
    statements: 4.0,
    one_relation: 2.0,
    entry: 4.0,
    table: 2.5,
    listing: 0.7,
    tale: 0.8,
    strangers: 1.0,
}


def prose(rng: random.Random) -> str:
    """One document of prose, sometimes with each sentence on its own line."""
    write = rng.choices(list(PROSE), list(PROSE.values()))[0]
    text = capitalize(write(rng))
    return text.replace(". ", ".\n") if rng.random() < LINES_SHARE else text


def comprehension(rng: random.Random) -> str:
    """One to three comprehension passages, or a set of cards."""
    if rng.random() < 0.1:
        return cards(rng)
    return "\n".join(passage(rng) for _ in range(rng.choice((1, 1, 2, 3))))


@dataclass(frozen=True)
class Mixture:
    """Shares of the five kinds of worked tasks in the documents; prose is the rest.

    Attributes:
        comprehension: Passages in which somebody looks something up.
        worked_examples: The skills that turned out to be hard, in one layout.
        varied_examples: The same in many layouts.
        drills: What a base still could not do after these.
        talk: The words of people who speak and jot down.
    """

    comprehension: float = 0.0
    worked_examples: float = 0.0
    varied_examples: float = 0.0
    drills: float = 0.0
    talk: float = 0.0

    @property
    def prose(self) -> float:
        """Share of prose."""
        return 1 - sum(astuple(self))


def document(rng: random.Random, mixture: Mixture = Mixture()) -> str:
    """Draw one document.

    Args:
        rng: Source of all random choices.
        mixture: Shares of the kinds of text; prose only by default.
    """
    if rng.random() < REFRAIN_SHARE:
        return refrain(rng)
    shares = (mixture.prose, *astuple(mixture))
    kinds = (prose, comprehension, worked_examples, varied_examples, drills, talk)
    write = rng.choices(kinds, shares)[0]
    return capitalize(write(rng))


def documents(seed: int, mixture: Mixture = Mixture()) -> Iterator[str]:
    """An endless stream of documents that is the same for the same seed.

    Args:
        seed: Seed of all random choices.
        mixture: Shares of the kinds of text; prose only by default.
    """
    rng = random.Random(seed)
    while True:
        yield document(rng, mixture)
