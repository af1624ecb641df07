from ift_course.exercises.misconceptions import misconception, variants


def memory(
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


wrong = variants(memory)

one_number_in_the_optimizer = wrong(
    "AdamW keeps two numbers for each parameter, not one.", optimizer=4
)
gradients_in_half_precision = wrong(
    "Gradients take 4 bytes each, because they are in float32.", gradient=2
)


@misconception(
    "Your sum has gradients and optimizer states for the frozen base; only trained parameters "
    "have them."
)
def everything_is_trained(parameters, adapter, method):
    parts = memory(parameters, adapter, method)
    if method != "full":
        n = parameters + adapter
        parts |= {"gradients": 4 * n, "optimizer": 8 * n, "total": parts["weights"] + 12 * n}
    return parts


@misconception(
    "The adapter's own weights are missing; they are stored in addition to the frozen base."
)
def adapter_weights_forgotten(parameters, adapter, method):
    parts = memory(parameters, adapter, method)
    less = 0 if method == "full" else 4 * adapter
    return parts | {"weights": parts["weights"] - less, "total": parts["total"] - less}


adapter_counted_in_full = wrong(
    "Full fine-tuning has no adapter; do not count it there.",
    extra=lambda p, a, m: p + a if m == "full" else a,
)
base_in_float32 = wrong(
    "The frozen base is in bfloat16, with 2 bytes for each parameter, not 4.", base=4
)
scales_forgotten = wrong(
    "The scales of the blocks are missing; without them the codes mean nothing.",
    small=lambda p: -(-p // 2),
)
no_double_quantization = wrong(
    "Each scale takes 4 bytes in your sum; with double quantization it takes 1, plus 4 for every "
    "256 of them.",
    small=lambda p: -(-p // 2) + 4 * -(-p // 64),
)
rounded_down = wrong("You round down, but a started byte or block counts in full.", up=False)


@misconception("4 bits are half a byte; you count a whole byte for each weight.")
def eight_bits(parameters, adapter, method):
    def small(p):
        scales = -(-p // 64)
        return p + scales + 4 * -(-scales // 256)

    return memory(parameters, adapter, method, small=small)


fractions = wrong(
    "Bytes are integers, but division with `/` gives fractions.",
    small=lambda p: p / 2 + p / 64 + 4 * p / 64 / 256,
)


@misconception("An unknown method should be refused with a ValueError.")
def unknown_method_accepted(parameters, adapter, method):
    return memory(parameters, adapter, method if method in ("full", "qlora") else "lora")
