from ift_course.exercises.misconceptions import misconception, variants


def pairs(prompts, right, *, same=True):
    answers = range(len(prompts))
    return [
        (i, j)
        for i in answers
        for j in answers
        if right[i] and not right[j] and (not same or prompts[i] == prompts[j])
    ]


def score(prompts, rewards, right, *, same=True, tie=0.5, of=None):
    compared = pairs(prompts, right, same=same)
    if not compared:
        raise ValueError
    points = [
        1.0 if rewards[i] > rewards[j] else tie if rewards[i] == rewards[j] else 0.0
        for i, j in compared
    ]
    return (of or (lambda compared, points: sum(points) / len(points)))(compared, points)


wrong = variants(score)

across_prompts = wrong(
    "Answers to different prompts are compared; rewards are comparable only within a prompt.",
    same=False,
)
ties_lose = wrong("Equal rewards count as 0 in your version; they should count one half.", tie=0.0)
ties_win = wrong("Equal rewards count as ranked correctly; they should count one half.", tie=1.0)


@misconception(
    "Each prompt counts the same in your version; each pair should, so a prompt with many pairs "
    "counts more."
)
def mean_of_prompts(prompts, rewards, right):
    def of(compared, points):
        each = {}
        for (i, _), point in zip(compared, points, strict=True):
            each.setdefault(prompts[i], []).append(point)
        return sum(sum(p) / len(p) for p in each.values()) / len(each)

    return score(prompts, rewards, right, of=of)


@misconception(
    "You return the share of pairs ranked incorrectly; a pair is ranked correctly when the right "
    "answer wins."
)
def the_other_way_round(prompts, rewards, right):
    return 1 - score(prompts, rewards, right)


not_divided = wrong(
    "You return a number of pairs; divide it by the number of all pairs.",
    of=lambda compared, points: sum(points),
)


@misconception("You count how often a prompt's best answer is right; the question is about pairs.")
def best_answer_right(prompts, rewards, right):
    score(prompts, rewards, right)
    hits = []
    for prompt in dict.fromkeys(prompts):
        own = [i for i, other in enumerate(prompts) if other == prompt]
        if any(right[i] for i in own) and not all(right[i] for i in own):
            hits.append(float(right[max(own, key=lambda i: rewards[i])]))
    return sum(hits) / len(hits)


@misconception(
    "You take a reward above 0 for the verdict 'right'; only the order of two rewards has a "
    "meaning."
)
def sign_as_verdict(prompts, rewards, right):
    score(prompts, rewards, right)
    agreed = [(reward > 0) == truth for reward, truth in zip(rewards, right, strict=True)]
    return sum(agreed) / len(agreed)


@misconception("Without any pair there is nothing to measure; raise a ValueError.")
def half_without_pairs(prompts, rewards, right):
    return score(prompts, rewards, right) if pairs(prompts, right) else 0.5


@misconception(
    "You compare only neighbors; compare every right answer with every wrong one of its prompt."
)
def neighbors_only(prompts, rewards, right):
    def of(compared, points):
        near = [p for (i, j), p in zip(compared, points, strict=True) if abs(i - j) == 1]
        return sum(near) / max(1, len(near))

    return score(prompts, rewards, right, of=of)
