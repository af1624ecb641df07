import math

from ift_course.exercises.misconceptions import misconception, variants


def select(
    prompts, rewards, share, *, count=math.ceil, key=lambda i, rewards: (-rewards[i], i),
    counts_nan=False, refuse=True, result=sorted,
):  # fmt: skip
    if refuse and not 0 < share <= 1:
        raise ValueError
    chosen = []
    for prompt in dict.fromkeys(prompts):
        own = [i for i, other in enumerate(prompts) if other == prompt]
        good = [i for i in own if not math.isnan(rewards[i])]
        number = count(share * len(own if counts_nan else good))
        chosen += sorted(good, key=lambda i: key(i, rewards))[:number]
    return result(chosen)


@misconception(
    "You keep the best of all answers, so some prompts lose all of theirs; apply the share to "
    "each prompt."
)
def best_of_all(prompts, rewards, share):
    return select([""] * len(prompts), rewards, share)


wrong = variants(select)

worst_kept = wrong(
    "You keep the answers with the lowest rewards; a high reward is good.",
    key=lambda i, rewards: (rewards[i], i),
)
later_of_equals = wrong(
    "Between equal rewards you keep the later answer; keep the earlier one.",
    key=lambda i, rewards: (-rewards[i], -i),
)
rounded_down = wrong(
    "The number is rounded down, so short lists keep nothing; round up.", count=int
)
rounded = wrong(
    "The number is rounded to the nearest integer, so some prompts keep nothing; always round up.",
    count=round,
)
only_the_best = wrong(
    "One answer is kept for each prompt, whatever the share says.",
    count=lambda n: min(1, math.ceil(n)),
)


@misconception(
    "You also keep all answers that tie with the last one kept; no more than the share may stay."
)
def ties_all_kept(prompts, rewards, share):
    first = select(prompts, rewards, share)
    lowest = {}
    for i in first:
        lowest[prompts[i]] = min(rewards[i], lowest.get(prompts[i], math.inf))
    return [i for i, p in enumerate(prompts) if p in lowest and rewards[i] >= lowest[p]]


not_sorted = wrong(
    "The indices are grouped by prompt, in the order of the rewards; return them in ascending "
    "order.",
    result=list,
)


@misconception("The rewards are returned; return the indices of the answers.")
def rewards_returned(prompts, rewards, share):
    return [rewards[i] for i in select(prompts, rewards, share)]


@misconception(
    "Only neighbors with the same prompt form a group; a prompt's answers may be anywhere in the "
    "list."
)
def neighbors_only(prompts, rewards, share):
    group, groups = 0, []
    for i, prompt in enumerate(prompts):
        group += i > 0 and prompt != prompts[i - 1]
        groups.append(group)
    return select(groups, rewards, share)


nan_counts = wrong(
    "Answers whose reward is NaN count toward the share; leave them out first.", counts_nan=True
)


@misconception("A share outside (0, 1] has no meaning; raise a ValueError.")
def nothing_refused(prompts, rewards, share):
    return select(prompts, rewards, max(0.0, min(share, 1.0)), refuse=False)
