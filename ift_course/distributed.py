"""Several processes that train one model together, each on its part of every batch.

`torchrun` and `accelerate launch` start the processes and number them in the environment;
transformers' Trainer does the rest. This module lets the rest of the package ask who writes files
and prints, and wait for the others.
"""

from __future__ import annotations

import os


def world_size() -> int:
    """Return how many processes train together; 1 without a launcher."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_main_process() -> bool:
    """Return whether this is the process that writes files and prints."""
    return os.environ.get("RANK", "0") == "0"


def uses_fsdp() -> bool:
    """Return whether each process holds only its shard of the model (FSDP), not a full copy."""
    return os.environ.get("ACCELERATE_USE_FSDP", "false").lower() == "true"


def set_local_device() -> None:
    """Make "cuda" mean this process's own GPU; otherwise all processes load onto the first."""
    import torch

    if world_size() > 1 and torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))


def barrier() -> None:
    """Wait until every process has reached this point."""
    import torch

    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.barrier()


def shutdown() -> None:
    """Wait for the other processes, then close the process group; torch warns of an open one."""
    import torch

    if torch.distributed.is_available() and torch.distributed.is_initialized():
        barrier()
        torch.distributed.destroy_process_group()
