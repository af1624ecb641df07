"""Silence the model libraries unless something is wrong."""

from __future__ import annotations

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator

from ift_course.session import QUIET

LOGGERS = (
    "accelerate", "bitsandbytes", "datasets", "huggingface_hub", "peft", "transformers", "trl",
)  # fmt: skip


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Suppress progress bars, notices and warnings of the model libraries; errors still raise.

    Unlike `setup`, this also works after the libraries have been imported.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
    from transformers.utils import logging as transformers_logging

    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
