from ift_course.exercises.misconceptions import misconception, variants


def subsequence(a, b):
    row = [0] * (len(b) + 1)
    for x in a:
        before, row = row, [0]
        for j, y in enumerate(b):
            row.append(before[j] + 1 if x == y else max(before[j + 1], row[j]))
    return row[-1]


def substring(a, b):
    longest = 0
    for i in range(len(a)):
        for j in range(len(b)):
            k = 0
            while i + k < len(a) and j + k < len(b) and a[i + k] == b[j + k]:
                k += 1
            longest = max(longest, k)
    return longest


def shared_words(a, b):
    return sum(min(a.count(word), b.count(word)) for word in set(a))


def rouge(a, b, *, common=subsequence, total=lambda a, b: (len(a) + len(b)) / 2):
    return common(a, b) / total(a, b)


def grow(candidates, pool, limit, *, likeness=rouge, split=lambda text: text.lower().split(),
         close=lambda value, limit: value >= limit, grows=True, refused_too=False,
         refuse=True):  # fmt: skip
    if refuse and not 0 < limit <= 1:
        raise ValueError
    known = [split(text) for text in pool]
    added = []
    for i, text in enumerate(candidates):
        words = split(text)
        if not words:
            continue
        good = not any(close(likeness(words, other), limit) for other in known)
        if good:
            added.append(i)
        if grows and (good or refused_too):
            known.append(words)
    return added


wrong = variants(grow)

pool_does_not_grow = wrong(
    "Candidates are compared with the pool only; each one that is added belongs to the pool from "
    "then on.",
    grows=False,
)
refused_ones_count = wrong(
    "Refused candidates are compared with as well; only those that were added belong to the pool.",
    refused_too=True,
)
substring_instead = wrong(
    "You count the longest run of words in a row; a subsequence may skip words in between.",
    likeness=lambda a, b: rouge(a, b, common=substring),
)
bag_of_words = wrong(
    "You ignore the order of the words; a subsequence keeps the order.",
    likeness=lambda a, b: rouge(a, b, common=shared_words),
)
divided_by_the_candidate = wrong(
    "Only the candidate's length counts in your version; divide twice the common words by the "
    "words of both texts.",
    likeness=lambda a, b: rouge(a, b, total=lambda a, b: len(a)),
)
divided_by_the_longer = wrong(
    "You divide by the longer text's length; divide twice the common words by the words of both "
    "texts.",
    likeness=lambda a, b: rouge(a, b, total=lambda a, b: max(len(a), len(b))),
)
not_doubled = wrong(
    "The common words are divided by the words of both texts but not doubled, so no similarity "
    "ever exceeds one half.",
    likeness=lambda a, b: rouge(a, b, total=lambda a, b: len(a) + len(b)),
)
limit_lets_in = wrong(
    "You accept a similarity of exactly the limit; it must be lower.",
    close=lambda value, limit: value > limit,
)
case_counts = wrong(
    "Your comparison is case-sensitive; convert the words to lowercase first.", split=str.split
)
characters = wrong(
    "You compare characters; ROUGE-L compares words.", split=lambda text: list(text.lower().strip())
)


@misconception("The texts themselves are returned; return their indices.")
def texts_returned(candidates, pool, limit):
    return [candidates[i] for i in grow(candidates, pool, limit)]


@misconception("You return the refused candidates; return those that are added.")
def refused_returned(candidates, pool, limit):
    added = grow(candidates, pool, limit)
    return [i for i in range(len(candidates)) if i not in added]


nothing_refused = wrong("A limit outside (0, 1] has no meaning; raise a ValueError.", refuse=False)
