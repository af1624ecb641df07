"""Text from files and models, made safe to print.

A terminal obeys what it is sent: an escape sequence in a data set can color it, rename it, clear
it, hide a line behind a carriage return, or turn the direction of writing around.
"""

import re

# All control characters but newline and tab (C0, DEL, C1), and those that reorder text.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """The text with each control character written out, as \\x1b, which a terminal only shows."""
    return CONTROL.sub(_written_out, text)


def _written_out(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
