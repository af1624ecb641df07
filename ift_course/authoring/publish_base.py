"""From a finished pretraining run to the shipped folder: model, card, log and hashes."""

from __future__ import annotations

import copy
import itertools
import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ift_course.training.assistant import DIALOGUES
from ift_course.training.pretrain import PretrainConfig, Pretrained


def machine() -> str:
    """Name of the GPU, or name and cores of the CPU, for the card."""
    from ift_course.hardware import detect

    hardware = detect()
    return hardware.gpu or f"{hardware.cpu}, {hardware.cores} cores"


def versions() -> str:
    """Versions of the libraries whose numerics decide the weights."""
    from importlib.metadata import version

    return ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "tokenizers"))


def first_pages(config: dict[str, Any], count: int = 10) -> list[list[str]]:
    """The first documents of each phase of a published config."""
    from ift_course.world.corpus import Mixture, documents

    streams = [
        documents(config["seed"] + 1000 * number, Mixture(**phase["mixture"]))
        for number, phase in enumerate(config["phases"])
    ]
    return [list(itertools.islice(stream, count)) for stream in streams]


def publish(run: Pretrained, config: PretrainConfig, out: Path) -> None:
    """Write model (bf16), tokenizer, log, config, curve and hashes to `out`.

    Raises:
        CourseError: The disk is full, or `out` cannot be written.
    """
    from ift_course.models.save import save
    from ift_course.plots.charts import loss_curve

    model = copy.deepcopy(run.model).cpu().bfloat16()
    save(model, run.tokenizer, out)
    details = {"config": asdict(config), "corpus_sha256": run.corpus_sha256, "machine": machine(),
               "versions": versions(), "log": run.log}  # fmt: skip
    (out / "pretraining.json").write_text(json.dumps(details, indent=1) + "\n", encoding="utf-8")
    curve = loss_curve([entry["loss"] for entry in run.log], xlabel="step / 25")
    curve.savefig(out / "curve.png")
    write_card(out, [])


def write_card(out: Path, scores: list[dict[str, Any]]) -> None:
    """Write the model card of the folder from its log and `scores`, then the SHA256SUMS."""
    from jinja2 import Environment, PackageLoader
    from safetensors import safe_open

    from ift_course.models.checksums import sha256, write_sums

    details = json.loads((out / "pretraining.json").read_text(encoding="utf-8"))
    with safe_open(out / "model.safetensors", "np") as weights:
        shapes = [weights.get_slice(name).get_shape() for name in weights.keys()]  # noqa: SIM118
    count = sum(math.prod(shape) for shape in shapes)
    (out / "scores.json").write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8")
    environment = Environment(
        loader=PackageLoader("ift_course", "authoring"), keep_trailing_newline=True
    )
    card = environment.get_template("base_card.md.j2").render(
        parameters=count, config=details["config"], corpus=details["corpus_sha256"],
        log=details["log"], machine=details["machine"], versions=details["versions"],
        scores=scores, dialogues=DIALOGUES, pages=first_pages(details["config"]),
        weights=sha256(out / "model.safetensors"),
    )  # fmt: skip
    (out / "README.md").write_text(card, encoding="utf-8")
    write_sums(out)
