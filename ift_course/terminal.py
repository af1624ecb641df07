"""Text from files and models, made safe to print.

A terminal obeys every escape sequence it receives. One in a data set can color, rename or clear
the terminal, hide a line behind a carriage return, or reverse the direction of writing.
"""

from __future__ import annotations

import re

# All control characters but newline and tab (C0, DEL, C1), and those that reorder text.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """The text with each control character as an escape such as \\x1b, which is harmless."""
    return CONTROL.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
