"""Several processes that train one model together, each on its part of every batch.

`torchrun` and `accelerate launch` start them and number them in the environment; transformers'
Trainer does the rest. What is left to us is that only the first one writes and speaks.
"""

import os


def count() -> int:
    """How many processes train together; 1 without a launcher."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    """Whether this is the one that writes files and prints."""
    return os.environ.get("RANK", "0") == "0"


def share_the_model() -> bool:
    """Whether each process holds only its part of the model (FSDP), not a copy of the whole."""
    return os.environ.get("ACCELERATE_USE_FSDP", "false").lower() == "true"


def take_own_gpu() -> None:
    """Make this process's GPU the one that "cuda" means; without it, all load onto the first."""
    import torch

    if count() > 1 and torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))


def wait() -> None:
    """Go on only when every process is here."""
    import torch

    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.barrier()


def leave() -> None:
    """The end of the common work; torch warns of a group that nobody has closed."""
    import torch

    if torch.distributed.is_available() and torch.distributed.is_initialized():
        wait()
        torch.distributed.destroy_process_group()
