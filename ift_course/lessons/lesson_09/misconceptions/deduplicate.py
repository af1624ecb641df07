from ift_course.exercises.misconceptions import misconception, variants


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


wrong = variants(group)

first_kept = wrong("You always keep the first text of a group; keep the longest.", pick=min)
longest_by_words = wrong(
    "The length is counted in words; it should be in characters.",
    size=lambda text: len(text.split()),
)


@misconception("Among equally long texts you keep the last; keep the first.")
def last_of_equals(texts, threshold):
    return group(texts, threshold, pick=lambda g: max(reversed(g), key=lambda i: len(texts[i])))


@misconception(
    "Each text is compared only with those already kept, so A and C stay apart although B is "
    "similar to both; groups that share a text are one."
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
    "A text joins the first group it fits and the others stay apart; if it is similar to texts of "
    "two groups, these become one."
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


above_the_threshold_only = wrong(
    "A similarity of exactly the threshold is left out; “at least” includes it.",
    alike=lambda a, b, threshold: a == b or len(a & b) > threshold * len(a | b),
)
divided_by_the_smaller = wrong(
    "The shared triples are divided by those of one text; divide by the triples that occur in "
    "either.",
    alike=lambda a, b, t: len(a & b) >= t * min(len(a), len(b)),
)
words_instead_of_triples = wrong(
    "Single words are compared, so their order does not count; compare runs of three words.",
    triples=lambda text: set(text.lower().split()) or {""},
)


@misconception("Pairs of words are compared; runs have three words here.")
def pairs_instead_of_triples(texts, threshold):
    def pairs(text):
        words = text.lower().split()
        return {tuple(words[i : i + 2]) for i in range(max(1, len(words) - 1))}

    return group(texts, threshold, triples=pairs)


@misconception("Your comparison is case-sensitive; convert the words to lowercase first.")
def case_counts(texts, threshold):
    def triples(text):
        words = text.split()
        return {tuple(words[i : i + 3]) for i in range(max(1, len(words) - 2))}

    return group(texts, threshold, triples=triples)


@misconception(
    "Texts of fewer than three words have no triple in your version, so they match nothing; treat "
    "all their words as one run."
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


@misconception("A threshold outside (0, 1] has no meaning; raise a ValueError.")
def nothing_refused(texts, threshold):
    return group(texts, min(max(threshold, 1e-9), 1.0))
