"""`ift memory` says whether a run fits a GPU, and what to change if it does not."""

import json
import re

import pytest
from typer.testing import CliRunner

from ift_course.cli import app
from ift_course.memory import GB, names


def ift(*arguments: object):
    # Wide, so that no line is broken in the middle of a text that a test looks for.
    return CliRunner(env={"COLUMNS": "160"}).invoke(app, ["memory", *map(str, arguments)])


def test_eight_billion_parameters_in_4_bits_item_by_item_and_gpu_by_gpu():
    result = ift("Llama-3.1-8B", "--method", "qlora", "--seq", 2048, "--batch", 1)
    assert result.exit_code == 0, result.output
    for item in ("weights", "quantization constants", "adapters", "optimizer", "activations",
                 "logits", "CUDA context"):  # fmt: skip
        assert re.search(rf"^{item} +\d+.*(GB|MB)", result.stdout, re.MULTILINE), item
    assert "█" in result.stdout
    assert "GPUs with enough memory: 12 GB, 16 GB, 24 GB" in result.stdout
    assert "Not measured, for lack of a GPU" in result.stdout


def test_a_gpu_that_is_too_small_gets_changes_that_make_it_fit():
    result = ift("Llama-3.2-1B", "--method", "full", "--batch", 4, "--gpu", 16)
    assert "It does not fit a GPU with 16 GB." in result.stdout
    totals = [float(x) for x in re.findall(r"^  \d\. .*, then ([\d.]+) GB", result.stdout, re.M)]
    assert totals == sorted(totals, reverse=True) and totals[-1] <= 0.95 * 16


def test_a_gpu_that_is_large_enough_gets_its_largest_batch():
    result = ift("SmolLM2-135M", "--method", "lora", "--seq", 512, "--gpu", 8)
    assert re.search(r"It fits a GPU with 8 GB, with [\d.]+ GB to spare", result.stdout)
    assert re.search(r"batch of \d+, or for sequences of [\d,]+ tokens", result.stdout)


def test_it_says_so_if_no_change_is_enough():
    assert "No change makes it fit" in ift("Qwen3-8B", "--gpu", 4).stdout


def test_a_program_reads_bytes_and_what_was_not_measured():
    result = ift("Qwen3-0.6B", "--method", "full", "--seq", 1024, "--gpu", 8, "--json")
    report = json.loads(result.stdout)
    assert report["total"] == sum(report["bytes"].values())
    assert report["allocated"] + report["cuda_context_assumed"] == report["total"]
    assert report["allocated"] == max(snapshot["total"] for snapshot in report["snapshots"])
    assert report["fits_gpus_of_gb"] == [
        gb for gb in (8, 12, 16, 24, 40, 48, 80, 141) if report["total"] <= 0.95 * gb * GB
    ]
    assert report["gpu"]["fits"] is (8 in report["fits_gpus_of_gb"])
    assert report["gpu"]["to_make_it_fit"][-1]["total"] <= 0.95 * 8 * GB
    assert "CUDA" in report["not_measured"]


def test_the_course_s_own_model_folder_is_read(tiny_llama_dir):
    report = json.loads(ift(tiny_llama_dir, "--method", "full", "--seq", 64, "--json").stdout)
    assert report["parameters"] == report["trained_parameters"] < 100_000


def test_an_unknown_model_gets_one_sentence_with_the_names():
    result = ift("Llama-9-900B")
    assert result.exit_code == 2
    assert result.stderr.startswith('There is no model "Llama-9-900B"')
    assert all(name in result.stderr for name in names()) and "Traceback" not in result.output


@pytest.mark.parametrize("wrong", [("--seq", 0), ("--gpu", 0), ("--method", "dora")])
def test_a_wrong_value_is_refused(wrong):
    assert ift("Qwen3-8B", *wrong).exit_code == 2


def test_help_teaches_with_an_example():
    assert "ift memory Llama-3.1-8B --method qlora --seq 2048 --gpu 12" in ift("--help").stdout
