import math

from ift_course.exercises.misconceptions import misconception


def select(prompts, rewards, share, *, count=math.ceil, key=None, counts_nan=False, refuse=True):
    if refuse and not 0 < share <= 1:
        raise ValueError
    key = key or (lambda i: (-rewards[i], i))
    kept = []
    for prompt in dict.fromkeys(prompts):
        own = [i for i, other in enumerate(prompts) if other == prompt]
        good = [i for i in own if not math.isnan(rewards[i])]
        wanted = count(share * len(own if counts_nan else good))
        kept += sorted(good, key=key)[:wanted]
    return kept


@misconception(
    "The best of all answers are kept, so some prompts lose all of theirs; take the share of each "
    "prompt."
)
def best_of_all(prompts, rewards, share):
    return sorted(select([""] * len(prompts), rewards, share))


@misconception("The answers with the lowest rewards are kept; a high reward is good.")
def worst_kept(prompts, rewards, share):
    return sorted(select(prompts, rewards, share, key=lambda i: (rewards[i], i)))


@misconception("Between equal rewards you keep the later answer; keep the earlier one.")
def later_of_equals(prompts, rewards, share):
    return sorted(select(prompts, rewards, share, key=lambda i: (-rewards[i], -i)))


@misconception("The number is rounded down, so short lists keep nothing; round up.")
def rounded_down(prompts, rewards, share):
    return sorted(select(prompts, rewards, share, count=int))


@misconception(
    "The number is rounded to the nearest, so some prompts keep nothing; always round up."
)
def rounded(prompts, rewards, share):
    return sorted(select(prompts, rewards, share, count=round))


@misconception("One answer is kept for each prompt, whatever the share says.")
def only_the_best(prompts, rewards, share):
    return sorted(select(prompts, rewards, share, count=lambda n: min(1, math.ceil(n))))


@misconception(
    "All answers that tie with the last one kept are kept as well; no more than the share may stay."
)
def ties_all_kept(prompts, rewards, share):
    first = select(prompts, rewards, share)
    lowest = {}
    for i in first:
        lowest[prompts[i]] = min(rewards[i], lowest.get(prompts[i], math.inf))
    return [i for i, p in enumerate(prompts) if p in lowest and rewards[i] >= lowest[p]]


@misconception(
    "The indices come prompt by prompt, in the order of the rewards; return them in ascending "
    "order."
)
def not_sorted(prompts, rewards, share):
    return select(prompts, rewards, share)


@misconception("The rewards are returned; return the indices of the answers.")
def rewards_returned(prompts, rewards, share):
    return [rewards[i] for i in sorted(select(prompts, rewards, share))]


@misconception(
    "Only neighbors with one prompt form a group; its answers may stand anywhere in the list."
)
def neighbors_only(prompts, rewards, share):
    group, groups = 0, []
    for i, prompt in enumerate(prompts):
        group += i > 0 and prompt != prompts[i - 1]
        groups.append(group)
    return sorted(select(groups, rewards, share))


@misconception("Answers whose reward is NaN count when the share is taken; leave them out first.")
def nan_counts(prompts, rewards, share):
    return sorted(select(prompts, rewards, share, counts_nan=True))


@misconception("A share outside 0 … 1 means nothing; raise a ValueError.")
def nothing_refused(prompts, rewards, share):
    return sorted(select(prompts, rewards, max(0.0, min(share, 1.0)), refuse=False))
