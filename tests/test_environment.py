"""environment.yml, constraints.txt and pyproject.toml agree."""

import re
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parent.parent
CONDA_NAMES = {
    "torch": "pytorch",
    "matplotlib": "matplotlib-base",
    "Jinja2": "jinja2",
    "PyYAML": "pyyaml",
    "build": "python-build",
}


def pyproject() -> dict:
    tomllib = pytest.importorskip("tomllib", reason="tomllib is in Python 3.11 and newer")
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def requirements(*extras: str) -> list[Requirement]:
    project = pyproject()["project"]
    lines = [*project["dependencies"]]
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    return [Requirement(line) for line in lines]


def test_conda_environment_has_the_same_packages_and_ranges():
    conda = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    python = pyproject()["project"]["requires-python"]
    expected = {CONDA_NAMES.get(r.name, r.name) + str(r.specifier) for r in requirements("dev")}
    assert set(conda) == expected | {f"python{python}"}


def test_the_tested_set_satisfies_every_range():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    tested = {}
    for line in lines:
        if line and not line.startswith("#"):
            pin = Requirement(line)
            assert re.fullmatch(r"==[^+*]+", str(pin.specifier)), f"not an exact version: {line}"
            tested[pin.name.lower().replace("_", "-")] = str(pin.specifier).removeprefix("==")
    for requirement in requirements("dev", "real", "smollm2", "gpu"):
        version = tested[requirement.name.lower().replace("_", "-")]
        assert requirement.specifier.contains(version), f"{requirement} does not allow {version}"


@pytest.mark.parametrize("python", ["3.10.0", "3.11.0", "3.11.2", "3.12.0", "3.13.0"])
def test_no_pin_asks_for_what_a_python_cannot_install(python):
    """Debian 12 has 3.11.2, and a package that wants 3.11.5 stopped the whole installation."""
    environment = {"python_version": python.rpartition(".")[0], "python_full_version": python}
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    for pin in pins:
        if pin.marker and not pin.marker.evaluate(environment):
            continue
        try:
            package = metadata(pin.name)
        except PackageNotFoundError:
            continue  # an extra that is not installed here
        allowed = SpecifierSet(package.get("Requires-Python") or "")
        assert allowed.contains(python), f"{pin} is for Python {allowed}"
