"""Turn a finished pretraining run into the folder that is shipped: model, card, log, hashes."""

from __future__ import annotations

import copy
import json
import math
from dataclasses import asdict
from pathlib import Path

from ift_course.training.pretrain import PretrainConfig, Pretrained

TEMPLATE = Path(__file__).with_name("base_card.md.j2")


def machine() -> str:
    """Return the name of the GPU, or of the CPU and its number of cores, for the card."""
    from ift_course.hardware import detect

    hardware = detect()
    return hardware.gpu or f"{hardware.cpu}, {hardware.cores} cores"


def versions() -> str:
    """Return the versions of the libraries whose numerics determine the weights."""
    from importlib.metadata import version

    return ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "tokenizers"))


def publish(run: Pretrained, config: PretrainConfig, out: Path) -> None:
    """Write model (bfloat16), tokenizer, log, config, loss curve and hashes into a folder.

    Args:
        run: The finished run.
        config: Its settings.
        out: The folder.

    Raises:
        CourseError: The disk is full, or the folder cannot be written.
    """
    import torch

    from ift_course.models.save import save
    from ift_course.plots.charts import loss_curve

    model = copy.deepcopy(run.model)
    # The stubs of transformers lose the `self` of a wrapped method.
    model = model.to("cpu", torch.bfloat16)  # pyright: ignore[reportArgumentType, reportCallIssue]
    save(model, run.tokenizer, out)
    record = {"config": asdict(config), "corpus_sha256": run.corpus_sha256, "machine": machine(),
              "versions": versions(), "log": run.log}  # fmt: skip
    (out / "pretraining.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    curve = loss_curve([entry["loss"] for entry in run.log], xlabel="step / 25")
    curve.savefig(out / "curve.png")
    write_card(out, [])


def write_card(out: Path, scores: list[dict]) -> None:
    """Write the model card from the folder's log and its scores, and then SHA256SUMS.

    Args:
        out: The folder that `publish` wrote.
        scores: Acceptance results as plain data; empty if none were measured.
    """
    from jinja2 import Environment
    from safetensors import safe_open

    from ift_course.models.load import sha256

    record = json.loads((out / "pretraining.json").read_text(encoding="utf-8"))
    with safe_open(out / "model.safetensors", "np") as weights:
        shapes = [weights.get_slice(name).get_shape() for name in weights.keys()]  # noqa: SIM118
    count = sum(math.prod(shape) for shape in shapes)
    (out / "scores.json").write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8")
    template = TEMPLATE.read_text(encoding="utf-8")
    card = Environment(keep_trailing_newline=True).from_string(template).render(
        parameters=count, config=record["config"], corpus=record["corpus_sha256"],
        log=record["log"], machine=record["machine"], versions=record["versions"], scores=scores,
        weights=sha256(out / "model.safetensors"),
    )  # fmt: skip
    (out / "README.md").write_text(card, encoding="utf-8")
    files = sorted(p for p in out.iterdir() if p.is_file() and p.name != "SHA256SUMS")
    sums = "".join(f"{sha256(path)}  {path.name}\n" for path in files)
    (out / "SHA256SUMS").write_text(sums, encoding="utf-8")
