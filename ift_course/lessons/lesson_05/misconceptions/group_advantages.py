from ift_course.exercises.misconceptions import misconception


def advantages(rewards, group, epsilon, *, view=None, spread=None, center=None):
    if group < 2 or len(rewards) % group:
        raise ValueError
    grouped = (view or (lambda r: r.float().view(-1, group)))(rewards)
    middle = (center or (lambda g: g.mean(dim=1, keepdim=True)))(grouped)
    wide = (spread or (lambda g: g.std(dim=1, keepdim=True, correction=0) + epsilon))(grouped)
    return (grouped - middle) / wide


@misconception(
    "The standard deviation is that of a sample, divided by n − 1; `correction=0` gives that of"
    " the population."
)
def sample_deviation(rewards, group, epsilon=1e-4):
    return advantages(
        rewards, group, epsilon, spread=lambda g: g.std(dim=1, keepdim=True) + epsilon
    ).flatten()


@misconception("All answers are compared with each other; compare those to the same prompt.")
def one_group_for_all(rewards, group, epsilon=1e-4):
    found = advantages(rewards, group, epsilon)
    rewards = rewards.float()
    centered = rewards - rewards.mean()
    return centered / (rewards.std(correction=0) + epsilon) if len(rewards) else found


@misconception(
    "The groups are made of every k-th answer; all answers to one prompt stand side by side."
)
def interleaved_groups(rewards, group, epsilon=1e-4):
    found = advantages(rewards, group, epsilon, view=lambda r: r.float().view(group, -1).T)
    return found.T.flatten()


@misconception("Epsilon is missing, and equal rewards give 0 / 0, which is NaN.")
def no_epsilon(rewards, group, epsilon=1e-4):
    return advantages(
        rewards, group, epsilon, spread=lambda g: g.std(dim=1, keepdim=True, correction=0)
    ).flatten()


@misconception("You divide by the variance; divide by the standard deviation, its root.")
def divided_by_the_variance(rewards, group, epsilon=1e-4):
    return advantages(
        rewards, group, epsilon, spread=lambda g: g.var(dim=1, keepdim=True, correction=0) + epsilon
    ).flatten()


@misconception("Epsilon stands inside the root; add it to the standard deviation.")
def epsilon_inside_the_root(rewards, group, epsilon=1e-4):
    return advantages(
        rewards,
        group,
        epsilon,
        spread=lambda g: (g.var(dim=1, keepdim=True, correction=0) + epsilon).sqrt(),
    ).flatten()


@misconception("The mean is subtracted and nothing divided; divide by the standard deviation.")
def not_divided(rewards, group, epsilon=1e-4):
    return advantages(rewards, group, epsilon, spread=lambda g: 1.0).flatten()


@misconception(
    "The mean of the group is not subtracted, so every good prompt counts as a good answer."
)
def not_centered(rewards, group, epsilon=1e-4):
    return advantages(rewards, group, epsilon, center=lambda g: 0.0).flatten()


@misconception("The best of the group serves as the baseline; it is the mean.")
def compared_with_the_best(rewards, group, epsilon=1e-4):
    return advantages(
        rewards, group, epsilon, center=lambda g: g.amax(dim=1, keepdim=True)
    ).flatten()


@misconception("The result has two dimensions; it has the shape of the rewards.")
def not_flattened(rewards, group, epsilon=1e-4):
    return advantages(rewards, group, epsilon)


@misconception("An incomplete group is dropped in silence; raise a ValueError.")
def incomplete_group_dropped(rewards, group, epsilon=1e-4):
    if group < 2:
        raise ValueError
    return advantages(rewards[: len(rewards) // group * group], group, epsilon).flatten()


@misconception(
    "It is computed in the dtype of the rewards; take them to float32 first, whole numbers too."
)
def dtype_kept(rewards, group, epsilon=1e-4):
    return advantages(rewards, group, epsilon, view=lambda r: r.view(-1, group)).flatten()
