"""Options that no run can take are refused before anything is read, and the rest is shown."""

import inspect
from dataclasses import fields

import pytest
from typer.testing import CliRunner

from ift_course.cli import app
from ift_course.errors import CourseError
from ift_course.training.adapter import Adapter
from ift_course.training.limits import LIMITS, check_options
from ift_course.training.options import TrainingKeywords, TrainOptions
from ift_course.training.preference.dpo import dpo
from ift_course.training.preference.grpo import grpo
from ift_course.training.preference.reward import train_reward
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
    monkeypatch.setattr("ift_course.models.load.load_whole", None)  # nothing may be loaded
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
    monkeypatch.setattr("ift_course.models.load.load_whole", None)
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


TRAINERS = {"sft": sft, "dpo": dpo, "train_reward": train_reward, "grpo": grpo}


@pytest.mark.parametrize("trainer", TRAINERS.values(), ids=TRAINERS)
def test_the_signature_shows_each_option_with_its_default(trainer):
    parameters = inspect.signature(trainer).parameters
    assert not any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    assert parameters["seed"].default == 0
    assert parameters["warmup_ratio"].default == 0.05
    for name in parameters:
        assert name in ("model", "tokenizer") or name in trainer.__doc__, name


def test_each_trainer_keeps_its_own_defaults():
    names = ("learning_rate", "progress")
    defaults = {
        name: [inspect.signature(trainer).parameters[option].default for option in names]
        for name, trainer in TRAINERS.items()
    }
    assert defaults == {
        "sft": [None, True], "dpo": [None, True], "train_reward": [1e-4, False],
        "grpo": [5e-5, False],
    }  # fmt: skip
    epochs = [inspect.signature(f).parameters["epochs"].default for f in (sft, dpo, train_reward)]
    assert epochs == [3.0, 1.0, 1.0]


def test_the_keywords_are_the_fields_of_the_options():
    assert set(TrainingKeywords.__annotations__) == {field.name for field in fields(TrainOptions)}


@pytest.mark.parametrize(
    ("trainer", "keyword", "hint"),
    [
        (sft, "epoch", "did you mean epochs?"),
        (sft, "lr", "did you mean learning_rate?"),
        (dpo, "rpo_alpha", "did you mean sft_weight?"),
        (dpo, "packing", "it takes beta, sft_weight,"),
        (train_reward, "adapter", "it takes seed,"),
        (grpo, "batch_size", "it takes steps, prompts,"),
    ],
)
def test_an_unknown_keyword_gets_the_right_name(trainer, keyword, hint):
    data = ([], lambda examples, samples: [0.0]) if trainer is grpo else ([],)
    needed = {"steps": 1} if trainer is grpo else {}
    with pytest.raises(CourseError) as error:
        trainer(None, None, *data, **needed, **{keyword: 1})
    assert f'{trainer.__name__} has no option "{keyword}"' in str(error.value)
    assert hint in str(error.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"warmup_ratio": 1.0}, "warmup_ratio must be"),
        ({"checkpoint_steps": 0}, "checkpoint_steps must be"),
        ({"adapter": Adapter(rank=0)}, "rank must be"),
        ({"method": "prefix"}, 'method must be one of full, lora, qlora, not "prefix"'),
    ],
)
def test_options_are_checked_where_they_are_made(options, message):
    with pytest.raises(CourseError, match=message):
        TrainOptions(**options)
    with pytest.raises(CourseError, match=message):
        TrainOptions().updated(sft, options)


def test_none_stands_for_the_default():
    chosen = TrainOptions(learning_rate=1e-4).updated(sft, {"learning_rate": None, "seed": 7})
    assert (chosen.learning_rate, chosen.seed) == (1e-4, 7)


def test_more_processes_take_fewer_steps_with_the_same_share_of_warm_up(monkeypatch):
    options = TrainOptions(epochs=4, batch_size=2, gradient_accumulation=2)
    assert options.steps(41) == 44  # eleven an epoch, the last of a single row
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert options.steps(41) == 24
    assert TrainOptions(max_steps=7).steps(41) == 7


def test_dpo_refuses_4_bit_tuning_in_a_sentence(tiny_llama):
    with pytest.raises(CourseError, match='no method "qlora"'):
        dpo(*tiny_llama, [], method="qlora")
