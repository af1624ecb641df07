"""The head and the loss: vocabulary × tokens, what surprises people."""

from __future__ import annotations

from ift_course.memory.setup import FP32, Setup
from ift_course.memory.shape import Shape

# trl 1.16: trainer/utils.py and kernels/chunked_logprob.py.
TILE_VOCAB, TILE_TOKENS = 32_768, 4_096


def at_forward(shape: Shape, setup: Setup) -> int:
    """Logits, the fp32 copy transformers makes if they are not fp32, and log-probabilities."""
    if setup.tiles:
        return _tile(shape, setup)
    upcast = 0 if setup.compute == FP32 else FP32
    return shape.vocab * setup.tokens * (setup.compute + upcast + FP32)


def at_loss_gradient(shape: Shape, setup: Setup) -> int:
    """Log-probabilities, the gradient of each, and from both the gradient of the logits: fp32.

    In tiles, only the gradient of the hidden states lasts, in fp32 until it is complete.
    """
    if setup.tiles:
        return _tile(shape, setup) + (FP32 + setup.stored) * setup.tokens * shape.hidden
    return 3 * FP32 * shape.vocab * setup.tokens


def at_head_gradient(shape: Shape, setup: Setup) -> int:
    """The logits' gradient goes back through the head: to the hidden states, and to the head."""
    c = setup.compute
    going = c * setup.tokens * (shape.vocab + shape.hidden)
    if setup.tiles:
        going = at_loss_gradient(shape, setup)
    if setup.method != "full":
        return going
    head = shape.vocab_parameters
    return max(going + c * head, (c + setup.trained) * head if setup.autocast else 0)


def _tile(shape: Shape, setup: Setup) -> int:
    return setup.compute * min(setup.tokens, TILE_TOKENS) * min(shape.vocab, TILE_VOCAB)
