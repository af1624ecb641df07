from ift_course.exercises.misconceptions import misconception, variants


def advantages(rewards, group, epsilon=1e-4, *, view=None, spread=None, center=None, flat=True):
    if group < 2 or len(rewards) % group:
        raise ValueError
    grouped = (view or (lambda r: r.float().view(-1, group)))(rewards)
    middle = (center or (lambda g: g.mean(dim=1, keepdim=True)))(grouped)
    wide = (spread or (lambda g, e: g.std(dim=1, keepdim=True) + e))(grouped, epsilon)
    result = (grouped - middle) / wide
    return result.flatten() if flat else result


wrong = variants(advantages)

population_deviation = wrong(
    "The standard deviation is that of a population, divided by n; TRL divides by n − 1, as "
    "PyTorch's `std` does.",
    spread=lambda g, e: g.std(dim=1, keepdim=True, correction=0) + e,
)


@misconception("All answers are compared with each other; compare only answers to the same prompt.")
def one_group_for_all(rewards, group, epsilon=1e-4):
    right = advantages(rewards, group, epsilon)
    rewards = rewards.float()
    centered = rewards - rewards.mean()
    return centered / (rewards.std() + epsilon) if len(rewards) else right


@misconception(
    "Your groups take every k-th answer; answers to the same prompt are next to each other."
)
def interleaved_groups(rewards, group, epsilon=1e-4):
    grouped = advantages(
        rewards, group, epsilon, view=lambda r: r.float().view(group, -1).T, flat=False
    )
    return grouped.T.flatten()


no_epsilon = wrong(
    "Epsilon is missing, so equal rewards give 0 / 0, which is NaN.",
    spread=lambda g, e: g.std(dim=1, keepdim=True),
)
divided_by_the_variance = wrong(
    "You divide by the variance; divide by its square root, the standard deviation.",
    spread=lambda g, e: g.var(dim=1, keepdim=True) + e,
)
epsilon_inside_the_root = wrong(
    "Epsilon is inside the square root; add it to the standard deviation.",
    spread=lambda g, e: (g.var(dim=1, keepdim=True) + e).sqrt(),
)
not_divided = wrong(
    "The mean is subtracted, but the division by the standard deviation is missing.",
    spread=lambda g, e: 1.0,
)
not_centered = wrong(
    "The group's mean is not subtracted, so an easy prompt makes every answer look good.",
    center=lambda g: 0.0,
)
compared_with_the_best = wrong(
    "The best answer of the group is the baseline; it should be the mean.",
    center=lambda g: g.amax(dim=1, keepdim=True),
)
not_flattened = wrong(
    "The result has two dimensions; it should have the shape of the rewards.", flat=False
)


@misconception("An incomplete group is silently dropped; raise a ValueError.")
def incomplete_group_dropped(rewards, group, epsilon=1e-4):
    if group < 2:
        raise ValueError
    return advantages(rewards[: len(rewards) // group * group], group, epsilon)


@misconception(
    "You compute in the dtype of the rewards; convert them to float32 first, including integers."
)
def dtype_kept(rewards, group, epsilon=1e-4):
    return advantages(rewards, group, epsilon, view=lambda r: r.view(-1, group))
