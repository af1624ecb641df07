from collections import Counter

from ift_course.exercises.misconceptions import misconception, variants


def grouped(examples, seen, key=tuple, response=str):
    if not examples:
        raise ValueError
    groups = {}
    for example in examples:
        looks = key([example[field] for field in seen])
        groups.setdefault(looks, []).append(response(example["response"]))
    return list(groups.values())


def most(group):
    return max(Counter(group).values())


def share(examples, seen, *, right=most, **other):
    """The sum of `right` over the groups, divided by the number of examples."""
    return sum(map(right, grouped(examples, seen, **other))) / len(examples)


@misconception(
    "The fields the model sees are not used; group the examples by the fields in `seen`."
)
def nothing_seen(examples, seen):
    return most(grouped(examples, [])[0]) / len(examples)


@misconception(
    "Every group counts the same; weight each group by its size: add up the correct answers and "
    "divide once."
)
def mean_over_groups(examples, seen):
    groups = grouped(examples, seen)
    return sum(most(group) / len(group) for group in groups) / len(groups)


wrong = variants(share)

only_clear_groups = wrong(
    "Only groups with a single response count as correct; in other groups the most frequent "
    "response can be correct, too.",
    right=lambda group: len(group) * (len(set(group)) == 1),
)
last_response = wrong(
    "The last response of each group is used; the most frequent one is best.",
    right=lambda group: group.count(group[-1]),
)
first_response = wrong(
    "The first response of each group is used; the most frequent one is best.",
    right=lambda group: group.count(group[0]),
)
guessing_by_share = wrong(
    "This is the result of guessing among a group's responses; always giving the most frequent "
    "one is best.",
    right=lambda group: sum(n * n for n in Counter(group).values()) / len(group),
)
fields_joined = wrong(
    "The fields are concatenated, so “ab” + “c” looks like “a” + “bc”.", key="".join
)
case_ignored_in_what_is_seen = wrong(
    "Case and spaces are ignored in the fields; compare the texts as they are.",
    key=lambda texts: tuple(x.strip().lower() for x in texts),
)
case_ignored_in_responses = wrong(
    "Case and spaces are ignored in the responses; compare the texts as they are.",
    response=lambda text: text.strip().lower(),
)
one_for_each_group = wrong(
    "One example per group is counted; count all that have the best response.",
    right=lambda group: 1,
)


@misconception("This is the number of correct answers; divide it by the number of examples.")
def not_a_share(examples, seen):
    return float(sum(map(most, grouped(examples, seen))))


@misconception("Without examples there is no ceiling; raise a ValueError.")
def nothing_refused(examples, seen):
    return share(examples, seen) if examples else 0.0
