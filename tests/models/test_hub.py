"""Loading and streaming from a small Hub that the test serves on this machine."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
HERE = Path(__file__)
_spec = importlib.util.spec_from_file_location("small_hub", HERE.with_name("small_hub.py"))
small_hub = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(small_hub)

MODEL, DATA, COMMIT = NAMES = "someone/tiny-base", "someone/conversations", small_hub.COMMIT

# huggingface_hub reads HF_ENDPOINT when it is imported, so another process answers the questions;
# it answers all of them, because its imports take seconds.
ASK = """
import dataclasses, json, sys
import ift_course.profile
from ift_course import CourseError, load
from ift_course.data.hub import stream_records

MODEL, DATA, COMMIT, *names = sys.argv[1:]

def with_revision(revision):
    t4 = ift_course.profile.PROFILES["t4"]
    t4 = dataclasses.replace(t4, base_model=MODEL, revision=revision)
    ift_course.profile.PROFILES["t4"] = t4
    return load("base", profile="t4")[0].num_parameters()

def streamed():
    records = stream_records(DATA, 10)
    return len(records), records[0].messages[0]["content"], records[-1].source

QUESTIONS = {
    "model": lambda: load(MODEL)[0].num_parameters(),
    "revision": lambda: with_revision(COMMIT),
    "other revision": lambda: with_revision("a" * 40),
    "data": streamed,
    "no model": lambda: load("someone/missing"),
    "gated": lambda: load("someone/gated"),
    "no data": lambda: stream_records("someone/missing", 3),
}
answers = {}
for name in names:
    try:
        answers[name] = QUESTIONS[name]()
    except CourseError as error:
        answers[name] = str(error)
print(json.dumps(answers))
"""


def ask(*questions: str, home: Path, **environment: str) -> dict:
    """Return the answers of a process that knows only the Hub in its environment."""
    variables = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "IFT_"))}
    variables |= {"HF_HOME": str(home), "HF_HUB_DISABLE_TELEMETRY": "1"}
    process = subprocess.run(
        [sys.executable, "-c", ASK, *NAMES, *questions],
        capture_output=True,
        text=True,
        env=variables | environment,
        cwd=HERE.parents[2],
        timeout=900,
    )
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def fill(data: Path) -> None:
    """Write a data set of two splits, with one row that has no answer."""
    data.mkdir()
    for split, number in (("train_sft", 50), ("test_sft", 2)):
        rows = [
            {"messages": [{"role": "user", "content": f"Say {i}."},
                          {"role": "assistant", "content": "" if i == 3 else str(i)}]}
            for i in range(number)
        ]  # fmt: skip
        (data / f"{split}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    splits = "".join(
        f"  - split: {split}\n    path: {split}.jsonl\n" for split in ("train_sft", "test_sft")
    )
    head = f"configs:\n- config_name: default\n  data_files:\n{splits}"
    (data / "README.md").write_text(f"---\n{head}---\n")


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """Answers of the small Hub, online and then offline with the downloaded files."""
    from transformers import LlamaConfig, LlamaForCausalLM

    from ift_course.models.save import save

    folder = tmp_path_factory.mktemp("hub")
    tokenizer = _tokenizer()
    config = LlamaConfig(vocab_size=len(tokenizer), hidden_size=32, intermediate_size=32,
                         num_hidden_layers=1, num_attention_heads=2)  # fmt: skip
    model = save(LlamaForCausalLM(config), tokenizer, folder / "model")
    (model / "original").mkdir()
    (model / "original" / "consolidated.safetensors").write_bytes(b"not to be downloaded")
    fill(folder / "data")
    repositories = {f"models/{MODEL}": model, f"datasets/{DATA}": folder / "data"}
    with small_hub.SmallHub(repositories, gated=("someone/gated",)) as hub:
        online = ask("model", "revision", "other revision", "data", "no model", "gated", "no data",
                     home=folder, HF_ENDPOINT=hub.url)  # fmt: skip
        requests = list(hub.requests)
    offline = ask("model", "no model", home=folder, HF_ENDPOINT=hub.url, HF_HUB_OFFLINE="1")
    return {"online": online, "offline": offline, "requests": requests}


def _tokenizer():
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    word_level = Tokenizer(models.WordLevel({"<unk>": 0, "moo": 1}, unk_token="<unk>"))
    word_level.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=word_level, unk_token="<unk>")


def test_a_model_is_downloaded_once_and_needs_no_network_afterwards(answers):
    assert answers["online"]["model"] == answers["offline"]["model"] > 1000


def test_only_the_files_a_model_needs_are_downloaded(answers):
    assert not any("original" in path for method, path in answers["requests"] if method == "GET")


def test_a_profile_loads_its_base_at_its_revision(answers):
    assert answers["online"]["revision"] == answers["online"]["model"]
    assert answers["online"]["other revision"].startswith(f"{MODEL} has no revision aaaa")


def test_data_is_streamed_and_rows_without_an_answer_are_skipped(answers):
    assert answers["online"]["data"] == [10, "Say 0.", f"{DATA}, train_sft, row 11"]


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("no model", "The Hub has no public repository someone/missing"),
        ("gated", "someone/gated is gated: accept its terms"),
        ("no data", "The Hub has no public repository someone/missing"),
    ],
)
def test_a_refusal_of_the_hub_gives_one_sentence(question, sentence, answers):
    assert sentence in answers["online"][question]
    assert "\n" not in answers["online"][question]


def test_being_offline_gives_one_sentence(answers, tmp_path):
    assert "(HF_HUB_OFFLINE is set)" in answers["offline"]["no model"]
    nowhere = "http://127.0.0.1:9"  # the discard port refuses at once
    for sentence in ask("model", "data", home=tmp_path, HF_ENDPOINT=nowhere).values():
        assert "he Hub cannot be reached (there is no network)" in sentence
        assert "\n" not in sentence
