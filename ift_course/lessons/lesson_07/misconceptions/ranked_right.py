from ift_course.exercises.misconceptions import misconception


def pairs(prompts, right, *, same=True):
    answers = range(len(prompts))
    return [
        (i, j)
        for i in answers
        for j in answers
        if right[i] and not right[j] and (not same or prompts[i] == prompts[j])
    ]


def score(prompts, rewards, right, *, same=True, tie=0.5, of=None):
    found = pairs(prompts, right, same=same)
    if not found:
        raise ValueError
    points = [
        1.0 if rewards[i] > rewards[j] else tie if rewards[i] == rewards[j] else 0.0
        for i, j in found
    ]
    return (of or (lambda found, points: sum(points) / len(points)))(found, points)


@misconception(
    "Answers to different prompts are compared; a reward says nothing about two prompts."
)
def across_prompts(prompts, rewards, right):
    return score(prompts, rewards, right, same=False)


@misconception("Equal rewards count nothing for you; they count one half.")
def ties_lose(prompts, rewards, right):
    return score(prompts, rewards, right, tie=0.0)


@misconception("Equal rewards count as ranked well; they count one half.")
def ties_win(prompts, rewards, right):
    return score(prompts, rewards, right, tie=1.0)


@misconception(
    "Each prompt counts the same for you; each pair does, so a prompt with many counts more."
)
def mean_of_prompts(prompts, rewards, right):
    def of(found, points):
        each = {}
        for (i, _), point in zip(found, points, strict=True):
            each.setdefault(prompts[i], []).append(point)
        return sum(sum(p) / len(p) for p in each.values()) / len(each)

    return score(prompts, rewards, right, of=of)


@misconception(
    "The share of pairs ranked badly is returned; ranked well is when the right one wins."
)
def the_other_way_round(prompts, rewards, right):
    return 1 - score(prompts, rewards, right)


@misconception("The number of pairs is returned; divide by how many there are.")
def not_divided(prompts, rewards, right):
    return score(prompts, rewards, right, of=lambda found, points: sum(points))


@misconception(
    "It is counted how often the best answer of a prompt is right; what is asked is about pairs."
)
def best_answer_right(prompts, rewards, right):
    score(prompts, rewards, right)
    hits = []
    for prompt in dict.fromkeys(prompts):
        own = [i for i, other in enumerate(prompts) if other == prompt]
        if any(right[i] for i in own) and not all(right[i] for i in own):
            hits.append(float(right[max(own, key=lambda i: rewards[i])]))
    return sum(hits) / len(hits)


@misconception(
    "A reward above 0 is taken for the verdict 'right'; only the order of two rewards means "
    "anything."
)
def sign_as_verdict(prompts, rewards, right):
    score(prompts, rewards, right)
    agreed = [(reward > 0) == truth for reward, truth in zip(rewards, right, strict=True)]
    return sum(agreed) / len(agreed)


@misconception("Without any pair there is nothing to say; raise a ValueError.")
def half_without_pairs(prompts, rewards, right):
    return score(prompts, rewards, right) if pairs(prompts, right) else 0.5


@misconception(
    "Only neighbors are compared; every right answer meets every wrong one of its prompt."
)
def neighbors_only(prompts, rewards, right):
    def of(found, points):
        near = [p for (i, j), p in zip(found, points, strict=True) if abs(i - j) == 1]
        return sum(near) / max(1, len(near))

    return score(prompts, rewards, right, of=of)
