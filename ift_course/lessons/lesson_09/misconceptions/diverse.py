import torch

from ift_course.exercises.misconceptions import misconception, variants


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


wrong = variants(select)

mean_distance = wrong(
    "The mean distance to all selected records favors the rim; use the distance to the nearest "
    "one.",
    score=lambda d: d.mean(dim=1),
)
distance_to_the_farthest = wrong(
    "You use the distance to the farthest selected record; use the distance to the nearest one.",
    score=lambda d: d.max(dim=1).values,
)
distance_to_the_last = wrong(
    "You use only the distance to the record selected last; all selected records count.",
    score=lambda d: d[:, -1],
)
nearest_instead_of_farthest = wrong(
    "You select the record most *similar* to those selected so far; select the farthest.", best=min
)
begins_with_the_first = wrong(
    "The selection begins with the first record; it should begin with the one of highest quality.",
    first=lambda left: left[0],
)


@misconception(
    "The best records are selected whether they differ or not; quality decides only the first one."
)
def best_quality_only(vectors, quality, count, floor):
    good = [i for i, value in enumerate(quality) if value >= floor]
    return sorted(good, key=lambda i: -quality[i])[: max(count, 0)]


floor_ignored = wrong(
    "The floor is ignored, so bad records are selected as long as they differ.",
    keep=lambda value: True,
)


@misconception("A record whose quality is the floor itself is left out; “at least” includes it.")
def above_the_floor_only(vectors, quality, count, floor):
    return select(vectors, quality, count, floor, keep=lambda value: value > floor)


@misconception(
    "The floor applies only to the first record; no later record may be below it either."
)
def floor_for_the_first_only(vectors, quality, count, floor):
    if all(value < floor for value in quality):
        return []
    return select(vectors, quality, count, floor, keep=lambda value: True)


@misconception(
    "The indices refer to the filtered list of good records; return the positions in the given "
    "list."
)
def indices_of_the_filtered_list(vectors, quality, count, floor):
    good = [i for i, value in enumerate(quality) if value >= floor]
    return [good.index(i) for i in select(vectors, quality, count, floor)]


@misconception("Among equal records you select the last; select the one with the lowest index.")
def last_of_equals(vectors, quality, count, floor):
    turned = select(vectors.flip(0), quality[::-1], count, floor)
    return [len(quality) - 1 - i for i in turned]


@misconception(
    "You use the angle between vectors (cosine); the distance here is Euclidean, so length counts."
)
def cosine_distance(vectors, quality, count, floor):
    return select(torch.nn.functional.normalize(vectors.double(), dim=1), quality, count, floor)


@misconception("The indices are sorted; return them in the order of selection.")
def sorted_indices(vectors, quality, count, floor):
    return sorted(select(vectors, quality, count, floor))
