"""A submission in memory: its files, checked, and their hashes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ift_course.capstone.adapter_part import LoraSpec, check_adapter
from ift_course.capstone.data_part import parse_rows
from ift_course.capstone.report_part import check_report
from ift_course.capstone.rules import (
    ADAPTER,
    ADAPTER_SETTINGS,
    DATA,
    FORMAT,
    MANIFEST,
    PARTS,
    REPORT,
    SETTINGS,
    Refusal,
)
from ift_course.capstone.settings_part import RunSettings, parse_settings
from ift_course.data.records import Record


@dataclass(frozen=True)
class Submission:
    """The files of a submission that keeps the rules.

    Attributes:
        title: What its author calls the assistant.
        files: Content by name, without the manifest.
    """

    title: str
    files: Mapping[str, bytes]

    @cached_property
    def records(self) -> list[Record]:
        """The training rows."""
        return parse_rows(self.files[DATA])

    @cached_property
    def settings(self) -> RunSettings:
        """How the adapter was trained, as its author says."""
        return parse_settings(_json(self.files[SETTINGS], SETTINGS))

    @cached_property
    def spec(self) -> LoraSpec:
        """What the adapter is."""
        return check_adapter(self.files[ADAPTER], self.files[ADAPTER_SETTINGS])

    @property
    def report(self) -> str:
        """The report in Markdown."""
        try:
            return self.files[REPORT].decode("utf-8")
        except UnicodeDecodeError:
            raise Refusal("report", f"The report ({REPORT}) is no text in UTF-8.") from None

    @property
    def hashes(self) -> dict[str, str]:
        """The SHA-256 of each file."""
        return {name: hashlib.sha256(self.files[name]).hexdigest() for name in PARTS}

    def manifest(self, base: str, version: str) -> bytes:
        """The manifest as a file.

        Args:
            base: The identity of the base that the adapter belongs to.
            version: Of the package.
        """
        content = {
            "format": FORMAT, "title": self.title, "base": base, "package": version,
            "sha256": self.hashes,
        }  # fmt: skip
        return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()

    def check(self) -> None:
        """Check all files but the numbers of the adapter, which are not read here.

        Raises:
            Refusal: One of them breaks a rule.
        """
        _ = self.records, self.settings, self.spec
        check_report(self.report)


def check_manifest(content: bytes, submission: Submission, base: str) -> str:
    """Compare a manifest with the files, and return the title.

    Args:
        content: Of the manifest.
        submission: The files.
        base: The identity of the course's base here.

    Raises:
        Refusal: They do not belong together, or the base is another one.
    """
    manifest = _json(content, MANIFEST)
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise Refusal("manifest", f"{MANIFEST} is of another form; pack again with `ift submit`.")
    sums = manifest.get("sha256")
    hashes = submission.hashes
    for name in PARTS:
        if not isinstance(sums, dict) or sums.get(name) != hashes[name]:
            raise Refusal(
                "manifest", f"{name} is not the file that {MANIFEST} names (SHA-256); pack again "
                "with `ift submit` instead of changing the zip."
            )  # fmt: skip
    if manifest.get("base") != base:
        raise Refusal(
            "wrong base", f"The adapter belongs to the base {str(manifest.get('base'))[:40]}, and "
            f"the course's is {base}; install the version of the course that your class uses."
        )  # fmt: skip
    title = manifest.get("title")
    return title if isinstance(title, str) else ""


def _json(content: bytes, name: str) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise Refusal("corrupted", f"{name} is damaged (no JSON); pack again.") from None
