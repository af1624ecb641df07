import math

from ift_course.exercises.misconceptions import misconception


def refused(losses):
    if not any(losses):
        raise ValueError
    return [document for document in losses if document]


@misconception(
    "Each document is averaged first, so a token of a short document counts more; average over "
    "all tokens at once."
)
def mean_of_document_means(losses):
    means = [sum(document) / len(document) for document in refused(losses)]
    return math.exp(sum(means) / len(means))


@misconception(
    "This is the mean of the documents' perplexities; take the mean of the losses, then "
    "exponentiate."
)
def mean_of_perplexities(losses):
    each = [math.exp(sum(document) / len(document)) for document in refused(losses)]
    return sum(each) / len(each)


@misconception("Each token's loss is exponentiated before the mean; take the mean first.")
def exponential_before_the_mean(losses):
    each = [math.exp(loss) for document in refused(losses) for loss in document]
    return sum(each) / len(each)


@misconception("This is the mean loss; its exponential is the perplexity.")
def no_exponential(losses):
    each = [loss for document in refused(losses) for loss in document]
    return sum(each) / len(each)


@misconception("The losses are in nats, so the base is e and not 2.")
def power_of_two(losses):
    return 2 ** no_exponential(losses)


@misconception(
    "An empty document has no mean, so dividing by its length fails; count the tokens of all "
    "documents together."
)
def empty_document_divides_by_zero(losses):
    total = sum(sum(document) / len(document) * len(document) for document in losses)
    if not losses:
        raise ValueError
    return math.exp(total / sum(len(document) for document in losses))


@misconception(
    "Without any tokens there is nothing to measure, and a perplexity of 1 looks like a perfect "
    "model; raise a ValueError."
)
def nothing_looks_perfect(losses):
    each = [loss for document in losses for loss in document]
    return math.exp(sum(each) / max(1, len(each)))
