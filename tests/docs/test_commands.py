"""The commands in the README and in docs/ run.

Commands in blocks of bash are run in the order of the page, in a folder with the files they name.
Commands in the running text have placeholders; their options must exist.
docs/scaling.md is in tests/training/test_distributed.py.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

from ift_course.cli import app
from ift_course.exercises import written
from ift_course.paths import checkout
from ift_course.world.tasks import FACT_TASKS, sample

ROOT = checkout()
PAGES = ("README.md", "CONTRIBUTING.md", *sorted(f"docs/{x.name}" for x in ROOT.glob("docs/*.md")))
GUIDE = (ROOT / "docs" / "instructors.md").read_text(encoding="utf-8")
LESSON = "02_dataset_formatting"


def blocks(page: str) -> list[str]:
    return re.findall(r"```bash\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)


def lines(block: str) -> list[str]:
    whole = block.replace("\\\n", " ").splitlines()
    return [line.partition(" #")[0].strip() for line in whole if line.partition(" #")[0].strip()]


SHELL = [page for page in PAGES if page != "docs/scaling.md" and blocks(page)]
INLINE = sorted(
    {
        (page, command)
        for page in PAGES
        for text in [(ROOT / page).read_text(encoding="utf-8")]
        for command in re.findall(r"`((?:ift|make) [^`]+)`", text)
    }
)


@pytest.fixture
def home(tmp_path_factory):
    """A folder with the files that the pages name: data, submissions, a roster, a check."""
    home = tmp_path_factory.mktemp("home")
    examples = sample(40, seed=5, tasks=FACT_TASKS)
    rows = [
        {"instruction": x.instruction, "input": x.input, "output": x.response} for x in examples
    ]
    pairs = [
        {"prompt": f"{x.instruction} {x.input}".strip(), "chosen": x.response, "rejected": "Moo."}
        for x in examples[:16]
    ]
    questions = {(x.instruction, x.input) for x in examples}
    fresh = [x for x in sample(40, seed=6, tasks=FACT_TASKS)
             if (x.instruction, x.input) not in questions]  # fmt: skip
    test = [{"instruction": x.instruction, "input": x.input, "output": x.response} for x in fresh]
    for name, data in {"my": rows, "pairs": pairs, "test": test}.items():
        text = "\n".join(json.dumps(row, ensure_ascii=False) for row in data)
        (home / f"{name}.jsonl").write_text(text, encoding="utf-8")
    solved = ROOT / "solutions" / f"{LESSON}.ipynb"
    for path in (f"exercises/{LESSON}.ipynb", "submissions/jane.ipynb"):
        (home / path).parent.mkdir()
        shutil.copy(solved, home / path)
    with zipfile.ZipFile(home / "submissions.zip", "w") as archive:
        archive.write(solved, "jane.ipynb")
    exercise = (ROOT / "exercises" / "03_lima_small_data.ipynb").read_text(encoding="utf-8")
    with zipfile.ZipFile(home / "essays.zip", "w") as archive:
        archive.writestr("jane.ipynb", exercise.replace(written.PLACEHOLDER, "Count the flaws."))
    check = re.search(r"```python\n# (hidden/\S+)\n(.*?)```", GUIDE, re.DOTALL)
    (home / check[1]).parent.mkdir(parents=True)
    (home / check[1]).write_text(check[2], encoding="utf-8")
    roster = re.search(r"```\n(student,name,email.*?)```", GUIDE, re.DOTALL)
    (home / "roster.csv").write_text(roster[1], encoding="utf-8")
    return home


@pytest.mark.slow
@pytest.mark.parametrize("page", SHELL)
def test_every_command_in_a_block_runs(page, home, monkeypatch):
    monkeypatch.chdir(home)
    for name, value in environment(home).items():
        monkeypatch.setenv(name, value)
    for command in (line for block in blocks(page) for line in lines(block)):
        program, *words = shlex.split(command)
        if program == "ift":  # in this process, which has imported torch and its kin once
            result = CliRunner().invoke(app, words)
            code, output = result.exit_code, result.output
        else:
            dry = ["make", "-n", "-C", str(ROOT)] if program == "make" else [program]
            done = subprocess.run([*dry, *words], text=True, capture_output=True)
            code, output = done.returncode, done.stdout + done.stderr
        assert code == 0, f"{command}\n{output[-4000:]}"


def test_the_program_of_the_commands_is_installed(home):
    done = subprocess.run(["ift", "--help"], env=os.environ | environment(home), text=True,
                          capture_output=True)  # fmt: skip
    assert done.returncode == 0 and "Usage: ift" in done.stdout


@pytest.mark.parametrize(("page", "command"), INLINE)
def test_every_command_in_the_text_exists_with_its_options(page, command):
    program, name, *words = shlex.split(re.sub(r"\[.*?\]|…", " ", command))
    if program == "make":
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        assert re.search(rf"^{name}:", makefile, re.MULTILINE), command
        return
    target = typer.main.get_command(app)
    for word in [name, *words]:
        target = getattr(target, "commands", {}).get(word, target)
    options = {option for param in target.params for option in param.opts} | {"--help"}
    assert {word for word in [name, *words] if word.startswith("-")} <= options, command
    assert name.startswith("-") or name in typer.main.get_command(app).commands, command


def environment(home: Path) -> dict[str, str]:
    """What differs: the course's programs come first, and results stay in the folder."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {
        "PATH": path,
        "IFT_RESULTS": str(home / "results"),
        "OMP_NUM_THREADS": "1",
        "COLUMNS": "100",
    }
