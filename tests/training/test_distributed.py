"""Two processes train as one does, and only the first one writes and speaks.

The processes are started by torchrun and talk through gloo, on a CPU.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import torch

REPOSITORY = Path(__file__).parents[2]
SCALING = REPOSITORY / "docs" / "scaling.md"
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]

SCRIPT = """
import os, sys
sys.path[:0] = sys.argv[1:3]
import torch
from conftest import make_model, make_tokenizer
from test_distributed import train
tokenizer = make_tokenizer()
result = train(make_model(tokenizer), tokenizer, out=sys.argv[3] + "/checkpoints")
torch.save({"losses": result.losses, "weights": result.model.state_dict()},
           f"{sys.argv[3]}/rank{os.environ['RANK']}.pt")
"""


def train(model, tokenizer, **options):
    """Three epochs over 32 rows of different lengths, so that the order matters."""
    from ift_course.data.records import Record
    from ift_course.training.sft import sft

    records = [Record.from_instruction("Count.", "", "moo " * (1 + i % 7)) for i in range(32)]
    out = options.pop("out", None)
    return sft(model, tokenizer, records, seed=3, epochs=3, batch_size=4, learning_rate=1e-2,
               output_dir=out, checkpoint_steps=5, progress=False, **options)  # fmt: skip


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess:
    """A command line in `folder`, with the course's own programs found first."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.mark.slow
def test_two_processes_get_the_result_of_one(tiny_llama, tmp_path):
    (tmp_path / "train.py").write_text(SCRIPT)
    here = Path(__file__).parent
    run([*TORCHRUN, "train.py", str(here.parent), str(here), str(tmp_path)], tmp_path)
    first, second = (torch.load(tmp_path / f"rank{i}.pt") for i in (0, 1))
    # The same rows make a step: two processes of four rows, or two passes of four rows.
    alone = train(*tiny_llama, gradient_accumulation=2)
    assert first["losses"] == pytest.approx(alone.losses, abs=1e-4)
    assert alone.losses[-1] < alone.losses[0] / 2
    for name, weight in alone.model.state_dict().items():
        assert torch.equal(first["weights"][name], second["weights"][name]), name
        torch.testing.assert_close(first["weights"][name], weight, atol=1e-4, rtol=0)
    whole = sorted(path.parent.name for path in tmp_path.glob("checkpoints/*/complete.json"))
    assert whole == ["checkpoint-10", "checkpoint-12"]


BOTH = """
import os, sys
sys.path[:0] = sys.argv[1:3]
import torch
from conftest import make_model, make_tokenizer
from test_distributed import demonstrate, prefer
tokenizer = make_tokenizer()
for name, tune in {"sft": demonstrate, "dpo": prefer}.items():
    result = tune(make_model(tokenizer), tokenizer, output_dir=f"{sys.argv[3]}/{name}")
    torch.save({"history": result.history, "weights": result.model.state_dict()},
               f"{sys.argv[3]}/{name}-rank{os.environ['RANK']}.pt")
"""
# Forty steps of one process with two forward passes each, so that the warm-up takes two of them.
FORTY_STEPS = {
    "seed": 3, "epochs": 4, "batch_size": 2, "learning_rate": 1e-3, "progress": False,
}  # fmt: skip


def demonstrate(model, tokenizer, **options):
    """Forty steps of SFT."""
    from ift_course.data.records import Record
    from ift_course.training.sft import sft

    records = [Record.from_instruction("Count.", "", "moo " * (1 + i % 5)) for i in range(40)]
    return sft(model, tokenizer, records, **FORTY_STEPS, **options)


def prefer(model, tokenizer, **options):
    """Forty steps of DPO."""
    from ift_course.data.pairs import Pair
    from ift_course.data.records import Turn
    from ift_course.training.preference.dpo import dpo

    pairs = [Pair((Turn("user", "Count."),), "moo " * (1 + i % 5), "paris") for i in range(40)]
    return dpo(model, tokenizer, pairs, **FORTY_STEPS, **options)


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory):
    """The folder in which two processes left what SFT and DPO gave them."""
    folder = tmp_path_factory.mktemp("two")
    (folder / "both.py").write_text(BOTH)
    here = Path(__file__).parent
    run([*TORCHRUN, "both.py", str(here.parent), str(here), str(folder)], folder)
    return folder


@pytest.mark.weekly
@pytest.mark.parametrize(("name", "tune"), [("sft", demonstrate), ("dpo", prefer)])
def test_two_processes_warm_up_over_the_steps_of_one(name, tune, two_processes, tiny_llama):
    alone = tune(*tiny_llama, gradient_accumulation=2)
    rates = alone.curve("learning_rate")
    assert len(rates) == 40
    assert rates.index(max(rates)) == 2  # 5 % of the steps, however many processes take them
    first, second = (torch.load(two_processes / f"{name}-rank{i}.pt") for i in (0, 1))
    assert [entry["learning_rate"] for entry in first["history"]] == pytest.approx(rates)
    for key, weight in alone.model.state_dict().items():
        assert torch.equal(first["weights"][key], second["weights"][key]), key
        torch.testing.assert_close(first["weights"][key], weight, atol=1e-3, rtol=0)


@pytest.mark.weekly
def test_sft_and_dpo_keep_the_same_settings_on_two_processes(two_processes):
    markers = {
        name: json.loads((two_processes / name / "checkpoint-40" / "complete.json").read_text())
        for name in ("sft", "dpo")
    }
    own = {"data", "beta", "sft_weight"}
    shared = [{k: v for k, v in marker.items() if k not in own} for marker in markers.values()]
    assert shared[0] == shared[1]
    assert shared[0]["processes"] == 2
    assert shared[0]["warmup_ratio"] == 0.05


def commands() -> list[str]:
    """The command lines of docs/scaling.md, but for those below a remark that they need GPUs."""
    text = re.sub(r"<!-- needs GPUs -->\s*```bash\n.*?```", "", SCALING.read_text(), flags=re.S)
    blocks = re.findall(r"```bash\n(.*?)```", text, flags=re.S)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [" ".join(line.split()) for line in lines if line.strip()]


@pytest.mark.weekly
@pytest.mark.parametrize("command", commands())
def test_every_command_of_the_scaling_page_that_can_run_here_runs(command, tmp_path):
    rows = [{"instruction": "Name the capital.", "input": "France", "output": "Paris"}] * 16
    (tmp_path / "my.jsonl").write_text("\n".join(map(json.dumps, rows)))
    done = run(shlex.split(command), tmp_path)
    if " sft " in command:
        assert done.stdout.count("Saved in ") == 1  # one speaks, not both
        assert done.stderr.count("16 rows") == 1
        assert (tmp_path / "models" / "mine" / "config.json").exists()
        assert not (tmp_path / "models" / "mine" / "checkpoints").exists()


def test_the_ledger_on_the_scaling_page_is_what_the_command_prints(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    printed = run(shlex.split(commands()[0]), tmp_path).stdout
    block = re.search(r"```text\n(.*?)```", SCALING.read_text(), flags=re.S)
    assert block is not None
    words = block[1].split()
    assert words == printed.split()[: len(words)]


def test_the_scaling_page_launches_two_processes_in_both_ways():
    launched = [command for command in commands() if " sft " in command]
    assert {command.split()[0] for command in launched} == {"torchrun", "accelerate"}


def test_the_fsdp_configuration_is_one_that_accelerate_reads():
    from accelerate.commands.config.config_args import load_config_from_file

    config = load_config_from_file(str(REPOSITORY / "docs" / "fsdp.yaml"))
    assert config.distributed_type.value == "FSDP"
    assert config.fsdp_config["fsdp_version"] == 2
