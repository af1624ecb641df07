from ift_course.exercises.misconceptions import misconception


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


@misconception(
    "Candidates are compared with the pool only; each one that is added belongs to the pool for "
    "those after it."
)
def pool_does_not_grow(candidates, pool, limit):
    return grow(candidates, pool, limit, grows=False)


@misconception(
    "Candidates that were refused are compared with as well; only what was added belongs to the "
    "pool."
)
def refused_ones_count(candidates, pool, limit):
    return grow(candidates, pool, limit, refused_too=True)


@misconception(
    "The longest run of words in a row is counted; a subsequence may leave words out in between."
)
def substring_instead(candidates, pool, limit):
    return grow(candidates, pool, limit, likeness=lambda a, b: rouge(a, b, common=substring))


@misconception("The order of the words does not count for you; a subsequence keeps the order.")
def bag_of_words(candidates, pool, limit):
    def common(a, b):
        return sum(min(a.count(word), b.count(word)) for word in set(a))

    return grow(candidates, pool, limit, likeness=lambda a, b: rouge(a, b, common=common))


@misconception(
    "Only the candidate's length counts; divide twice the common words by the words of both texts."
)
def divided_by_the_candidate(candidates, pool, limit):
    return grow(
        candidates, pool, limit, likeness=lambda a, b: rouge(a, b, total=lambda a, b: len(a))
    )


@misconception(
    "The longer text's length is divided by; divide twice the common words by the words of both."
)
def divided_by_the_longer(candidates, pool, limit):
    return grow(
        candidates,
        pool,
        limit,
        likeness=lambda a, b: rouge(a, b, total=lambda a, b: max(len(a), len(b))),
    )


@misconception(
    "The common words are divided by all words of both texts and not doubled, so nothing is ever "
    "more than half alike."
)
def not_doubled(candidates, pool, limit):
    return grow(
        candidates,
        pool,
        limit,
        likeness=lambda a, b: rouge(a, b, total=lambda a, b: len(a) + len(b)),
    )


@misconception("A likeness of exactly the limit lets a candidate in; it must be less.")
def limit_lets_in(candidates, pool, limit):
    return grow(candidates, pool, limit, close=lambda value, limit: value > limit)


@misconception("Case counts for you; compare words in small letters.")
def case_counts(candidates, pool, limit):
    return grow(candidates, pool, limit, split=str.split)


@misconception("Characters are compared; ROUGE-L compares words.")
def characters(candidates, pool, limit):
    return grow(candidates, pool, limit, split=lambda text: list(text.lower().strip()))


@misconception("The texts themselves are returned; return their indices.")
def texts_returned(candidates, pool, limit):
    return [candidates[i] for i in grow(candidates, pool, limit)]


@misconception("The refused ones are returned; return those that are added.")
def refused_returned(candidates, pool, limit):
    added = grow(candidates, pool, limit)
    return [i for i in range(len(candidates)) if i not in added]


@misconception("A limit outside 0 … 1 means nothing; raise a ValueError.")
def nothing_refused(candidates, pool, limit):
    return grow(candidates, pool, limit, refuse=False)
