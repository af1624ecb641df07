import torch

from ift_course.exercises.misconceptions import misconception


def select(vectors, quality, count, floor, *, first=None, score=None, best=max, keep=None):
    left = [i for i, value in enumerate(quality) if (keep or (lambda v: v >= floor))(value)]
    taken = []
    while left and len(taken) < count:
        if not taken:
            chosen = first(left) if first else max(left, key=lambda i: quality[i])
        else:
            distances = torch.cdist(vectors[left].double(), vectors[taken].double())
            values = (score or (lambda d: d.min(dim=1).values))(distances).tolist()
            chosen = left[values.index(best(values))]
        taken.append(chosen)
        left.remove(chosen)
    return taken


@misconception(
    "The sum of the distances to all taken ones is largest at the rim; what counts is the distance "
    "to the nearest one."
)
def mean_distance(vectors, quality, count, floor):
    return select(vectors, quality, count, floor, score=lambda d: d.mean(dim=1))


@misconception("The distance to the farthest one taken is used; it is the nearest one that counts.")
def distance_to_the_farthest(vectors, quality, count, floor):
    return select(vectors, quality, count, floor, score=lambda d: d.max(dim=1).values)


@misconception("Only the distance to the one taken last is used; all that were taken count.")
def distance_to_the_last(vectors, quality, count, floor):
    return select(vectors, quality, count, floor, score=lambda d: d[:, -1])


@misconception("The record most *like* those taken is chosen; take the farthest.")
def nearest_instead_of_farthest(vectors, quality, count, floor):
    return select(vectors, quality, count, floor, best=min)


@misconception("It begins with the first record; it should begin with the one of highest quality.")
def begins_with_the_first(vectors, quality, count, floor):
    return select(vectors, quality, count, floor, first=lambda left: left[0])


@misconception(
    "The best records are taken, whether they differ or not; only the first is by quality."
)
def best_quality_only(vectors, quality, count, floor):
    good = [i for i, value in enumerate(quality) if value >= floor]
    return sorted(good, key=lambda i: -quality[i])[: max(count, 0)]


@misconception("The floor is not looked at, so bad records are taken as soon as they differ.")
def floor_ignored(vectors, quality, count, floor):
    return select(vectors, quality, count, floor, keep=lambda value: True)


@misconception("A record whose quality is the floor itself is left out; “at least” includes it.")
def above_the_floor_only(vectors, quality, count, floor):
    return select(vectors, quality, count, floor, keep=lambda value: value > floor)


@misconception(
    "The floor only holds for the first record; none below it may be taken later either."
)
def floor_for_the_first_only(vectors, quality, count, floor):
    if all(value < floor for value in quality):
        return []
    return select(vectors, quality, count, floor, keep=lambda value: True)


@misconception(
    "The indices are those of the good records, counted anew; return the places in the given list."
)
def indices_of_the_filtered_list(vectors, quality, count, floor):
    good = [i for i, value in enumerate(quality) if value >= floor]
    return [good.index(i) for i in select(vectors, quality, count, floor)]


@misconception("Of equal records the last is taken; it should be the one of the lowest index.")
def last_of_equals(vectors, quality, count, floor):
    turned = select(vectors.flip(0), quality[::-1], count, floor)
    return [len(quality) - 1 - i for i in turned]


@misconception(
    "The angle between vectors is used (cosine); the distance here is Euclidean, so length counts."
)
def cosine_distance(vectors, quality, count, floor):
    return select(torch.nn.functional.normalize(vectors.double(), dim=1), quality, count, floor)


@misconception("The indices are sorted; return them in the order in which they are taken.")
def sorted_indices(vectors, quality, count, floor):
    return sorted(select(vectors, quality, count, floor))
