"""The command line is fast, teaches with examples, and reports what programs need."""

import json
import subprocess
import sys
from typing import get_args

import pytest
from typer.testing import CliRunner

from ift_course.cli import app
from ift_course.cli.options import ProfileName
from ift_course.profile import PROFILES
from ift_course.settings import VARIABLES

COMMANDS = ["doctor", "run", "pretrain", "sft", "chat", "build", "diagnose"]
HEAVY = {"torch", "transformers", "trl", "peft", "datasets", "matplotlib", "scipy", "nbclient"}


def seconds(code: str) -> float:
    """Processor seconds of a Python that runs `code`: other work on the machine does not count."""
    clock = "import atexit, sys, time; "
    clock += "atexit.register(lambda: print(time.process_time(), file=sys.stderr)); "
    command = [sys.executable, "-c", clock + code]
    process = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(process.stderr.splitlines()[-1])


@pytest.mark.parametrize("module", ["ift_course", "ift_course.cli"])
def test_import_is_light(module):
    code = f"import sys, {module}; print(*{{x.partition('.')[0] for x in sys.modules}})"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & set(out.stdout.split())
    assert seconds(f"import {module}") < 0.5


def test_help_lists_every_command_in_half_a_second():
    output = CliRunner().invoke(app, ["--help"]).output
    assert all(f" {command} " in output for command in COMMANDS)
    code = "sys.argv = ['ift', '--help']; from ift_course.cli import main; main()"
    assert seconds(code) < 0.5


@pytest.mark.parametrize("command", COMMANDS)
def test_each_help_teaches_with_an_example(command):
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert f"ift {command}" in result.output.split("Example", 1)[1]


def test_help_lists_the_environment_variables():
    output = CliRunner().invoke(app, ["--help"]).output
    assert all(name in output for name in VARIABLES)


def test_the_names_of_profiles_are_those_of_the_options():
    assert get_args(ProfileName) == tuple(PROFILES)


def test_a_mistyped_command_gets_a_suggestion():
    result = CliRunner().invoke(app, ["rum"])
    assert result.exit_code == 2
    assert "Did you mean 'run'?" in result.stderr


def test_doctor_finds_the_tested_set_and_says_so_to_programs(course):
    course.lesson("91_fine")  # a number of no published lesson, whose cost would be known
    result = CliRunner().invoke(app, ["doctor", "--json"])
    report = json.loads(result.stdout)
    torch = next(x for x in report["packages"] if x["name"] == "torch")
    assert torch["tested"] and torch["state"] in {"tested", "allowed"}
    assert {x["profile"] for x in report["profiles"]} == {"tiny", "smollm2", "gemma", "t4", "gpu24"}
    assert set(report["hardware"]) >= {"cpu", "cores", "avx512_bf16", "memory_gb", "gpu", "bf16"}
    assert report["lessons"] == [
        {
            "lesson": "91",
            "title": "A fine lesson",
            "minutes": None,
            "peak_memory_gb": None,
            "measured_on": None,
        }
    ]
    assert result.exit_code == (1 if any(x["blocking"] for x in report["problems"]) else 0)


def test_doctor_says_where_a_lessons_cost_was_measured(course):
    course.lesson("91_fine")
    assert "not measured yet" in CliRunner().invoke(app, ["doctor"]).output
    assert not course.results.exists(), "looking changes nothing"
    assert CliRunner().invoke(app, ["run"]).exit_code == 0
    output = " ".join(CliRunner().invoke(app, ["doctor"]).output.split())
    assert "not measured yet" not in output
    assert "measured on" in output
