"""The models of the playground: the base, the course's assistant, and some that were tuned wrongly.

They are made by the course's own training, once, and kept in a folder as the site's scripts.
"""

from __future__ import annotations

import copy
import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from ift_site import playground_weights

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from ift_course.data.records import Record

Kind = Literal["base", "brief", "all"]
Trained = Literal["answer", "no-end", "everything"]
Loaded = tuple["PreTrainedModel", "PreTrainedTokenizerBase"]

SEED = 0
INDEX = "models.json"
CONVERSATIONS, EPOCHS = 640, 2  # of the models that are tuned wrongly
BRIEF = 448  # questions on facts, for tests: enough to answer, seconds to train
BATCH, LEARNING_RATE, LONGEST = 16, 4e-4, 192
PAIRS = 320
TITLES = {"no-end": "its end of turn left untrained", "everything": "its prompts trained, too"}


@dataclass(frozen=True)
class Model:
    """A model of the playground.

    Attributes:
        name: Of its files.
        title: What the page calls it.
        about: How it was made.
        origin: Name of the model it was tuned from, if it is stored as a difference.
        parts: The number of its files.
        megabytes: The size of its files.
        is_column: It is shown beside the others, and not chosen by a switch.
    """

    name: str
    title: str
    about: str
    origin: str | None
    parts: int
    megabytes: float
    is_column: bool


@dataclass(frozen=True)
class Models:
    """Models and their files.

    Attributes:
        all: The models; the origin of each comes before it.
        folder: Where their files are.
    """

    all: Sequence[Model]
    folder: Path

    @property
    def columns(self) -> list[Model]:
        """Those that are shown side by side."""
        return [model for model in self.all if model.is_column]

    @property
    def variants(self) -> list[Model]:
        """Those that were tuned wrongly."""
        return [model for model in self.all if not model.is_column]

    @cached_property
    def files(self) -> dict[str, str]:
        """The scripts with weights, and the one with config and tokenizer, by name."""
        names = ["describe.js"]
        names += [f"{x.name}.{i}.js" for x in self.all for i in range(x.parts)]
        return {name: (self.folder / name).read_text(encoding="utf-8") for name in names}


def models(kind: Kind, folder: Path) -> Models:
    """Return the models of a kind from `folder`, where they are made if need be.

    Args:
        kind: "base" is only that, in seconds; "brief" adds two that are tuned for seconds, for
            tests; "all" is what is published.
        folder: Where they are kept.
    """
    key = _key(kind)
    if stored := _stored(folder, key):
        return stored
    folder.mkdir(parents=True, exist_ok=True)
    made = _Workshop(folder)
    {"base": lambda _: None, "brief": _brief, "all": _all}[kind](made)
    text = json.dumps({"key": key, "models": [asdict(x) for x in made.all]}, indent=1)
    (folder / INDEX).write_text(text, encoding="utf-8")
    return Models(made.all, folder)


class _Workshop:
    """Writes models into a folder, the base first."""

    def __init__(self, folder: Path) -> None:
        from ift_course.training.open_model import load

        self.folder = folder
        self.all: list[Model] = []
        self.weights: dict[str, playground_weights.Quantized] = {}
        model, tokenizer = load("base", profile="tiny")
        values = json.dumps(playground_weights.description(model, tokenizer), ensure_ascii=False)
        (folder / "describe.js").write_text(f"iftPlayground.describe({values});\n", "utf-8")
        self.add("base", "Base", "pretrained on texts of the closed world, not tuned", model, None)

    def add(
        self, name: str, title: str, about: str, model: PreTrainedModel, origin: str | None,
        is_column: bool = True,
    ) -> None:  # fmt: skip
        """Write a model's scripts."""
        source = self.weights.get(origin or "")
        weights = self.weights[name] = playground_weights.quantize(model, source)
        texts = playground_weights.scripts(name, weights, source)
        for i, text in enumerate(texts):
            (self.folder / f"{name}.{i}.js").write_text(text, encoding="utf-8")
        size = sum(map(len, texts)) / 1e6
        self.all.append(Model(name, title, about, origin, len(texts), size, is_column))


def _brief(made: _Workshop) -> None:
    from ift_course.data.examples import to_records
    from ift_course.world.tasks import FACT_TASKS, sample

    records = to_records(sample(BRIEF, seed=SEED, tasks=FACT_TASKS))
    about = f"the base, tuned on {len(records)} questions and answers"
    made.add("sft", "SFT assistant", about, tune(records, "answer")[0], "base")
    about += ", without the end of turn"
    made.add("no-end", TITLES["no-end"], about, tune(records, "no-end")[0], "base", False)


def _all(made: _Workshop) -> None:
    from ift_course.data.examples import dialogue_records
    from ift_course.training.assistant import DIALOGUES
    from ift_course.training.open_model import load

    assistant, tokenizer = load("sft", profile="tiny")
    about = f"the base, tuned on {DIALOGUES:,} conversations"
    made.add("sft", "SFT assistant", about, assistant, "base")
    about = f"the SFT assistant after DPO on {PAIRS} pairs of a better and a worse answer"
    made.add("dpo", "DPO assistant", about, prefer(assistant, tokenizer), "sft")
    records = dialogue_records(CONVERSATIONS, seed=SEED)
    for trained, title in TITLES.items():
        about = f"the base, tuned on {len(records)} conversations, {title}"
        model = tune(records, cast("Trained", trained))[0]
        made.add(trained, title, about, model, "base", False)


def tune(records: Sequence[Record], trained: Trained) -> Loaded:
    """The base after SFT with the course's own loop.

    Args:
        records: Conversations.
        trained: What the loss is taken on: the answers with their ends of turn, as it should be;
            the answers without these ends; or everything.
    """
    from ift_course.data.loss_mask import IGNORE, collate, render_all
    from ift_course.from_scratch.training_loop import train
    from ift_course.training.open_model import load

    model, tokenizer = load("base", profile="tiny")
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    rows = []
    for ids, mask in render_all(tokenizer, [record.messages for record in records]):
        ids, mask = ids[:LONGEST], mask[:LONGEST]
        if trained == "everything":
            mask = [1] * len(ids)
        elif trained == "no-end":
            mask = [int(on and id != end) for id, on in zip(ids, mask, strict=True)]
        labels = [id if on else IGNORE for id, on in zip(ids, mask, strict=True)]
        rows.append({"input_ids": ids, "labels": labels})
    order = random.Random(SEED)
    shuffled = [row for _ in range(EPOCHS) for row in order.sample(rows, len(rows))]
    starts = range(0, len(shuffled), BATCH)
    pad = cast("int", tokenizer.pad_token_id)
    batches = (collate(shuffled[i : i + BATCH], pad) for i in starts)
    steps = len(starts)
    train(model, batches, steps=steps, learning_rate=LEARNING_RATE, warmup=steps // 20)
    return model.eval(), tokenizer


def prefer(assistant: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> PreTrainedModel:
    """A copy of the assistant after DPO on lesson 05's written pairs."""
    from ift_course.lessons.lesson_05.situations import preference_prompts, written_pairs
    from ift_course.lessons.lesson_05.sizes import SIZES
    from ift_course.training.preference.dpo import dpo

    sizes = SIZES["tiny"]
    pairs = written_pairs(preference_prompts(PAIRS, seed=SEED))
    options: dict[str, Any] = {"batch_size": sizes.batch, "learning_rate": sizes.dpo_rate}
    result = dpo(
        copy.deepcopy(assistant), tokenizer, pairs, seed=SEED, beta=sizes.beta,
        sft_weight=1.0, epochs=1.0, progress=False, **options,
    )  # fmt: skip
    return result.model


def _key(kind: Kind) -> str:
    """What the models depend on: the base, the assistant's recipe, and the code that makes them."""
    from ift_course.models.load import base_folder
    from ift_course.profile import get_profile
    from ift_course.training.assistant import RECIPE_FILE, assistant_folder

    profile = get_profile("tiny")
    paths = [base_folder(profile) / "SHA256SUMS", Path(__file__), Path(playground_weights.__file__)]
    if kind == "all":
        paths.append(assistant_folder(profile) / RECIPE_FILE)
    return hashlib.sha256(kind.encode() + b"".join(x.read_bytes() for x in paths)).hexdigest()


def _stored(folder: Path, key: str) -> Models | None:
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if index["key"] != key:
        return None
    result = Models([Model(**x) for x in index["models"]], folder)
    complete = all(
        (folder / f"{x.name}.{i}.js").is_file() for x in result.all for i in range(x.parts)
    )
    return result if complete else None
