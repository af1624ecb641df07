"""Trusted grades for untrusted code: student code returns values, the trusted process decides.

`submissions` finds what was handed in, `sandbox` runs it in a process that knows no check,
`grade` runs the checks in this process against what comes back, and `results` keeps every verdict
in one append-only file, from which `gradebook` and `reports` are made.
"""
