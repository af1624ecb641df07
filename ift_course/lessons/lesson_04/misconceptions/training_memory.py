from ift_course.exercises.misconceptions import misconception


def ledger(
    parameters,
    adapter,
    method,
    *,
    up=True,
    optimizer=8,
    gradient=4,
    extra=None,
    small=None,
    base=None,
):
    if method not in ("full", "lora", "qlora"):
        raise ValueError(method)

    def part(value, size):
        return -(-value // size) if up else value // size

    scales = part(parameters, 64)
    four = small(parameters) if small else (part(parameters, 2) + scales + 4 * part(scales, 256))
    frozen = {"full": 0, "lora": (base or 2) * parameters, "qlora": four}[method]
    trained = parameters if method == "full" else adapter
    if extra:
        trained = extra(parameters, adapter, method)
    parts = {
        "weights": frozen + 4 * trained,
        "gradients": gradient * trained,
        "optimizer": optimizer * trained,
    }
    return parts | {"total": sum(parts.values())}


@misconception("AdamW keeps two numbers for each parameter, not one.")
def one_number_in_the_optimizer(parameters, adapter, method):
    return ledger(parameters, adapter, method, optimizer=4)


@misconception("Gradients take 4 bytes each, for they are in float32.")
def gradients_in_half_precision(parameters, adapter, method):
    return ledger(parameters, adapter, method, gradient=2)


@misconception(
    "The frozen base has gradients and optimizer numbers in your ledger; only what is trained does."
)
def everything_is_trained(parameters, adapter, method):
    found = ledger(parameters, adapter, method)
    if method != "full":
        n = parameters + adapter
        found |= {"gradients": 4 * n, "optimizer": 8 * n, "total": found["weights"] + 12 * n}
    return found


@misconception("The adapter's own weights are missing; they lie beside the frozen base.")
def adapter_weights_forgotten(parameters, adapter, method):
    found = ledger(parameters, adapter, method)
    less = 0 if method == "full" else 4 * adapter
    return found | {"weights": found["weights"] - less, "total": found["total"] - less}


@misconception("Full fine-tuning has no adapter; it does not count there.")
def adapter_counted_in_full(parameters, adapter, method):
    return ledger(parameters, adapter, method, extra=lambda p, a, m: p + a if m == "full" else a)


@misconception("The frozen base is in bfloat16, with 2 bytes for each parameter, not 4.")
def base_in_float32(parameters, adapter, method):
    return ledger(parameters, adapter, method, base=4)


@misconception("The scales of the blocks are missing; without them the codes mean nothing.")
def scales_forgotten(parameters, adapter, method):
    return ledger(parameters, adapter, method, small=lambda p: -(-p // 2))


@misconception(
    "Each scale takes 4 bytes in your ledger; with double quantization it takes 1, and 4 more for "
    "every 256 of them."
)
def no_double_quantization(parameters, adapter, method):
    return ledger(parameters, adapter, method, small=lambda p: -(-p // 2) + 4 * -(-p // 64))


@misconception("Blocks that are begun count in full; you round down.")
def rounded_down(parameters, adapter, method):
    return ledger(parameters, adapter, method, up=False)


@misconception("4 bits are half a byte; you count a whole byte for each weight.")
def eight_bits(parameters, adapter, method):
    def small(p):
        scales = -(-p // 64)
        return p + scales + 4 * -(-scales // 256)

    return ledger(parameters, adapter, method, small=small)


@misconception("Bytes are whole numbers; the division with `/` gives fractions.")
def fractions(parameters, adapter, method):
    return ledger(parameters, adapter, method, small=lambda p: p / 2 + p / 64 + 4 * p / 64 / 256)


@misconception("A method that nobody knows should be refused with a ValueError.")
def unknown_method_accepted(parameters, adapter, method):
    return ledger(parameters, adapter, method if method in ("full", "qlora") else "lora")
