"""A tuned folder records every tuning that its model went through."""

import json

import pytest

from ift_course.data.pairs import Pair
from ift_course.data.records import Record, Turn
from ift_course.errors import CourseError
from ift_course.models import provenance
from ift_course.models.save import save
from ift_course.training import tuning_run
from ift_course.training.adapter import Adapter
from ift_course.training.tuning_run import TuningRequest


@pytest.fixture
def records(cow_records):
    return [
        Record(record.turns, source=f"cows.jsonl, row {number}")
        for number, record in enumerate(cow_records, 1)
    ]


def tune(parent, out, data, algorithm="sft", method="full", adapter=None, **options):
    options = {"seed": 0, "max_steps": 2, **options}
    request = TuningRequest(algorithm, data, method=method, adapter=adapter, options=options)
    run = tuning_run.start(request, str(parent), out)
    return tuning_run.finish(run, tuning_run.train(run))


def test_sft_and_then_dpo_are_both_recorded_in_the_folder(tiny_llama_dir, tmp_path, records):
    first = tune(tiny_llama_dir, tmp_path / "first", records, learning_rate=1e-3)
    prompt = (Turn("user", "Name the sound of a cow."),)
    pairs = [Pair(prompt, "Moo.", "Meow.", source="pairs.jsonl, row 1")] * 8
    second = tune(first, tmp_path / "second", pairs, "dpo", method="lora", beta=0.2)
    one, two = provenance.read(second)
    assert [one] == provenance.read(first)
    assert (one.method, one.trainable, one.parent) == ("sft", "full", str(tiny_llama_dir))
    assert (one.data, one.rows, one.steps) == (["cows.jsonl"], 24, 2)
    assert one.settings["learning_rate"] == 1e-3
    assert (two.method, two.trainable, two.parent) == ("dpo", "lora", str(first))
    assert (two.data, two.rows, two.settings["beta"]) == (["pairs.jsonl"], 8, 0.2)
    assert two.data_sha256 != one.data_sha256
    assert two.loss[0] == pytest.approx(0.693, abs=1e-2)
    assert set(two.versions) == set(provenance.LIBRARIES)


def test_the_rank_is_recorded_if_adapters_were_trained(tiny_llama_dir, tmp_path, records):
    options = {"adapter": Adapter(rank=4)}
    full = tune(tiny_llama_dir, tmp_path / "full", records, **options)
    lora = tune(tiny_llama_dir, tmp_path / "lora", records, method="lora", **options)
    assert "rank" not in provenance.read(full)[0].settings
    assert provenance.read(lora)[0].settings["rank"] == 4


def test_the_fingerprint_depends_on_the_texts_and_not_on_their_source(records):
    description = provenance.describe_data(records)
    moved = [Record(record.turns, source="other.jsonl, line 5") for record in records]
    assert provenance.describe_data(moved)["data_sha256"] == description["data_sha256"]
    assert provenance.describe_data(moved)["data"] == ["other.jsonl"]
    assert provenance.describe_data(records[:-1])["data_sha256"] != description["data_sha256"]


@pytest.mark.parametrize("text", ["{", "{}", "[3]", '[{"method": "sft"}]'])
def test_a_damaged_record_is_refused_before_anything_is_trained(tiny_llama, tmp_path, text):
    folder = save(*tiny_llama, tmp_path / "model")
    (folder / provenance.FILE).write_text(text)
    with pytest.raises(CourseError, match=r"training\.json is not a record of"):
        tuning_run.start(TuningRequest("sft", []), str(folder), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_record_of_an_earlier_version_can_be_read(tiny_llama_dir, tmp_path, records):
    folder = tune(tiny_llama_dir, tmp_path / "out", records)
    [entry] = json.loads((folder / provenance.FILE).read_text())
    entry["changes"], entry["start"] = entry.pop("trainable"), entry.pop("parent")
    expected = provenance.read(folder)
    (folder / provenance.FILE).write_text(json.dumps([entry]))
    assert provenance.read(folder) == expected


def test_a_record_of_a_later_version_with_more_in_it_can_be_read(tiny_llama_dir, tmp_path, records):
    folder = tune(tiny_llama_dir, tmp_path / "out", records)
    entries = json.loads((folder / provenance.FILE).read_text())
    (folder / provenance.FILE).write_text(json.dumps([entries[0] | {"energy": 3}]))
    assert provenance.read(folder)[0].steps == 2
