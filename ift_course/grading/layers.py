"""The layers of the sandbox by name, and what each of them keeps student code from."""

from __future__ import annotations

# The layers that a student's process puts on itself, in this order. Two more have no switch here:
# "rlimits" always holds, and "bubblewrap" goes around the whole server (see `sandbox`).
LAYERS = ("namespaces", "landlock", "seccomp")
# Without one of these, student code can read files, such as the hidden checks.
FILE_LAYERS = frozenset({"bubblewrap", "landlock"})

# What student code cannot do, and the layers of which any one prevents it.
PROTECTIONS: list[tuple[str, tuple[str, ...]]] = [
    ("read checks, solutions and the work of others", ("bubblewrap", "landlock")),
    ("write outside its own folder", ("bubblewrap", "landlock")),
    ("change modes, owners or times of files", ("seccomp", "bubblewrap", "namespaces")),
    ("fill the disk", ("namespaces",)),
    ("reach the network", ("bubblewrap", "namespaces", "seccomp")),
    ("start programs, leave processes behind", ("seccomp", "namespaces", "bubblewrap")),
    ("see or kill other processes", ("namespaces", "bubblewrap", "seccomp")),
    ("take more memory and time than it was given", ("rlimits",)),
]
