import re

from ift_course.exercises.misconceptions import misconception, variants


def words_of(text):
    return re.findall(r"\w+", text.lower())


def runs(words, size):
    return {tuple(words[i : i + size]) for i in range(len(words) - size + 1)}


def search(train, test, n, *, split=words_of, cut=runs, whole=True, refuse=True):
    if refuse and n < 1:
        raise ValueError
    indices = []
    for i, text in enumerate(test):
        words = split(text)
        size = min(n, len(words)) if whole else n
        if words and any(cut(words, size) & cut(split(x), size) for x in train):
            indices.append(i)
    return indices


wrong = variants(search)

split_at_spaces = wrong(
    "Case and punctuation make a difference in your version; compare what `re.findall` gives in "
    "lowercase.",
    split=str.split,
)
case_counts = wrong(
    "Your comparison is case-sensitive; convert the words to lowercase first.",
    split=lambda text: re.findall(r"\w+", text),
)
short_texts_never_leak = wrong(
    "Texts of fewer than n words are never found; they leak if all their words occur in a row in "
    "a training text.",
    whole=False,
)
last_run_missing = wrong(
    "The last run of each text is missing; a text of k words has k − n + 1 runs of n words.",
    cut=lambda words, size: {
        tuple(words[i : i + size]) for i in range(max(1, len(words) - size)) if len(words) >= size
    },
)
order_does_not_count = wrong(
    "The words of a run are compared as a set, so their order does not count; keep them as a "
    "tuple.",
    cut=lambda words, size: {frozenset(run) for run in runs(words, size)},
)


@misconception("You accept n shared words anywhere; they must be in a row.")
def shared_words_anywhere(train, test, n):
    if n < 1:
        raise ValueError
    indices = []
    for i, text in enumerate(test):
        own = set(words_of(text))
        if own and any(len(own & set(words_of(x))) >= min(n, len(own)) for x in train):
            indices.append(i)
    return indices


@misconception("Whole texts are compared; a shared run of n words is enough.")
def only_equal_texts(train, test, n):
    if n < 1:
        raise ValueError
    known = {tuple(words_of(x)) for x in train}
    return [i for i, text in enumerate(test) if words_of(text) and tuple(words_of(text)) in known]


@misconception("The training texts are joined, so a run may begin in one text and end in the next.")
def runs_across_texts(train, test, n):
    return search([" ".join(train)], test, n)


@misconception("The texts themselves are returned; return their indices.")
def texts_returned(train, test, n):
    return [test[i] for i in search(train, test, n)]


@misconception("A text without words is called a leak; it shares nothing with anything.")
def empty_text_leaks(train, test, n):
    indices = search(train, test, n)
    return [i for i, text in enumerate(test) if i in indices or (train and not words_of(text))]


@misconception(
    "A short test text is searched for as characters, so “owl” is found in “growl”; compare words."
)
def searched_as_characters(train, test, n):
    indices = search(train, test, n, whole=False)
    lines = [" ".join(words_of(x)) for x in train]
    return [
        i
        for i, text in enumerate(test)
        if i in indices
        or (0 < len(words_of(text)) <= n and any(" ".join(words_of(text)) in x for x in lines))
    ]


@misconception("A run of fewer than one word has no meaning; raise a ValueError.")
def nothing_refused(train, test, n):
    return search(train, test, max(n, 1), refuse=False)
