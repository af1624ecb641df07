"""Parts for the tests of the machinery, which need no torch. They run in a process of their own."""

import os
import time
from pathlib import Path

SIGN = "SIGN_OF_TOY_PARTS"  # names a folder in which each run leaves a line


def describe(context):
    context.add({"device": os.environ.get("TOY_DEVICE", "an abacus"), "torch": "0"}, "")


def no_gpu(context):
    from gpu_parts.machine import NO_GPU
    from gpu_parts.part import NotHere

    raise NotHere(NO_GPU)


def good(context):
    with (Path(os.environ[SIGN]) / "good").open("a", encoding="utf-8") as file:
        file.write("ran\n")
    context.add({"number": 1}, "number 1")


def bad(context):
    context.add({"number": 2}, "number 2")
    raise RuntimeError("the abacus has\nno beads")


def missing(context):
    from gpu_parts.part import NotHere

    raise NotHere("Two abaci are needed.")


def slow(context):
    context.add({"number": 3}, "number 3")
    time.sleep(60)


def dead(context):
    os._exit(3)
