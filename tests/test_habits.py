"""What only a service or a hook reads is well formed, and what pages promise of make exists."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import ift_course
from ift_course.links import repository_url
from ift_course.paths import checkout

ROOT = checkout() or Path()
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
TEMPLATE = ROOT / ".github" / "pull_request_template.md"
COMMAND = re.compile(r"(?:`|^ *|run: |- )make ((?:[a-z][a-z-]*[ `\n]+)+)", re.MULTILINE)
EXPRESSION = re.compile(r"\$\{\{ *([a-z_]+)[.\w-]*[^}]*\}\}")
CALLERS = [
    path for path in [*PAGES, *WORKFLOWS, TEMPLATE] if COMMAND.search(path.read_text("utf-8"))
]
CONTEXTS = {"github", "inputs", "matrix", "steps", "vars"}


def read(path: Path) -> Any:
    """The content of a YAML file of the repository."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def targets() -> set[str]:
    """The targets of the Makefile that a user may name."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_has_jobs_with_steps_and_limits(path):
    workflow = read(path)
    assert {"name", True, "permissions", "jobs"} <= set(workflow)  # YAML reads the key "on" as true
    for name, job in workflow["jobs"].items():
        assert job["timeout-minutes"] <= 120, name
        assert job["steps"], name
        assert all(("uses" in step) != ("run" in step) for step in job["steps"]), name
        assert set(job.get("needs", "").split()) <= set(workflow["jobs"]), name
    text = path.read_text(encoding="utf-8")
    assert set(EXPRESSION.findall(text)) <= CONTEXTS
    assert "never executed" in text.splitlines()[1]


def test_actions_of_this_repository_exist():
    uses = [
        step["uses"]
        for path in WORKFLOWS
        for job in read(path)["jobs"].values()
        for step in job["steps"]
        if step.get("uses", "").startswith("./")
    ]
    assert uses
    assert all((ROOT / name / "action.yml").exists() for name in uses)


def test_pull_requests_run_every_tier_that_ci_runs_here():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    [tiers] = re.findall(r"^for target in (.+); do$", script, re.MULTILINE)
    jobs = read(ROOT / ".github" / "workflows" / "ci.yml")["jobs"].values()
    commands = "\n".join(step.get("run", "") for job in jobs for step in job["steps"])
    for tier in set(tiers.split()) - {"test"}:
        assert re.search(rf"\bmake\b.* {tier}\b", commands), tier
    assert "python -m pytest" in commands


@pytest.mark.parametrize("path", CALLERS, ids=lambda path: path.name)
def test_every_make_target_that_a_page_or_a_workflow_names_exists(path):
    names = {
        name
        for words in COMMAND.findall(path.read_text(encoding="utf-8"))
        for name in words.replace("`", " ").split()[: None if path in WORKFLOWS else 1]
    }
    assert names <= targets()


def test_the_makefile_lists_all_its_targets_as_commands():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    [phony] = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert set(phony.split()) == targets()
    help_lines = re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE)
    assert set(help_lines) == targets()


def test_the_hooks_use_the_ruff_that_ci_uses():
    repositories = {x["repo"]: x for x in read(ROOT / ".pre-commit-config.yaml")["repos"]}
    assert all(x["rev"] and x["hooks"] for x in repositories.values())
    [ruff] = [x for name, x in repositories.items() if name.endswith("ruff-pre-commit")]
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert f"ruff=={ruff['rev'].removeprefix('v')}" in pins


def test_no_tracked_file_is_larger_than_the_hook_allows():
    hooks = [
        hook for repo in read(ROOT / ".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]
    ]
    [guard] = [x for x in hooks if x["id"] == "check-added-large-files"]
    limit = 1024 * int(guard["args"][0].removeprefix("--maxkb="))
    result = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if result.returncode:
        pytest.skip("this is not a clone")
    paths = [ROOT / name for name in result.stdout.split("\0") if name]
    large = {x.name for x in paths if x.is_file() and x.stat().st_size > limit}
    assert large == {"model.safetensors"}, "the base model is the only large file"


def test_the_citation_names_this_version_and_this_repository():
    citation = read(ROOT / "CITATION.cff")
    assert citation["cff-version"] == "1.2.0"
    assert str(citation["version"]) == ift_course.__version__
    assert citation["repository-code"] == repository_url()
    assert all(citation[key] for key in ("message", "title", "authors", "license"))


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_an_issue_form_asks_questions_with_ids_of_their_own(path):
    form = read(path)
    assert form["name"] and form["description"]
    ids = [question["id"] for question in form["body"]]
    assert len(set(ids)) == len(ids) > 0
    assert all(question["attributes"]["label"] for question in form["body"])


def test_faults_of_the_sandbox_are_sent_to_private_reports():
    [link] = read(ROOT / ".github" / "ISSUE_TEMPLATE" / "config.yml")["contact_links"]
    assert link["url"].startswith(f"{repository_url()}/security/advisories")
