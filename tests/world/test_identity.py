"""Facts, tasks, flaws, preferences and the corpus are byte for byte what the base model read.

All published measurements rest on this text, so a digest may change only together with a new base
model and new results. The digests cover values and their order, not the names of classes or fields.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import random
from dataclasses import astuple

import pytest

from ift_course.training.pretrain import PHASES
from ift_course.world.corpus import documents
from ift_course.world.facts import by_subject, facts, values
from ift_course.world.flaws import FLAWS, spoil
from ift_course.world.preferences import preferences
from ift_course.world.relations import RELATIONS
from ift_course.world.skills import SKILLS
from ift_course.world.splits import held_out
from ift_course.world.tasks import FAMILIES, HELD_OUT_FAMILIES, TASKS, sample

N_FACTS = 1150
FACTS = "ec5e2855816e8c25"
LOOKUPS = "05252ef3dcdaefb2"
RELATION_TABLE = "6e86c639be49ed26"
SKILL_TABLE = "f1d2e98e53b90344"
CASES = "fcc37473ce5549b8"
SPLITS = "b7d820f2d5433ebd"
SAMPLES = {
    ("train", False): "4a9f1c2b2558eaed",
    ("train", True): "4f2bf9485c518979",
    ("test", False): "87f923088b785c34",
    ("test", True): "b48762fdfc14105d",
}
FAMILY_SAMPLES = {
    "geography": "70c734f65a78e7f0",
    "animals": "167f7fbad5632283",
    "objects": "3053bc5444e0cfd3",
    "words": "37db501fb7b9461d",
    "translation": "db3ef7a201e8a776",
    "grammar": "ecb40cad143619db",
    "sequences": "ad6c211b18e5303b",
    "people": "7665f54d881e9d8b",
    "arithmetic": "09c2da64478c61a1",
    "lists": "ddb0f5ed9dfd35a5",
    "extraction": "ec9616fd4a7f4314",
    "summary": "1ea974279a90f2c2",
    "sentiment": "af2216c591bb2994",
    "format": "2faffd86eaedc1f8",
    "yes_no": "a18efd7a6845e517",
    "writing": "613e37ddf9dde4ff",
}
FLAWED = {
    "wrong": "f69e5c806b04aad7",
    "off_topic": "5113b813929981a7",
    "echoed": "7a3a518609193775",
    "truncated": "1ee8cea7115c0445",
    "rambling": "df12660e7f2acaba",
    "wrong_format": "b4f40f251788358d",
    "sycophantic": "ffad8270a3510368",
}
SPOILED = "86f241db9d2f76a0"
PREFERENCES = {"train": "142cd19cc3d8574c", "test": "50d73e3c1823537c"}
CORPUS = {
    "prose": "bf97405c0bc23f5f",
    "lookups": "276deed96c10b6fd",
    "worked examples": "a89901ca32b2c036",
    "varied examples": "4cfdf843c5f43494",
    "all kinds": "8e9d9315d4fd895b",
    "talk": "2f3de9dc617a20c8",
}


def digest(data: object) -> str:
    """First 16 hex digits of the SHA-256 of plain data as JSON."""
    return hashlib.sha256(json.dumps(data).encode()).hexdigest()[:16]


def test_facts_are_unchanged():
    triples = [(fact.relation.name, fact.subject, fact.value) for fact in facts()]
    assert len(triples) == N_FACTS
    assert digest(triples) == FACTS
    assert digest([list(by_subject()), list(values().items())]) == LOOKUPS


def test_wordings_are_unchanged():
    assert digest([astuple(relation) for relation in RELATIONS]) == RELATION_TABLE
    wordings = [(s.name, s.family, s.prose, s.questions, s.inputs, s.unseen) for s in SKILLS]
    assert digest(wordings) == SKILL_TABLE


def test_skills_draw_the_same_cases():
    rng = random.Random(0)
    assert digest([astuple(s.draw(rng)) for s in SKILLS for _ in range(40)]) == CASES


def test_splits_are_unchanged():
    kinds = sorted({relation.subjects for relation in RELATIONS})
    held_out_entities = [(kind, sorted(held_out(kind))) for kind in kinds]
    tasks = [(task.name, task.family) for task in TASKS]
    assert digest([held_out_entities, tasks, FAMILIES, HELD_OUT_FAMILIES]) == SPLITS


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("unseen_wording", [False, True])
def test_samples_are_unchanged(split, unseen_wording):
    examples = [
        example.to_dict()
        for seed in (0, 1, 7)
        for example in sample(180, seed=seed, split=split, unseen_wording=unseen_wording)
    ]
    assert digest(examples) == SAMPLES[split, unseen_wording]


@pytest.mark.parametrize("family", FAMILIES)
def test_samples_of_a_family_are_unchanged(family):
    examples = [
        example.to_dict()
        for split in ("train", "test")
        for example in sample(100, seed=3, split=split, families=[family])
    ]
    assert digest(examples) == FAMILY_SAMPLES[family]


@pytest.mark.parametrize("name", FLAWS)
def test_flaws_are_unchanged(name):
    rng = random.Random(4)
    examples = [FLAWS[name](example, rng).to_dict() for example in sample(120, seed=4)]
    assert digest(examples) == FLAWED[name]


def test_spoiled_sets_are_unchanged():
    spoiled = spoil(sample(120, seed=5), 0.5, seed=6, flaws=list(FLAWS))
    assert digest([example.to_dict() for example in spoiled]) == SPOILED


@pytest.mark.parametrize("split", ["train", "test"])
def test_preferences_are_unchanged(split):
    pairs = [astuple(pair) for pair in preferences(240, seed=8, split=split)]
    assert digest(pairs) == PREFERENCES[split]


@pytest.mark.parametrize("number", range(len(PHASES)))
def test_the_text_of_each_phase_is_unchanged(number):
    texts = list(itertools.islice(documents(1000 * number, PHASES[number].mixture), 3000))
    assert digest(texts) == CORPUS[PHASES[number].name]
