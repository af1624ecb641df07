"""`load` opens every kind of model, and says in one sentence what is wrong."""

import json
import shutil

import pytest
import torch

from ift_course.errors import CourseError
from ift_course.models import load as loading
from ift_course.models.checksums import sha256
from ift_course.training import assistant
from ift_course.training.open_model import load


@pytest.fixture
def shipped(tiny_llama_dir, tmp_path, monkeypatch):
    """A base model as the package ships it, with its hashes; returns its folder."""
    base = tmp_path / "assets" / "base"
    shutil.copytree(tiny_llama_dir, base)
    lines = [f"{sha256(path)}  {path.name}\n" for path in sorted(base.iterdir())]
    (base / "SHA256SUMS").write_text("".join(lines))
    monkeypatch.setattr(loading, "assets_dir", lambda: base.parent)
    monkeypatch.setenv("IFT_RESULTS", str(tmp_path / "results"))
    loading.verify.cache_clear()
    yield base
    loading.verify.cache_clear()


def sentence(name, **options) -> str:
    with pytest.raises(CourseError) as error:
        load(name, **options)
    text = str(error.value)
    assert "\n" not in text
    return text


def test_a_folder_is_loaded_as_it_was_saved(tiny_llama, tiny_llama_dir):
    model, tokenizer = load(tiny_llama_dir)
    saved = tiny_llama[0].state_dict()
    assert all(torch.equal(tensor, saved[name]) for name, tensor in model.state_dict().items())
    assert not model.training
    assert model.dtype == torch.float32
    assert tokenizer.chat_template == tiny_llama[1].chat_template
    assert load(str(tiny_llama_dir), dtype=torch.bfloat16)[0].dtype == torch.bfloat16


def test_the_shipped_base_is_checked_before_it_is_used(shipped):
    assert load("base")[0].num_parameters() > 10_000
    weights = shipped / "model.safetensors"
    loading.verify.cache_clear()
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    message = sentence("base")
    assert str(weights) in message
    assert "git checkout" in message
    weights.unlink()
    assert "lacks its file" in sentence("base")
    (shipped / "SHA256SUMS").unlink()
    assert "is missing" in sentence("base")


def test_the_assistant_is_trained_once_and_again_for_another_base(shipped, monkeypatch, capsys):
    monkeypatch.setattr(assistant, "DIALOGUES", 24)
    first = load("sft")[0].state_dict()
    assert "Tuning the base model into an assistant" in capsys.readouterr().err
    again = load("sft")[0].state_dict()
    assert capsys.readouterr().err == ""
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["lm_head.weight"], load("base")[0].lm_head.weight)

    sums = shipped / "SHA256SUMS"
    sums.write_text("\n".join(sorted(sums.read_text().splitlines(), reverse=True)) + "\n")
    load("sft")
    assert "Tuning the base model" in capsys.readouterr().err


def damage(folder, what: str):
    weights = folder / "model.safetensors"
    if what == "no config":
        (folder / "config.json").unlink()
    elif what == "bad config":
        (folder / "config.json").write_text("{")
    elif what == "no weights":
        weights.unlink()
    elif what == "cut off":
        weights.write_bytes(weights.read_bytes()[:-1000])
    elif what == "empty":
        weights.write_bytes(b"")
    elif what == "no tokenizer":
        for path in folder.glob("tokenizer*"):
            path.unlink()
    elif what == "missing tensors":
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 3}))
    elif what == "other shapes":
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {"intermediate_size": 32}))
    elif what == "unknown architecture":
        (folder / "config.json").write_text(json.dumps({"model_type": "perceptron"}))


@pytest.mark.parametrize(
    ("what", "complaint"),
    [
        ("no config", "is not a model folder: it has no config.json"),
        ("bad config", "config.json is damaged"),
        ("no weights", "has no weights"),
        ("cut off", "model.safetensors is damaged or cut off"),
        ("empty", "model.safetensors is damaged or cut off"),
        ("no tokenizer", "has no tokenizer"),
        ("missing tensors", "lack 9 tensors that config.json requires"),
        ("other shapes", "cannot be loaded as a language model"),
        ("unknown architecture", "cannot be loaded as a language model"),
    ],
)
def test_the_message_names_a_damaged_folder_and_what_it_lacks(what, complaint, tiny_llama_dir):
    damage(tiny_llama_dir, what)
    message = sentence(tiny_llama_dir)
    assert complaint in message
    assert str(tiny_llama_dir) in message


def test_a_name_that_is_not_a_model_is_refused(tmp_path):
    assert 'There is no model "nothing"' in sentence("nothing")
    assert "is not a folder" in sentence(__file__)
    assert "HF_HUB_OFFLINE is set" in sentence("someone/something")
    assert "choose one of tiny, smollm2" in sentence("base", profile="huge")
