"""All parts, in the order in which they are measured."""

from gpu_parts.part import Part

PARTS = (
    Part(
        "memory-0.5b",
        "ift memory against the allocator: full, LoRA, QLoRA; optimizers; chunked loss",
        70,
        "gpu_parts.step_memory:small",
    ),
    Part("memory-1.7b", "the same with 1.7 billion parameters", 70, "gpu_parts.step_memory:middle"),
    Part("memory-8b", "the same with 8 billion parameters", 110, "gpu_parts.step_memory:large"),
    Part(
        "nf4", "NF4 by hand against bitsandbytes: codes, scales, weights", 30, "gpu_parts.nf4:run"
    ),
    Part("fp16", "ift sft in fp16: finite losses, skipped steps", 40, "gpu_parts.fp16:run"),
    Part(
        "speed",
        "ift sft against TRL with PEFT: tokens/s and the share of the peak FLOPS",
        90,
        "gpu_parts.speed:run",
    ),
    Part(
        "two-processes",
        "two GPUs under torchrun against one: losses and tokens/s",
        60,
        "gpu_parts.two_processes:run",
    ),
    Part(
        "gemma",
        "the lessons' measurements on Gemma 3 270M, where its weights are installed",
        120,
        "gpu_parts.gemma:run",
    ),
)
