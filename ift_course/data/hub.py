"""Data sets of the Hugging Face Hub, read as a stream, and what its errors mean."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from ift_course.data.records import BadRow, Record
from ift_course.data.schemas import ACCEPTED, parse_row
from ift_course.errors import CourseError

MAX_BAD_RUN = 100  # consecutive bad rows after which the layout is taken to be unknown


def stream_records(name: str, number: int, *, split: str | None = None) -> list[Record]:
    """Read the first usable conversations of a data set on the Hub, without downloading all of it.

    Args:
        name: the data set's name on the Hub.
        number: how many conversations to read; unusable rows do not count.
        split: the split; None is the first one that is named after training (UltraChat calls it
            "train_sft").

    Raises:
        CourseError: the Hub cannot be reached, the data set does not exist, or its columns fit no
            known layout.
    """
    from datasets import get_dataset_split_names, load_dataset
    from huggingface_hub import HfApi

    try:
        HfApi().dataset_info(name)  # fails at once, where `datasets` tries for half a minute
        splits = get_dataset_split_names(name)
        split = split or next((s for s in splits if s.startswith("train")), splits[0])
        rows = load_dataset(name, split=split, streaming=True)
        records = list(islice(_usable_records(rows, f"{name}, {split}"), number))
    except BadRow as error:
        raise CourseError(f"{name}: {error}.") from None
    except Exception as error:
        sentence = hub_sentence(error, name)
        if sentence is None:
            raise
        raise CourseError(sentence) from error
    if not records:
        raise CourseError(f"{name} has no usable row in its split {split}; it needs {ACCEPTED}.")
    return records


def _usable_records(rows: Iterable[Any], source: str) -> Iterator[Record]:
    first_bad = None  # of the current run of bad rows
    for number, row in enumerate(rows, 1):
        try:
            record = parse_row(row, f"{source}, row {number}").record
        except BadRow as error:
            first_bad = first_bad or number
            if number - first_bad >= MAX_BAD_RUN:
                raise error
        else:
            yield record
            first_bad = None


def first_sentence(error: Exception) -> str:
    """The first sentence of a library's message, for a part of ours."""
    text = " ".join(str(error).split()) or type(error).__name__
    return re.split(r"(?<=[.:;]) ", text)[0].rstrip(".:;")[:200]


def hub_sentence(error: Exception, name: str, revision: str | None = None) -> str | None:
    """What a failed request to the Hub means, in one sentence.

    Args:
        error: the exception of `huggingface_hub` or a library that uses it.
        name: the repository.
        revision: the revision that was requested.

    Returns:
        The sentence, or None when the error has another cause.
    """
    from huggingface_hub import errors

    page = f"{os.environ.get('HF_ENDPOINT', 'https://huggingface.co').rstrip('/')}/{name}"
    types = _types_in_chain(error)
    if errors.GatedRepoError in types:
        return (
            f"{name} is gated: accept its terms on {page}, "
            "then run `hf auth login` on this machine."
        )
    if errors.RevisionNotFoundError in types:
        return f"{name} has no revision {revision}; check the profile or drop the revision."
    if errors.RepositoryNotFoundError in types:
        return f"The Hub has no public repository {name}; check the spelling of the name."
    if errors.EntryNotFoundError in types and errors.LocalEntryNotFoundError not in types:
        return f"{name} lacks a file that is needed ({first_sentence(error)})."
    offline = {errors.OfflineModeIsEnabled, errors.LocalEntryNotFoundError, ConnectionError}
    if offline & types or "ConnectError" in {type_.__name__ for type_ in types}:
        cause = (
            "HF_HUB_OFFLINE is set" if os.environ.get("HF_HUB_OFFLINE") else "there is no network"
        )
        return (
            f"The Hub cannot be reached ({cause}) and {name} is not in its cache; connect once, or "
            "use the profile tiny or smollm2, which need no network."
        )
    return None


def _types_in_chain(error: BaseException | None) -> set[type]:
    """The types, with their base classes, of an exception and of all its causes."""
    types: set[type] = set()
    while error is not None:
        types.update(type(error).__mro__)
        error = error.__cause__ or error.__context__
    return types
