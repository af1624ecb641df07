"""The header of a safetensors file, read by hand: names, types, shapes, and no number.

The format is eight bytes with the length of a JSON object, the object, and the numbers behind it
(https://huggingface.co/docs/safetensors). What is not exactly of this form is refused before any
library sees it.
"""

from __future__ import annotations

import json
import math
from typing import NamedTuple

from ift_course.capstone.rules import ADAPTER, Refusal

LONGEST_HEADER = 256 << 10  # bytes; an adapter of the course's base takes about 10 kB
MOST_TENSORS = 500
ITEM_SIZES = {"F32": 4, "F16": 2, "BF16": 2}
PICKLE_STARTS = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


class TensorInfo(NamedTuple):
    """What a header says of one tensor."""

    dtype: str
    shape: tuple[int, ...]


def read_header(content: bytes) -> dict[str, TensorInfo]:
    """Return type and shape of each tensor of a safetensors file, by name.

    Args:
        content: The whole file.

    Raises:
        Refusal: It is no such file, it is damaged, or a type is not among F32, F16 and BF16.
    """
    if content.startswith(PICKLE_STARTS):
        raise Refusal(
            "pickle", f"{ADAPTER} is a pickle under another name, which could run code; save the "
            "adapter with save_pretrained, which writes safetensors."
        )  # fmt: skip
    length = int.from_bytes(content[:8], "little")
    if not 2 <= length <= min(LONGEST_HEADER, len(content) - 8):
        raise _damaged("its header has an impossible length")
    try:
        header = json.loads(content[8 : 8 + length])
    except (ValueError, RecursionError):
        raise _damaged("its header is no JSON") from None
    if not isinstance(header, dict):
        raise _damaged("its header is no object")
    header.pop("__metadata__", None)
    if not 0 < len(header) <= MOST_TENSORS:
        raise _damaged(f"it has {len(header):,} tensors")
    infos, spans = {}, []
    for name, entry in header.items():
        infos[name], span = _tensor(name, entry)
        spans.append(span)
    _refuse_gaps(sorted(spans), len(content) - 8 - length)
    return infos


def _tensor(name: str, entry: object) -> tuple[TensorInfo, tuple[int, int]]:
    """Return a tensor's type and shape, and where its bytes begin and end."""
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise _damaged("its header has an entry of another form")
    dtype, shape, span = entry["dtype"], entry["shape"], entry["data_offsets"]
    if dtype not in ITEM_SIZES:
        raise Refusal("tensors", f"{ADAPTER} has numbers of the type {str(dtype)[:20]}; save it in "
                      "float32, float16 or bfloat16.")  # fmt: skip
    if not _are_counts(shape) or not _are_counts(span) or len(span) != 2 or len(shape) > 4:
        raise _damaged("its header has an impossible shape or place")
    if span[1] - span[0] != math.prod(shape) * ITEM_SIZES[dtype]:
        raise _damaged(f"the size of {name[:100]} does not fit its shape")
    return TensorInfo(dtype, tuple(shape)), (span[0], span[1])


def _are_counts(values: object) -> bool:
    return isinstance(values, list) and all(type(x) is int and 0 <= x < 1 << 40 for x in values)


def _refuse_gaps(spans: list[tuple[int, int]], size: int) -> None:
    """Raise unless the tensors fill the file, one directly behind the other."""
    end = 0
    for first, last in spans:
        if first != end:
            raise _damaged("its tensors overlap or leave gaps")
        end = last
    if end != size:
        raise _damaged(f"it has {size:,} bytes of numbers, and its header names {end:,}")


def _damaged(why: str) -> Refusal:
    return Refusal("corrupted", f"{ADAPTER} is damaged or cut off ({why}); save and pack it again.")
