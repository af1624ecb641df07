"""Data sets of the Hugging Face Hub, read as a stream, and what its errors mean."""

import os
import re
from itertools import islice

from ift_course.data.records import BadRow, Record
from ift_course.data.schemas import ACCEPTED, parse_row
from ift_course.errors import CourseError


def stream_records(name: str, number: int, *, split: str | None = None) -> list[Record]:
    """The first `number` usable conversations of a data set on the Hub, without downloading it all.

    Rows without an answer are passed over. `split` is the first one that is named after training
    (UltraChat calls it "train_sft") unless given.

    Raises CourseError when the Hub cannot be reached, the data set is not there, or its columns are
    of no known layout.
    """
    from datasets import get_dataset_split_names, load_dataset
    from huggingface_hub import HfApi

    try:
        HfApi().dataset_info(name)  # fails at once, where datasets tries for half a minute
        splits = get_dataset_split_names(name)
        split = split or next((s for s in splits if s.startswith("train")), splits[0])
        rows = load_dataset(name, split=split, streaming=True)
        records = list(islice(_usable(rows, f"{name}, {split}"), number))
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


def _usable(rows, source: str):
    last = None
    for number, row in enumerate(rows, 1):
        try:
            yield parse_row(row, f"{source}, row {number}").record
            last = None
        except BadRow as error:
            # One bad row is dirt; a hundred in a row are another layout.
            last = last or number
            if number - last >= 100:
                raise error


def first_sentence(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return re.split(r"(?<=[.:;]) ", text)[0].rstrip(".:;")[:200]


def hub_sentence(error: Exception, name: str, revision: str | None = None) -> str | None:
    """What a failed request to the Hub means for a person, or None when it is something else."""
    from huggingface_hub import errors

    page = f"{os.environ.get('HF_ENDPOINT', 'https://huggingface.co').rstrip('/')}/{name}"
    chain = []
    cause: BaseException | None = error
    while cause is not None:
        chain.append(cause)
        cause = cause.__cause__ or cause.__context__
    found = {type_ for link in chain for type_ in type(link).__mro__}
    if errors.GatedRepoError in found:
        return (
            f"{name} is gated: accept its terms on {page}, "
            "then run `hf auth login` on this machine."
        )
    if errors.RevisionNotFoundError in found:
        return f"{name} has no revision {revision}; check the profile or drop the revision."
    if errors.RepositoryNotFoundError in found:
        return f"The Hub has no public repository {name}; check the spelling of the name."
    if errors.EntryNotFoundError in found and errors.LocalEntryNotFoundError not in found:
        return f"{name} lacks a file that is needed ({first_sentence(error)})."
    names = {type_.__name__ for type_ in found}
    offline = {errors.OfflineModeIsEnabled, errors.LocalEntryNotFoundError, ConnectionError}
    if offline & found or "ConnectError" in names:
        why = "HF_HUB_OFFLINE is set" if os.environ.get("HF_HUB_OFFLINE") else "there is no network"
        return (
            f"The Hub cannot be reached ({why}) and {name} is not in its cache; connect once, or "
            "use the profile tiny or smollm2, which need no network."
        )
    return None
