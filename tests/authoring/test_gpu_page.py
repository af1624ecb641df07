"""The pages show what benchmarks/gpu.py measured, or say that it was not run."""

from __future__ import annotations

import json

from ift_course.authoring import gpu_page
from ift_course.authoring.generated_docs import benchmark_pages

MEMORY = {"model": "Moo", "method": "qlora", "optimizer": "adamw", "chunked_loss": True,
          "checkpointing": True, "predicted": 2**31}  # fmt: skip
PARTS = {
    "memory-8b": [
        {**MEMORY, "measured": 2**31 + 2**24, "error": -0.0078},
        {**MEMORY, "method": "full", "not_measured": "needs 130.0 GB, and 20.0 GB are free"},
    ],
    "nf4": [
        {"other_codes": 3, "weights": 4096, "largest_difference": 0.01, "largest_weight": 0.1},
        {"other_codes": 0, "weights": 4096, "largest_difference": 0.0, "largest_weight": 0.1},
    ],
    "fp16": [{"method": "lora", "precision": "fp16", "steps": 30, "finite": False,
              "first_loss": 9.0, "last_loss": 8.5, "skipped": 2}],
    "speed": [
        {"what": "product of matrices", "flops": 5e14},
        {"what": "ours", "model": "Moo", "method": "lora", "tokens_per_second": [900.0, 1100.0],
         "share_of_peak": 0.31},
    ],
    "two-processes": [{"ratio": 1.9, "steps": 24, "largest_loss_difference": 0.0021}],
    "gemma": [{"lesson": "04", "arm": "LoRA", "seconds": 12.0, "numbers": {"tokens/s": 512}}],
}  # fmt: skip


def report(**changes):
    machine = {"device": "an abacus", "gpus": 1, "gb": 24.0, "torch": "3.0", "bitsandbytes": "1.0"}
    parts = {
        name: {"date": "2027-01-02", "status": "done", "sentence": "", "rows": rows}
        for name, rows in PARTS.items()
    }
    parts["gemma"] |= {"status": "stopped", "sentence": "Its time was over."}
    return {"tiny": False, "machine": machine, "parts": parts, **changes}


def test_every_part_is_shown_with_its_numbers():
    page = gpu_page.results(report())
    for text in (
        "Run on 2027-01-02: 1 × an abacus (24.0 GB), torch 3.0, bitsandbytes 1.0.",
        "| Moo | qlora | adamw | chunked | on | 2.00 GB | 2.02 GB | −0.8 % |",
        "needs 130.0 GB, and 20.0 GB are free",
        "3 of 8,192 codes differ", "at most 0.1 of the largest weight",
        "| lora | fp16 | 30 | **no** | 9.000 → 8.500 | 2 |",
        "500 TFLOPS", "| Moo | lora | `ift sft` | 1,000 | 31 % |",
        "1.90 times the tokens per second", "at most 0.0021",
        "| 04 | LoRA | 12 | tokens/s 512 |",
        "`gemma` stopped: Its time was over.",
    ):  # fmt: skip
        assert text in page, text


def test_without_a_run_of_real_sizes_the_pages_say_that_there_was_none(tmp_path):
    docs, benchmarks = tmp_path / "docs", tmp_path / "benchmarks"
    docs.mkdir()
    benchmarks.mkdir()
    for name in ("scaling.md", "platforms.md"):
        (docs / name).write_text(f"before\n{gpu_page.BEGIN}\nold\n{gpu_page.END}\nafter\n")
    (benchmarks / "gpu.json").write_text(json.dumps(report(tiny=True)))
    for text in benchmark_pages(docs, benchmarks).values():
        assert text == f"before\n{gpu_page.BEGIN}\n{gpu_page.NOT_RUN}{gpu_page.END}\nafter\n"
    (benchmarks / "gpu.json").write_text(json.dumps(report()))
    pages = benchmark_pages(docs, benchmarks)
    assert "an abacus" in pages[docs / "platforms.md"] and "| Moo |" in pages[docs / "scaling.md"]


def test_a_part_without_results_is_left_out():
    failed = report()
    failed["parts"]["speed"] = {"date": "2027-01-03", "status": "failed", "rows": [],
                                "sentence": "RuntimeError: no beads"}  # fmt: skip
    page = gpu_page.results(failed)
    assert "Run on 2027-01-02 to 2027-01-03" in page
    assert "TFLOPS" not in page and "`speed` failed: RuntimeError: no beads" in page
