from ift_course.exercises.misconceptions import misconception


def triples_of(text):
    words = text.lower().split()
    return {tuple(words[i : i + 3]) for i in range(max(1, len(words) - 2))}


def jaccard(a, b, threshold):
    return len(a & b) >= threshold * len(a | b)


def group(texts, threshold, *, triples=triples_of, alike=jaccard, size=len, pick=None):
    if not 0 < threshold <= 1:
        raise ValueError
    sets = [triples(text) for text in texts]
    groups = []
    for i in range(len(texts)):
        near = [g for g in groups if any(alike(sets[i], sets[j], threshold) for j in g)]
        groups = [g for g in groups if g not in near] + [sorted(sum(near, [i]))]
    return sorted((pick or (lambda g: max(g, key=lambda i: size(texts[i]))))(g) for g in groups)


@misconception("Always the first of a group is kept; keep the longest.")
def first_kept(texts, threshold):
    return group(texts, threshold, pick=min)


@misconception("The length is counted in words; it should be in characters.")
def longest_by_words(texts, threshold):
    return group(texts, threshold, size=lambda text: len(text.split()))


@misconception("Of equally long texts the last is kept; it should be the first.")
def last_of_equals(texts, threshold):
    return group(texts, threshold, pick=lambda g: max(reversed(g), key=lambda i: len(texts[i])))


@misconception(
    "Each text is only compared with those already kept, so that A and C stay two although B is"
    " like both; groups with a text in common are one."
)
def no_chains(texts, threshold):
    if not 0 < threshold <= 1:
        raise ValueError
    sets = [triples_of(text) for text in texts]
    groups = []
    for i in range(len(texts)):
        home = next((g for g in groups if jaccard(sets[i], sets[g[0]], threshold)), None)
        if home is None:
            groups.append([i])
        else:
            home.append(i)
    return sorted(max(g, key=lambda i: len(texts[i])) for g in groups)


@misconception(
    "A text joins the first group it fits and the others stay apart; if it is like texts of two "
    "groups, these become one."
)
def groups_never_join(texts, threshold):
    if not 0 < threshold <= 1:
        raise ValueError
    sets = [triples_of(text) for text in texts]
    groups = []
    for i in range(len(texts)):
        near = (g for g in groups if any(jaccard(sets[i], sets[j], threshold) for j in g))
        home = next(near, None)
        if home is None:
            groups.append([i])
        else:
            home.append(i)
    return sorted(max(g, key=lambda i: len(texts[i])) for g in groups)


@misconception("A similarity of exactly the threshold is left out; “at least” includes it.")
def above_the_threshold_only(texts, threshold):
    def alike(a, b, threshold):
        return a == b or len(a & b) > threshold * len(a | b)

    return group(texts, threshold, alike=alike)


@misconception(
    "The shared triples are divided by those of one text; divide by the triples of either."
)
def divided_by_the_smaller(texts, threshold):
    return group(texts, threshold, alike=lambda a, b, t: len(a & b) >= t * min(len(a), len(b)))


@misconception("Single words are compared, so the order does not count; compare runs of three.")
def words_instead_of_triples(texts, threshold):
    return group(texts, threshold, triples=lambda text: set(text.lower().split()) or {""})


@misconception("Pairs of words are compared; runs have three words here.")
def pairs_instead_of_triples(texts, threshold):
    def pairs(text):
        words = text.lower().split()
        return {tuple(words[i : i + 2]) for i in range(max(1, len(words) - 1))}

    return group(texts, threshold, triples=pairs)


@misconception("Case counts for you; compare words in small letters.")
def case_counts(texts, threshold):
    def triples(text):
        words = text.split()
        return {tuple(words[i : i + 3]) for i in range(max(1, len(words) - 2))}

    return group(texts, threshold, triples=triples)


@misconception(
    "Texts of fewer than three words have no triple for you, and so are like nothing; their words "
    "are one."
)
def short_texts_are_alone(texts, threshold):
    def triples(text):
        words = text.lower().split()
        return {tuple(words[i : i + 3]) for i in range(len(words) - 2)}

    def alike(a, b, threshold):
        return bool(a | b) and jaccard(a, b, threshold)

    return group(texts, threshold, triples=triples, alike=alike)


@misconception("The texts themselves are returned; return their indices.")
def texts_returned(texts, threshold):
    return [texts[i] for i in group(texts, threshold)]


@misconception("A threshold outside (0, 1] means nothing; raise a ValueError.")
def nothing_refused(texts, threshold):
    return group(texts, min(max(threshold, 1e-9), 1.0))
