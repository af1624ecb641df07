"""Prints constraints.txt from the running environment: `make lock`."""

from importlib.metadata import distributions

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

HEADER = """\
# The exact set the tests ran with, written by `make lock`. `ift doctor` compares with it.
# pip install -c constraints.txt -e '.[dev,real]'
"""
NOT_OURS = {"ift-course", "pip", "setuptools", "wheel"}


def line(distribution) -> str:
    """One pin, without the build of the wheel (+cpu), and only for the Pythons it exists for."""
    requirement = Requirement(f"{distribution.name}=={Version(distribution.version).public}")
    pythons = SpecifierSet(distribution.metadata.get("Requires-Python") or "")
    minor, patch = next((m, p) for m in range(10, 20) for p in range(40) if f"3.{m}.{p}" in pythons)
    if patch:  # Debian 12 has 3.11.2
        return f'{requirement}; python_full_version >= "3.{minor}.{patch}"'
    return f"{requirement}" + (f'; python_version >= "3.{minor}"' if minor > 10 else "")


lines = {line(d) for d in distributions() if d.name.lower().replace("_", "-") not in NOT_OURS}
print(HEADER + "\n".join(sorted(lines, key=str.lower)))
