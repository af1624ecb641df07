"""The model under diagnosis: its tokenizer, and what its folder says. Weights are not loaded."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ift_course.data.chat_templates import active_template, add_chatml, as_list, end_of_turn
from ift_course.data.hub import first_sentence
from ift_course.errors import CourseError
from ift_course.models import provenance
from ift_course.models.folders import ADAPTER_CONFIG, read_json
from ift_course.models.load import base_folder, hub_folder
from ift_course.models.lora_adapters import base_name
from ift_course.models.quiet import quiet
from ift_course.profile import get_profile
from ift_course.training.open_model import folder_of
from ift_course.training.tuning_run import DEFAULT_MAX_LENGTH

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "tokenizer.model", "vocab.json")
# Of a repository of the Hub; the weights would take minutes and gigabytes.
HUB_FILES = ("*.json", "*.jinja", "*.model", "*.txt")


@dataclass(frozen=True)
class Subject:
    """A model by its files.

    Attributes:
        name: how the user named it.
        folder: the folder of its files.
        own: its tokenizer, as it is on disk.
        tokenizer: the tokenizer as `ift sft` uses it: with ChatML if it has no template.
        max_length: tokens at which rows are cut.
    """

    name: str
    folder: Path
    own: PreTrainedTokenizerBase
    tokenizer: PreTrainedTokenizerBase
    max_length: int

    @property
    def has_template(self) -> bool:
        """Whether the tokenizer has a chat template of its own."""
        return bool(active_template(self.own))

    @cached_property
    def trained_template(self) -> str:
        """The fingerprint of the template in training, by the folder's record; "" without one."""
        tunings = provenance.read(self.folder)
        return tunings[-1].template_sha256 if tunings else ""

    @cached_property
    def template(self) -> str:
        """The chat template that `ift sft` uses."""
        return active_template(self.tokenizer) or ""

    @cached_property
    def end(self) -> int | None:
        """The id of the token that closes an answer."""
        return end_of_turn(self.tokenizer)

    @cached_property
    def stops(self) -> list[int] | None:
        """The ids at which generation stops; None if no file names them."""
        for name in ("generation_config.json", "config.json"):
            path = self.folder / name
            if path.exists() and (stops := read_json(path).get("eos_token_id")) is not None:
                return as_list(stops)
        return None

    def token(self, token_id: Any) -> str:
        """The text of a token id, for sentences."""
        return str(self.tokenizer.convert_ids_to_tokens([token_id])[0])


def open_subject(
    name: str, *, max_length: int | None = None, profile: str | None = None
) -> Subject:
    """Open the tokenizer and the configuration of a model.

    Args:
        name: "base", "sft", the folder of a model, an adapter or a tokenizer, or a hub id.
        max_length: tokens at which rows are cut; None means 1024. The model's own limit holds in
            any case.
        profile: decides which models "base" and "sft" are.

    Raises:
        CourseError: there is no such model, or it has no tokenizer that can be read.
    """
    folder = _folder(name, profile)
    own = _read_tokenizer(folder)
    tokenizer = copy.deepcopy(own)
    with quiet():
        if not active_template(tokenizer):
            add_chatml(tokenizer)
    limits = [max_length or DEFAULT_MAX_LENGTH]
    config = folder / "config.json"
    if config.exists():
        content = read_json(config)
        text_config = content.get("text_config") or {}
        limit = content.get("max_position_embeddings") or text_config.get("max_position_embeddings")
        limits += [limit] if isinstance(limit, int) else []
    return Subject(name, folder, own, tokenizer, min(limits))


def _folder(name: str, profile: str | None) -> Path:
    if name == "base":
        return base_folder(get_profile(profile))
    if name == "sft":
        return Path(folder_of(name, profile))
    path = Path(name).expanduser()
    if path.exists():
        return path
    if re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        return hub_folder(name, None, HUB_FILES)
    raise CourseError(
        f'There is no model "{name}": give base, sft, the path of a folder with a tokenizer, or a '
        "hub id such as HuggingFaceTB/SmolLM2-135M."
    )


def _read_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    if not folder.is_dir():
        raise CourseError(f"{folder} is not a folder; give the folder that holds tokenizer.json.")
    if not any((folder / name).exists() for name in TOKENIZER_FILES):
        if not (folder / ADAPTER_CONFIG).exists():
            raise CourseError(
                f"{folder} has no tokenizer (no tokenizer.json); give the folder of a model, or "
                "of its tokenizer."
            )
        return _read_tokenizer(_folder(base_name(folder), None))
    from transformers import AutoTokenizer

    try:
        with quiet():
            return AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except Exception as error:  # damaged files raise many kinds of errors, from Rust and Python
        raise CourseError(
            f"The tokenizer in {folder} cannot be read ({first_sentence(error)}); copy or "
            "download it again."
        ) from error
