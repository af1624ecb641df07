"""Lesson 04 on a real base model: LoRA and QLoRA with the lesson's own script.

The base is tuned on 48 examples of the course set, once with its frozen weights in 16 bits (in 32
where the CPU has no fast bf16) and once in 4. Measured are the peak memory of a step, beside what
`ift memory` predicts, the speed, the loss, and some replies. In the notebook, `real_panel("04")`
shows what is stored of it.

The code is that of the lesson's script: transformers, PEFT and TRL, nothing else. Questions are
plain text ("Question: … Answer:"), because LoRA does not train the rows of turn tokens.
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean
from typing import TYPE_CHECKING, Any, Literal

from ift_course.data import course_set
from ift_course.evaluation.items import read_items
from ift_course.hardware import bf16_is_fast
from ift_course.lessons.real_answers import store_replies
from ift_course.lessons.real_model import (
    Recipe,
    answer,
    plain_ids,
    sft_config,
    steps_callback,
)
from ift_course.memory.estimate import estimate_memory
from ift_course.memory.measure import peak_bytes
from ift_course.models.load import base_folder
from ift_course.models.quiet import quiet
from ift_course.panels.panel import Measurement
from ift_course.panels.real_part import Arm, Job, OnStep, RealPart, ignore

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase
    from trl import SFTTrainer

Method = Literal["lora", "qlora"]
Pair = dict[str, str]  # "prompt" and "completion"

RECIPE = Recipe(max_new_tokens=64)
N_EXAMPLES = 48  # the first ones of the training file, which have one of every kind
N_OPEN = 4  # questions to be read: the first ones of the file of open questions
LAST_STEPS = 10  # whose mean loss is shown
MB = 10**6
BASE, LORA, QLORA = "base", "LoRA", "QLoRA"


def real_part() -> RealPart:
    """What lesson 04 measures on the real model."""
    return RealPart(
        lesson="04",
        title=f"A real base model tuned on {N_EXAMPLES} examples, its frozen weights in 16 bits "
        "(LoRA) and in 4 (QLoRA)",
        data={name: course_set.path(name) for name in ("train", "open")},
        recipe=RECIPE.settings | {"examples": N_EXAMPLES},
        arms=(
            Arm(BASE, ask_base, n_seeds=1),
            Arm(LORA, partial(tune_and_ask, method="lora")),
            Arm(QLORA, partial(tune_and_ask, method="qlora")),
        ),
    )


def ask_base(job: Job) -> Measurement:
    """Let the base answer the questions in the script's format."""
    model, tokenizer = load(job, "lora")
    return _replies(job, model, tokenizer)


def tune_and_ask(job: Job, method: Method) -> Measurement:
    """Tune the base, and ask it; measure the memory of a step before, on its own model."""
    pairs = [_pair(row["messages"]) for row in course_set.load("train")[:N_EXAMPLES]]
    memory = step_memory(job, method, pairs)
    gc.collect()
    model, tokenizer = load(job, method)
    with tempfile.TemporaryDirectory() as folder, quiet():
        trainer = make_trainer(model, tokenizer, pairs, job.seed, folder, on_step=job.on_step)
        started = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - started
    history = trainer.state.log_history
    losses = [round(entry["loss"], 4) for entry in history if "loss" in entry]
    n_tokens = max(entry.get("num_tokens", 0) for entry in history)
    tuned: Any = trainer.model
    replies = _replies(job, tuned.eval(), tokenizer)
    return replies.model_copy(
        update={
            "losses": losses,
            "seconds": {"training": round(seconds, 1)} | replies.seconds,
            "quantities": {
                "peak of a step, MB": round(memory.measured / MB),
                "predicted, MB": round(memory.predicted / MB),
                "tokens/s": round(n_tokens / seconds),
                f"loss, last {LAST_STEPS} steps": round(fmean(losses[-LAST_STEPS:]), 3),
            },
        }
    )


@dataclass(frozen=True)
class StepMemory:
    """Bytes of one training step: the allocator's peak, and what `ift memory` predicts."""

    measured: int
    predicted: int


def step_memory(job: Job, method: Method, pairs: Sequence[Pair]) -> StepMemory:
    """Measure two steps on a batch of the longest examples.

    Args:
        job: Whose base is tuned.
        method: "lora" or "qlora".
        pairs: The training examples.
    """
    import torch

    _, tokenizer = load(job, method)

    def length(pair: Pair) -> int:
        ids = tokenizer(pair["prompt"] + pair["completion"])["input_ids"]
        return min(len(ids) + 1, RECIPE.max_length)  # the end of the text is appended

    longest = sorted(pairs, key=length)[-RECIPE.batch_size :]
    with tempfile.TemporaryDirectory() as folder, quiet():

        def start() -> SFTTrainer:
            model, tokenizer = load(job, method)
            for parameter in model.parameters():  # the file is mapped: count its weights, too
                parameter.data = parameter.data.clone()
            return make_trainer(model, tokenizer, longest, job.seed, folder, max_steps=2)

        measured = peak_bytes(start, lambda trainer: trainer.train())
    predicted = estimate_memory(
        base_folder(job.profile),
        method,
        seq=max(map(length, longest)),
        batch=len(longest),
        rank=RECIPE.rank,
        checkpointing=False,
        precision="mixed" if bf16_is_fast() else "fp32",
        chunked_loss=True,
        adapter_bytes=2 if method == "qlora" else 4,  # TRL casts those of a 4-bit model to bf16
        float32_vocab=method == "qlora",  # prepare_model_for_kbit_training
        triton=torch.cuda.is_available(),
    )
    return StepMemory(measured, predicted.allocated)


def load(job: Job, method: Method) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load the base in half precision where that is fast; with "qlora" in 4 bits.

    Args:
        job: Whose base is loaded.
        method: "lora" or "qlora".
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

    from ift_course.models.quantize import compute_dtype, patch_bitsandbytes

    folder, dtype = base_folder(job.profile), compute_dtype()
    four_bits = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )
    with quiet():
        tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
        model: Any = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=dtype,
            device_map={"": "cuda" if torch.cuda.is_available() else "cpu"},
            **({"quantization_config": four_bits} if method == "qlora" else {}),
        )
    if method == "qlora":
        patch_bitsandbytes(model)  # on a CPU alone: a GPU does not need it
    return model.eval(), tokenizer


def make_trainer(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    pairs: Sequence[Pair],
    seed: int,
    folder: str,
    max_steps: int = -1,
    on_step: OnStep = ignore,
) -> SFTTrainer:
    """Return TRL's trainer with LoRA on all linear layers.

    Args:
        model: The base, in 4 bits or not.
        tokenizer: Its tokenizer.
        pairs: Rows with "prompt" and "completion", of which TRL trains the completion.
        seed: Of the adapters' start and the order of the examples.
        folder: For what the trainer writes.
        max_steps: Stop after so many; -1 trains all epochs.
        on_step: Is called with "training", the steps taken, and all steps.
    """
    from datasets import Dataset
    from peft import LoraConfig, prepare_model_for_kbit_training
    from transformers import PrinterCallback, set_seed
    from trl import SFTTrainer

    set_seed(seed)
    if getattr(model, "is_loaded_in_4bit", False):
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    trainer = SFTTrainer(
        model=model,
        processing_class=tokenizer,
        train_dataset=Dataset.from_list([dict(pair) for pair in pairs]),
        args=sft_config(RECIPE, len(pairs), seed, folder, max_steps=max_steps),
        peft_config=LoraConfig(
            task_type="CAUSAL_LM",
            r=RECIPE.rank,
            lora_alpha=RECIPE.alpha,
            target_modules="all-linear",
        ),
        callbacks=[steps_callback(on_step)],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _replies(job: Job, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> Measurement:
    """Ask the open questions."""
    items = read_items(course_set.path("open"))[:N_OPEN]
    started = time.perf_counter()
    completions = answer(
        model,
        tokenizer,
        [plain_ids(tokenizer, f"Question: {item.prompt}\nAnswer:") for item in items],
        max_new_tokens=RECIPE.max_new_tokens,
        on_step=job.on_step,
    )
    return Measurement(
        replies=store_replies(items, completions),
        seconds={"answers": round(time.perf_counter() - started, 1)},
    )


def _pair(messages: Sequence[Mapping[str, Any]]) -> Pair:
    """A conversation as text: all turns before the last answer are the question."""
    *before, last = messages
    question = "\n".join(str(message["content"]) for message in before)
    return {"prompt": f"Question: {question}\nAnswer:", "completion": f" {last['content']}"}
