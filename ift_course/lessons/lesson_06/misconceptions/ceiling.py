from collections import Counter

from ift_course.exercises.misconceptions import misconception


def grouped(examples, seen, key=lambda texts: tuple(texts), said=lambda text: text):
    if not examples:
        raise ValueError
    groups = {}
    for example in examples:
        looks = key([example[field] for field in seen])
        groups.setdefault(looks, []).append(said(example["response"]))
    return list(groups.values())


def most(group):
    return max(Counter(group).values())


@misconception("What the model sees is not used; group the examples by the fields in `seen`.")
def nothing_seen(examples, seen):
    return most(grouped(examples, [])[0]) / len(examples)


@misconception(
    "Every group counts the same; a group counts with the number of its examples, so add up the "
    "right ones and divide once."
)
def mean_over_groups(examples, seen):
    groups = grouped(examples, seen)
    return sum(most(group) / len(group) for group in groups) / len(groups)


@misconception(
    "Only groups with a single response are counted as right; elsewhere the most frequent response "
    "can be right as well."
)
def only_clear_groups(examples, seen):
    groups = grouped(examples, seen)
    return sum(len(group) for group in groups if len(set(group)) == 1) / len(examples)


@misconception("The last response of each group is taken; the most frequent one is the best.")
def last_response(examples, seen):
    groups = grouped(examples, seen)
    return sum(group.count(group[-1]) for group in groups) / len(examples)


@misconception("The first response of each group is taken; the most frequent one is the best.")
def first_response(examples, seen):
    groups = grouped(examples, seen)
    return sum(group.count(group[0]) for group in groups) / len(examples)


@misconception("This is what guessing among a group's responses gives; the best is to be sure.")
def guessing_by_share(examples, seen):
    groups = grouped(examples, seen)
    right = sum(sum(n * n for n in Counter(group).values()) / len(group) for group in groups)
    return right / len(examples)


@misconception("The fields are put behind each other, so “ab” + “c” looks like “a” + “bc”.")
def fields_joined(examples, seen):
    return sum(map(most, grouped(examples, seen, key="".join))) / len(examples)


@misconception("Case and spaces are ignored in what is seen; compare the texts as they are.")
def case_ignored_in_what_is_seen(examples, seen):
    def key(texts):
        return tuple(text.strip().lower() for text in texts)

    return sum(map(most, grouped(examples, seen, key=key))) / len(examples)


@misconception("Case and spaces are ignored in the responses; compare the texts as they are.")
def case_ignored_in_responses(examples, seen):
    groups = grouped(examples, seen, said=lambda text: text.strip().lower())
    return sum(map(most, groups)) / len(examples)


@misconception("One example of each group is counted; count all that have the best response.")
def one_for_each_group(examples, seen):
    return len(grouped(examples, seen)) / len(examples)


@misconception("This is the number of right answers; divide it by the number of examples.")
def not_a_share(examples, seen):
    return float(sum(map(most, grouped(examples, seen))))


@misconception("No examples have no ceiling; raise a ValueError.")
def nothing_refused(examples, seen):
    return sum(map(most, grouped(examples, seen))) / len(examples) if examples else 0.0
