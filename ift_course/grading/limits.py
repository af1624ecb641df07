"""What a student's process may do."""

from __future__ import annotations

from dataclasses import dataclass, field

from ift_course.grading.layers import LAYERS

FOLDER_MB = 64  # all that a student's process may write


@dataclass(frozen=True)
class SandboxLimits:
    """What a student's process may do.

    Attributes:
        folder: The one place to write.
        readable: Paths that may be read, with everything in them.
        listable: Folders whose names may be listed.
        memory_mb: Memory on top of what Python and torch take.
        layers: The layers to try.
        cpu_seconds: Processor time.
        user: Number of the user to become; 0 to remain the same user.
        folder_mb: Size of the folder and of one file.
    """

    folder: str
    readable: list[str] = field(default_factory=list)
    listable: list[str] = field(default_factory=list)
    memory_mb: int = 2048
    layers: tuple[str, ...] = LAYERS
    cpu_seconds: int = 120
    user: int = 0
    folder_mb: int = FOLDER_MB
