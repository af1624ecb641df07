"""Short stories and reviews whose contents are known: who, what, where, when, and the opinion."""

from __future__ import annotations

import random
from dataclasses import dataclass

from ift_course.world.grammar import with_article
from ift_course.world.tables import CHARACTERS, DAYS, PRONOUNS

PLACES = (
    "park garden market library station kitchen church museum bakery harbor school "
    "theater forest shop"
).split()
THINGS = "kite book ball basket lamp scarf drum hat letter key boat flower cake clock".split()
COLORS = "red blue green yellow white black brown pink".split()
DEEDS = ("gave", "sold", "lent", "showed", "brought")
SCENERY = (
    "The sun was shining.",
    "It had rained all night.",
    "A dog ran past them.",
    "The church bell rang twice.",
    "Some children were singing.",
    "It was a cold morning.",
    "A little bird sat on a wall.",
    "The air smelled of fresh bread.",
    "Nobody else was there.",
    "They talked about the weather.",
)
ENDINGS = (
    "{B} was very happy.",
    "{B} smiled and went home.",
    "{B} thanked {A} many times.",
    "Then they walked home together.",
    "After that they drank some tea.",
    "{B} never forgot that day.",
)
OPENINGS = (
    "On {day}, {A} met {B} in the {place}.",
    "{A} went to the {place} on {day} and found {B} there.",
    "It was {day}, and {A} and {B} were in the {place}.",
    "One {day}, {A} saw {B} in the {place}.",
)


@dataclass(frozen=True)
class Story:
    """An event and the text that reports it.

    Attributes:
        giver: Name of the person who had the thing first.
        taker: Name of the other person.
        place: E.g. "park".
        day: Day of the week.
        thing: Color and noun, e.g. "red kite".
        deed: Verb in the past tense, e.g. "gave".
        text: Two to four sentences.
    """

    giver: str
    taker: str
    place: str
    day: str
    thing: str
    deed: str
    text: str

    @property
    def summary(self) -> str:
        """The event in one sentence."""
        thing = with_article(self.thing, "a")
        return f"{self.giver} {self.deed} {self.taker} {thing} in the {self.place}."

    @property
    def summaries(self) -> tuple[str, ...]:
        """Every sentence accepted as a summary: with or without the day, in either position."""
        body = self.summary[:-1]
        return (
            self.summary,
            f"{body} on {self.day}.",
            f"On {self.day}, {body}.",
            f"On {self.day} {body}.",
        )


def story(rng: random.Random) -> Story:
    """Draw a story of two to four sentences."""
    giver, taker = rng.sample(CHARACTERS, 2)
    place, day = rng.choice(PLACES), rng.choice(DAYS)
    thing = f"{rng.choice(COLORS)} {rng.choice(THINGS)}"
    deed = rng.choice(DEEDS)
    pronoun = PRONOUNS[giver]
    subject = rng.choice([giver, pronoun]) if pronoun != PRONOUNS[taker] else giver
    sentences = [
        rng.choice(OPENINGS).format(A=giver, B=taker, day=day, place=place),
        f"{subject} {deed} {taker} {with_article(thing, 'a')}.",
    ]
    if rng.random() < 0.6:
        sentences.insert(1, rng.choice(SCENERY))
    if rng.random() < 0.7:
        sentences.append(rng.choice(ENDINGS).format(A=giver, B=taker))
    return Story(giver, taker, place, day, thing, deed, " ".join(sentences))


REVIEWED = {
    "film": ("actors", "music", "ending"),
    "soup": ("smell", "taste", "color"),
    "hotel": ("rooms", "beds", "breakfast"),
    "book": ("pictures", "story", "ending"),
    "concert": ("singer", "music", "seats"),
    "restaurant": ("food", "waiter", "tables"),
    "museum": ("paintings", "guide", "rooms"),
    "train": ("seats", "windows", "driver"),
    "play": ("actors", "costumes", "story"),
    "bakery": ("bread", "cakes", "smell"),
}
PLURAL_PARTS = frozenset(
    "actors rooms beds pictures seats tables paintings windows costumes cakes".split()
)
PRAISE = "wonderful excellent lovely delightful superb charming splendid great".split()
BLAME = "terrible awful dreadful dull poor horrible disappointing boring".split()
PRAISE_ENDINGS = (
    "I will come again.",
    "I enjoyed every minute.",
    "Everyone should try it.",
    "I loved it.",
)
BLAME_ENDINGS = (
    "I will never come again.",
    "I wanted to leave at once.",
    "Nobody should try it.",
    "I hated it.",
)


@dataclass(frozen=True)
class Review:
    """An opinion about a thing.

    Attributes:
        about: E.g. "film".
        sentiment: "positive" or "negative".
        text: Two or three sentences.
    """

    about: str
    sentiment: str
    text: str


def review(rng: random.Random) -> Review:
    """Draw a review of two or three sentences, clearly positive or clearly negative."""
    about = rng.choice(list(REVIEWED))
    sentiment = rng.choice(["positive", "negative"])
    words, endings = (PRAISE, PRAISE_ENDINGS) if sentiment == "positive" else (BLAME, BLAME_ENDINGS)
    first, second = rng.sample(words, 2)
    part = rng.choice(REVIEWED[about])
    verb = "were" if part in PLURAL_PARTS else "was"
    sentences = [f"The {about} was {first}.", f"The {part} {verb} {second}."]
    if rng.random() < 0.4:
        rng.shuffle(sentences)
    if rng.random() < 0.6:
        sentences.append(rng.choice(endings))
    return Review(about, sentiment, " ".join(sentences))
