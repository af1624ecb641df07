from ift_course.exercises.misconceptions import misconception


def search(
    static,
    layers,
    hidden,
    vocabulary,
    length,
    budget,
    effective,
    *,
    order=None,
    fits=None,
    batches=None,
    kept=None,
    logits=8,
    token=None,
):
    activations = kept or {False: 34 * hidden * layers, True: 2 * hidden * layers + 34 * hidden}
    found = []
    for rank, (method, fixed) in enumerate(static.items()):
        for checkpointing, bytes_ in activations.items():
            for batch in batches or [n for n in range(effective, 0, -1) if effective % n == 0]:
                tokens = token(batch, length) if token else batch * length
                total = fixed + tokens * (bytes_ + logits * vocabulary)
                if (fits or (lambda t: t <= budget))(total):
                    found.append(
                        (
                            {"rank": rank, "checkpointing": checkpointing, "batch": -batch},
                            {
                                "method": method,
                                "checkpointing": checkpointing,
                                "batch": batch,
                                "accumulation": effective // batch,
                                "bytes": total,
                            },
                        )
                    )
    key = order or (lambda x: (x["rank"], x["checkpointing"], x["batch"]))
    return min(found, key=lambda x: key(x[0]))[1] if found else None


@misconception(
    "A large batch is preferred to training without checkpointing; a smaller batch with "
    "accumulation gives the same result and costs less."
)
def batch_before_checkpointing(
    static, layers, hidden, vocabulary, length, budget, effective_batch=16
):
    return search(
        static,
        layers,
        hidden,
        vocabulary,
        length,
        budget,
        effective_batch,
        order=lambda x: (x["rank"], x["batch"], x["checkpointing"]),
    )


@misconception(
    "Training without checkpointing is preferred to the better method; the method changes the "
    "result, so it comes first."
)
def checkpointing_before_the_method(
    static, layers, hidden, vocabulary, length, budget, effective_batch=16
):
    return search(
        static,
        layers,
        hidden,
        vocabulary,
        length,
        budget,
        effective_batch,
        order=lambda x: (x["checkpointing"], x["rank"], x["batch"]),
    )


@misconception("The smallest batch that fits is taken; take the largest.")
def smallest_batch(static, layers, hidden, vocabulary, length, budget, effective_batch=16):
    return search(
        static,
        layers,
        hidden,
        vocabulary,
        length,
        budget,
        effective_batch,
        order=lambda x: (x["rank"], x["checkpointing"], -x["batch"]),
    )


@misconception("Only powers of two are tried; every divisor of the effective batch will do.")
def powers_of_two_only(static, layers, hidden, vocabulary, length, budget, effective_batch=16):
    batches = [2**k for k in range(9, -1, -1) if effective_batch % 2**k == 0]
    return search(
        static, layers, hidden, vocabulary, length, budget, effective_batch, batches=batches
    )


@misconception(
    "The batch need not divide the effective batch for you; then batch times accumulation is "
    "another number."
)
def not_a_divisor(static, layers, hidden, vocabulary, length, budget, effective_batch=16):
    return search(
        static,
        layers,
        hidden,
        vocabulary,
        length,
        budget,
        effective_batch,
        batches=range(effective_batch, 0, -1),
    )


@misconception("Settings that take exactly the budget are left out; “at most” includes it.")
def exact_fit_refused(static, layers, hidden, vocabulary, length, budget, effective_batch=16):
    return search(
        static,
        layers,
        hidden,
        vocabulary,
        length,
        budget,
        effective_batch,
        fits=lambda total: total < budget,
    )


@misconception("The logits are missing; with a large vocabulary they are the largest part.")
def logits_forgotten(static, layers, hidden, vocabulary, length, budget, effective_batch=16):
    return search(static, layers, hidden, vocabulary, length, budget, effective_batch, logits=0)


@misconception(
    "With checkpointing one layer is still computed again at a time, and takes 34 * hidden."
)
def recomputed_layer_forgotten(
    static, layers, hidden, vocabulary, length, budget, effective_batch=16
):
    return search(
        static,
        layers,
        hidden,
        vocabulary,
        length,
        budget,
        effective_batch,
        kept={False: 34 * hidden * layers, True: 2 * hidden * layers},
    )


@misconception("The length is forgotten; a micro-batch has batch * length tokens.")
def length_forgotten(static, layers, hidden, vocabulary, length, budget, effective_batch=16):
    return search(
        static,
        layers,
        hidden,
        vocabulary,
        length,
        budget,
        effective_batch,
        token=lambda batch, length: batch,
    )


@misconception(
    "The memory of the whole effective batch is counted; with accumulation only a micro-batch "
    "is in memory at a time."
)
def accumulated_batch_in_memory(
    static, layers, hidden, vocabulary, length, budget, effective_batch=16
):
    return search(
        static,
        layers,
        hidden,
        vocabulary,
        length,
        budget,
        effective_batch,
        token=lambda batch, length: effective_batch * length,
    )


@misconception("The method that takes least is preferred; the order of `static` is the preference.")
def smallest_method_first(static, layers, hidden, vocabulary, length, budget, effective_batch=16):
    by_size = dict(sorted(static.items(), key=lambda item: item[1]))
    return search(by_size, layers, hidden, vocabulary, length, budget, effective_batch)


@misconception("When nothing fits you return the smallest settings anyway; return None.")
def always_an_answer(static, layers, hidden, vocabulary, length, budget, effective_batch=16):
    found = search(static, layers, hidden, vocabulary, length, budget, effective_batch)
    last = dict([list(static.items())[-1]])
    return found or search(
        last,
        layers,
        hidden,
        vocabulary,
        length,
        10**18,
        effective_batch,
        order=lambda x: (not x["checkpointing"], -x["batch"]),
    )
