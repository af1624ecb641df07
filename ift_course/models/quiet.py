"""Libraries that say nothing unless something is wrong."""

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator

from ift_course.session import QUIET

CHATTY = (
    "accelerate", "bitsandbytes", "datasets", "huggingface_hub", "peft", "transformers", "trl",
)  # fmt: skip


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """No progress bars, notices or warnings of the model libraries inside; errors still raise.

    Unlike `setup`, it also works after the libraries were imported.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.ERROR)
    from transformers.utils import logging as transformers_logging

    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
