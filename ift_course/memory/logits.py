"""The memory of head and loss: vocabulary × tokens, which surprises many people."""

from __future__ import annotations

from ift_course.memory.setup import FP32, Setup
from ift_course.memory.shape import Shape

# trl 1.16: trainer/utils.py and kernels/chunked_logprob.py.
CHUNK_VOCAB, CHUNK_TOKENS = 32_768, 4_096


def at_forward(shape: Shape, setup: Setup) -> int:
    """Return the bytes of logits, their fp32 copy if they are not fp32, and log-probabilities."""
    if setup.chunked_loss:
        return _chunk(shape, setup)
    upcast = 0 if setup.compute == FP32 else FP32
    return shape.vocab * setup.labeled_tokens * (setup.compute + upcast + FP32)


def at_loss_gradient(shape: Shape, setup: Setup) -> int:
    """Return the bytes of the log-probabilities, of their gradients and of the logits' gradients.

    All are fp32. With a chunked loss, only the gradient of the hidden states stays, in fp32 until
    it is complete.
    """
    if setup.chunked_loss:
        return _chunk(shape, setup) + (FP32 + setup.stored) * setup.tokens * shape.hidden
    return 3 * FP32 * shape.vocab * setup.labeled_tokens


def at_head_gradient(shape: Shape, setup: Setup) -> int:
    """Return the bytes while the logits' gradient passes back through the head.

    From it come the gradients of the hidden states and, if it is trained, of the head.
    """
    c = setup.compute
    gradients = c * (setup.labeled_tokens * shape.vocab + setup.tokens * shape.hidden)
    if setup.chunked_loss:
        gradients = at_loss_gradient(shape, setup)
    if setup.method != "full":
        return gradients
    head = shape.vocab_parameters
    return max(gradients + c * head, (c + setup.trained) * head if setup.autocast else 0)


def _chunk(shape: Shape, setup: Setup) -> int:
    return setup.compute * min(setup.tokens, CHUNK_TOKENS) * min(shape.vocab, CHUNK_VOCAB)
