"""`ift memory` answers: does it fit on my card, and what do I change?"""

import json
import re

import pytest
from typer.testing import CliRunner

from ift_course.cli import app
from ift_course.memory import GB, names


def ift(*arguments: object):
    # Wide, so that no line is broken in the middle of what is looked for.
    return CliRunner(env={"COLUMNS": "160"}).invoke(app, ["memory", *map(str, arguments)])


def test_eight_billion_in_4_bits_with_the_ledger_and_the_cards():
    done = ift("Llama-3.1-8B", "--method", "qlora", "--seq", 2048, "--batch", 1)
    assert done.exit_code == 0, done.output
    for item in ("weights", "quantization constants", "adapters", "optimizer", "activations",
                 "logits", "CUDA context"):  # fmt: skip
        assert re.search(rf"^{item} +\d+.*(GB|MB)", done.stdout, re.MULTILINE), item
    assert "█" in done.stdout
    assert "Cards that hold it: 12 GB, 16 GB, 24 GB" in done.stdout
    assert "Not measured, for want of a GPU" in done.stdout


def test_a_card_that_is_too_small_gets_changes_that_make_it_fit():
    done = ift("Llama-3.2-1B", "--method", "full", "--batch", 4, "--gpu", 16)
    assert "Your card of 16 GB does not hold it." in done.stdout
    totals = [float(x) for x in re.findall(r"^  \d\. .*, then ([\d.]+) GB", done.stdout, re.M)]
    assert totals == sorted(totals, reverse=True) and totals[-1] <= 0.95 * 16


def test_a_card_that_is_large_enough_is_told_what_else_it_has_room_for():
    done = ift("SmolLM2-135M", "--method", "lora", "--seq", 512, "--gpu", 8)
    assert re.search(r"Your card of 8 GB holds it, with [\d.]+ GB to spare", done.stdout)
    assert re.search(r"batches of \d+, or rows of [\d,]+ tokens", done.stdout)


def test_where_nothing_helps_that_is_said():
    assert "No change makes it fit" in ift("Qwen3-8B", "--gpu", 4).stdout


def test_a_program_reads_bytes_and_what_was_not_measured():
    done = ift("Qwen3-0.6B", "--method", "full", "--seq", 1024, "--gpu", 8, "--json")
    told = json.loads(done.stdout)
    assert told["total"] == sum(told["bytes"].values())
    assert told["allocated"] + told["cuda_context_assumed"] == told["total"]
    assert told["allocated"] == max(moment["total"] for moment in told["moments"])
    assert told["fits_cards_of_gb"] == [
        gb for gb in (8, 12, 16, 24, 40, 48, 80, 141) if told["total"] <= 0.95 * gb * GB
    ]
    assert told["gpu"]["fits"] is (8 in told["fits_cards_of_gb"])
    assert told["gpu"]["to_make_it_fit"][-1]["total"] <= 0.95 * 8 * GB
    assert "CUDA" in told["not_measured"]


def test_the_course_s_own_model_folder_is_read(tiny_llama_dir):
    told = json.loads(ift(tiny_llama_dir, "--method", "full", "--seq", 64, "--json").stdout)
    assert told["parameters"] == told["trained_parameters"] < 100_000


def test_an_unknown_model_gets_one_sentence_with_the_names():
    done = ift("Llama-9-900B")
    assert done.exit_code == 2
    assert done.stderr.startswith('There is no model "Llama-9-900B"')
    assert all(name in done.stderr for name in names()) and "Traceback" not in done.output


@pytest.mark.parametrize("wrong", [("--seq", 0), ("--gpu", 0), ("--method", "dora")])
def test_a_wrong_value_is_refused(wrong):
    assert ift("Qwen3-8B", *wrong).exit_code == 2


def test_help_teaches_with_an_example():
    assert "ift memory Llama-3.1-8B --method qlora --seq 2048 --gpu 12" in ift("--help").stdout
