"""Pretraining: reproducible, resumable, and honest on its card."""

import itertools
import json
import math
from dataclasses import replace

import pytest
import torch
from typer.testing import CliRunner

from ift_course.authoring.publish_base import publish
from ift_course.cli import app
from ift_course.errors import CourseError
from ift_course.models.checksums import sha256
from ift_course.training import pretrain as module
from ift_course.training.open_model import load
from ift_course.training.pretrain import PHASES, PretrainConfig, corpus_ids, pretrain
from ift_course.world.corpus import documents

SMALL = PretrainConfig(
    phases=(replace(PHASES[0], tokens=46 * 256), replace(PHASES[1], tokens=13 * 256)),
    vocab_size=600, hidden_size=32, layers=2, heads=2,
    intermediate_size=64,
    length=64, batch_size=4, warmup=3, tokenizer="new", tokenizer_documents=300,
)  # fmt: skip


class Killed(Exception):
    pass


def weights(run):
    return run.model.state_dict()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return pretrain(SMALL, tmp_path_factory.mktemp("whole"), checkpoint_every=25)


# Before the first checkpoint, after it, at the end of the first phase, and in the second.
@pytest.mark.parametrize(
    "killed_at", [46, *(pytest.param(n, marks=pytest.mark.slow) for n in (25, 59))]
)
def test_a_killed_run_goes_on_and_ends_with_the_same_weights(whole, killed_at, tmp_path):
    def kill(entry):
        if entry["step"] == killed_at:
            raise Killed

    with pytest.raises(Killed):
        pretrain(SMALL, tmp_path, checkpoint_every=25, on_log=kill)
    resumed = pretrain(SMALL, tmp_path, checkpoint_every=25)
    assert [(e["step"], e["loss"]) for e in resumed.log] == [
        (e["step"], e["loss"]) for e in whole.log
    ]
    assert resumed.log[-1]["step"] == SMALL.total_steps == 59
    for name, tensor in weights(whole).items():
        assert torch.equal(tensor, weights(resumed)[name]), name


def test_a_finished_run_is_not_trained_again(whole, tmp_path):
    pretrain(SMALL, tmp_path)
    again = []
    pretrain(SMALL, tmp_path, on_log=again.append)
    assert not again


def test_another_config_does_not_go_on_from_this_checkpoint(tmp_path):
    pretrain(SMALL, tmp_path)
    other = PretrainConfig(**{**SMALL.__dict__, "seed": 1})
    with pytest.raises(CourseError, match="other settings"):
        pretrain(other, tmp_path)


@pytest.mark.slow
def test_the_corpus_is_the_same_every_time_and_its_hashes_say_so(whole):
    for number, phase in enumerate(SMALL.phases):
        first = corpus_ids(1000 * number, phase, whole.tokenizer)
        again = corpus_ids(1000 * number, phase, whole.tokenizer)
        assert torch.equal(first[0], again[0])
        assert first[1] == again[1] == whole.corpus_sha256[number]
        assert corpus_ids(7, phase, whole.tokenizer)[1] != first[1]


def test_a_new_model_guesses_evenly(whole):
    fresh = module.new_model(SMALL, whole.tokenizer)
    ids = torch.randint(0, 600, (4, 32), generator=torch.Generator().manual_seed(0))
    assert fresh(input_ids=ids, labels=ids).loss.item() == pytest.approx(math.log(600), abs=0.2)


def test_the_published_folder_loads_and_its_hashes_are_true(whole, tmp_path):
    run = whole
    publish(run, SMALL, tmp_path / "out")
    model, tokenizer = load(tmp_path / "out")
    assert tokenizer.chat_template
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, weights(run)[name].to(torch.bfloat16).float()), name
    for line in (tmp_path / "out" / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert sha256(tmp_path / "out" / name) == digest
    card = (tmp_path / "out" / "README.md").read_text()
    assert all(digest in card for digest in run.corpus_sha256)
    assert sha256(tmp_path / "out" / "model.safetensors") in card
    log = json.loads((tmp_path / "out" / "pretraining.json").read_text())["log"]
    assert log == run.log
    for number, phase in enumerate(SMALL.phases):
        for page in itertools.islice(documents(1000 * number, phase.mixture), 10):
            assert page in card


def test_the_first_phases_alone_are_those_of_the_whole_run(whole, tmp_path):
    first = pretrain(replace(SMALL, phases=SMALL.phases[:1]), tmp_path)
    assert first.corpus_sha256 == whole.corpus_sha256[:1]
    n_entries = len(first.log)
    assert [e["loss"] for e in first.log] == [e["loss"] for e in whole.log[:n_entries]]


@pytest.mark.slow
def test_the_command_trains_and_says_what_to_do_next(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PretrainConfig", lambda **changes: SMALL)
    result = CliRunner().invoke(app, ["pretrain", "--out", str(tmp_path / "m"), "--no-score"])
    assert result.exit_code == 0, result.output
    assert "ift chat --model" in result.output.replace("\n", " ")
    again = CliRunner().invoke(app, ["pretrain", "--out", str(tmp_path / "m"), "--tokens", "5"])
    assert again.exit_code == 2
