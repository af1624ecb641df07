"""Numbers and names that no run can take are refused before anything is read."""

import pytest
from typer.testing import CliRunner

from ift_course.cli import app
from ift_course.errors import CourseError
from ift_course.training.limits import LIMITS, check_options
from ift_course.training.sft import sft

SFT = {
    "--epochs": ["0", "-1", "nan", "inf"],
    "--lr": ["0", "0.0", "-1", "nan", "inf"],
    "--max-steps": ["0", "-2"],
    "--batch-size": ["0", "-4"],
    "--accumulation": ["0"],
    "--rank": ["0"],
    "--max-length": ["0", "1"],
    "--seed": ["-1", "4294967296"],
    "--optimizer": ["adam", "AdamW", "lomo", ""],
    "--targets": ["", "q_proj,,v_proj"],
    "--profile": ["huge"],
}
DPO = {"--beta": ["0", "-0.1", "nan", "inf"]} | {
    flag: SFT[flag] for flag in SFT if flag not in ("--accumulation", "--optimizer")
}
OTHERS = [
    ("chat", "--max-tokens", "0"),
    ("chat", "--profile", "huge"),
    ("export", "--profile", "huge"),
    ("memory", "--gpu", "nan"),
    ("memory", "--gpu", "inf"),
    ("memory", "--gpu", "-1"),
    ("memory", "--seq", "0"),
    ("memory", "--rank", "0"),
    ("pretrain", "--tokens", "0"),
    ("pretrain", "--seed", "-1"),
    ("pretrain", "--device", "tpu"),
    ("pretrain", "--device", "cuda:99"),
]
NEEDED = {
    "chat": ["--prompt", "Moo?"],
    "export": ["base", "--to", "hf"],
    "memory": ["Llama-3.1-8B"],
    "pretrain": ["--no-score"],
}


def one_sentence(words: list[str], value: str) -> str:
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2, done.output
    assert "Traceback" not in done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert value in done.stderr or "greater than or equal" in " ".join(done.stderr.split())
    return done.stderr


@pytest.mark.parametrize("command", ["sft", "dpo"])
def test_a_tuning_command_refuses_each_wrong_option_by_its_name(command, tmp_path, monkeypatch):
    monkeypatch.setattr("ift_course.models.load.from_folder", None)  # nothing may be loaded
    # There is no such file and no such model, so a complaint about the option came first.
    words = [command, "--model", "no-model", "--data", str(tmp_path / "no.jsonl"),
             "--out", str(tmp_path / "out")]  # fmt: skip
    for flag, values in (SFT if command == "sft" else DPO).items():
        for value in values:
            sentence = one_sentence([*words, f"{flag}={value}"], value)
            assert flag in sentence or "profile" in sentence
    assert "--targets is for adapters" in one_sentence([*words, "--targets", "q_proj"], "")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("command", "flag", "value"), OTHERS)
def test_the_other_commands_do_so_too(command, flag, value, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ift_course.models.load.from_folder", None)
    sentence = one_sentence([command, *NEEDED[command], flag, value], value)
    assert flag in sentence or "profile" in sentence
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("name", LIMITS)
def test_a_common_value_is_in_range_and_nonsense_is_not(name):
    check_options(**{name: LIMITS[name].example})
    check_options(**{name: None})
    for value in (float("nan"), float("inf"), -3, "3", True):
        with pytest.raises(CourseError, match=f"^{name} must be"):
            check_options(**{name: value})


def test_a_near_miss_gets_the_right_name_and_a_missing_package_is_named():
    with pytest.raises(CourseError, match="did you mean adamw_torch or"):
        check_options(optimizer="adamw_torh")
    with pytest.raises(CourseError, match=r"cannot be used here.*lomo"):
        check_options(optimizer="lomo")
    check_options(optimizer="sgd")


def test_a_learning_rate_of_zero_is_not_the_default(tiny_llama, cow_records):
    with pytest.raises(CourseError, match="learning_rate must be above 0, not 0"):
        sft(*tiny_llama, cow_records, seed=0, learning_rate=0, progress=False)
