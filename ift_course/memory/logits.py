"""The memory of head and loss: vocabulary × tokens, which surprises many people."""

from __future__ import annotations

from ift_course.memory.setup import FP32, Setup
from ift_course.memory.shape import Shape

# trl 1.16: trainer/utils.py and kernels/chunked_logprob.py.
CHUNK_VOCAB, CHUNK_TOKENS = 32_768, 4_096
# Arrays of a chunk's size, in fp32, that PyTorch holds where no Triton kernel works in place: in
# the forward pass, and in the backward pass, where one more is of bool.
ARRAYS_FORWARD, ARRAYS_BACKWARD = 3, 7.25


def at_forward(shape: Shape, setup: Setup) -> int:
    """Return the bytes of logits, their fp32 copy if they are not fp32, and log-probabilities."""
    if setup.chunked_loss:
        return _chunk(shape, setup, ARRAYS_FORWARD)
    upcast = 0 if setup.compute == FP32 else FP32
    logits = shape.vocab * setup.labeled_tokens * (setup.compute + upcast + FP32)
    return logits + _head_copy(shape, setup, shape.vocab)


def at_loss_gradient(shape: Shape, setup: Setup) -> int:
    """Return the bytes of the log-probabilities, of their gradients and of the logits' gradients.

    All are fp32. With a chunked loss, only the gradient of the hidden states stays, in fp32 until
    it is complete.
    """
    if setup.chunked_loss:
        chunk = _chunk(shape, setup, ARRAYS_BACKWARD)
        return chunk + (FP32 + setup.stored) * setup.tokens * shape.hidden
    logits = 3 * FP32 * shape.vocab * setup.labeled_tokens
    return logits + _head_copy(shape, setup, shape.vocab)


def at_head_gradient(shape: Shape, setup: Setup) -> int:
    """Return the bytes while the logits' gradient passes back through the head.

    From it come the gradients of the hidden states and, if it is trained, of the head.
    """
    c = setup.compute
    gradients = c * (setup.labeled_tokens * shape.vocab + setup.tokens * shape.hidden)
    if setup.chunked_loss:
        gradients = at_loss_gradient(shape, setup)
    else:
        gradients += _head_copy(shape, setup, shape.vocab)
    if setup.method != "full":
        return gradients
    head = shape.vocab_parameters
    return max(gradients + c * head, (c + setup.trained) * head if setup.autocast else 0)


def _chunk(shape: Shape, setup: Setup, arrays: float) -> int:
    """Return the bytes of one chunk of the logits, and of what is computed from it.

    Args:
        shape: The model.
        setup: The run.
        arrays: fp32 arrays of the chunk's size, without Triton.
    """
    vocab = min(shape.vocab, CHUNK_VOCAB)
    size = min(setup.tokens, CHUNK_TOKENS) * vocab
    extra = 0 if setup.triton else int(FP32 * arrays * size)
    return setup.compute * size + extra + _head_copy(shape, setup, vocab)


def _head_copy(shape: Shape, setup: Setup, vocab: int) -> int:
    """Return the bytes of the half-precision copy of that many rows of a frozen fp32 head."""
    if not setup.float32_vocab or setup.compute == FP32:
        return 0
    return setup.compute * vocab * shape.hidden
