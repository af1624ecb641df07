"""Which rung of the ladder keeps student code from what, for `ift doctor --grading`."""

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
