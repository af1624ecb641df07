from ift_course.exercises.misconceptions import misconception, variants


def search(
    static, layers, hidden, vocabulary, length, budget, effective=16, *, logits=8, recomputed=34,
    fits=lambda total, budget: total <= budget,
    batches=lambda n: [batch for batch in range(n, 0, -1) if n % batch == 0],
    tokens=lambda batch, length, effective: batch * length,
    order=lambda x: (x["rank"], x["checkpointing"], -x["batch"]),
):  # fmt: skip
    """Search all settings; the keyword arguments are the rules that a misconception replaces."""
    activations = {False: 34 * hidden * layers, True: 2 * hidden * layers + recomputed * hidden}
    fitting = []
    for rank, (method, fixed) in enumerate(static.items()):
        for checkpointing, per_token in activations.items():
            for batch in batches(effective):
                count = tokens(batch, length, effective)
                total = fixed + count * (per_token + logits * vocabulary)
                if fits(total, budget):
                    fitting.append(
                        {
                            "rank": rank,
                            "method": method,
                            "checkpointing": checkpointing,
                            "batch": batch,
                            "accumulation": effective // batch,
                            "bytes": total,
                        }
                    )
    if not fitting:
        return None
    best = min(fitting, key=order)
    return {name: value for name, value in best.items() if name != "rank"}


wrong = variants(search)

batch_before_checkpointing = wrong(
    "You prefer a large batch to training without checkpointing; a smaller batch with "
    "accumulation gives the same result and costs less.",
    order=lambda x: (x["rank"], -x["batch"], x["checkpointing"]),
)
checkpointing_before_the_method = wrong(
    "You prefer training without checkpointing to the better method; the method changes the "
    "result, so it comes first.",
    order=lambda x: (x["checkpointing"], x["rank"], -x["batch"]),
)
smallest_batch = wrong(
    "You take the smallest batch that fits; take the largest.",
    order=lambda x: (x["rank"], x["checkpointing"], x["batch"]),
)
powers_of_two_only = wrong(
    "You try only powers of two; every divisor of the effective batch is allowed.",
    batches=lambda n: [2**k for k in range(9, -1, -1) if n % 2**k == 0],
)
not_a_divisor = wrong(
    "Your batch need not divide the effective batch, so batch times accumulation is a different "
    "number.",
    batches=lambda n: range(n, 0, -1),
)
exact_fit_refused = wrong(
    "You leave out settings that take exactly the budget; “at most” includes it.",
    fits=lambda total, budget: total < budget,
)
logits_forgotten = wrong(
    "The logits are missing; with a large vocabulary they are the largest part.", logits=0
)
recomputed_layer_forgotten = wrong(
    "With checkpointing, one layer at a time is still recomputed, which takes 34 * hidden.",
    recomputed=0,
)
length_forgotten = wrong(
    "The length is missing; a micro-batch has batch * length tokens.",
    tokens=lambda batch, length, effective: batch,
)
accumulated_batch_in_memory = wrong(
    "You count the memory of the whole effective batch; with accumulation only one micro-batch is "
    "in memory at a time.",
    tokens=lambda batch, length, effective: effective * length,
)


@misconception(
    "You prefer the method that takes the least memory; the order of `static` is the preference."
)
def smallest_method_first(static, layers, hidden, vocabulary, length, budget, effective_batch=16):
    by_size = dict(sorted(static.items(), key=lambda item: item[1]))
    return search(by_size, layers, hidden, vocabulary, length, budget, effective_batch)


@misconception("When nothing fits, you return the smallest settings anyway; return None.")
def always_an_answer(static, layers, hidden, vocabulary, length, budget, effective_batch=16):
    best = search(static, layers, hidden, vocabulary, length, budget, effective_batch)
    last = dict([list(static.items())[-1]])
    return best or search(
        last, layers, hidden, vocabulary, length, 10**18, effective_batch,
        order=lambda x: (not x["checkpointing"], x["batch"]),
    )  # fmt: skip
