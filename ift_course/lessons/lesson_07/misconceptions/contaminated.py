import re

from ift_course.exercises.misconceptions import misconception


def words_of(text):
    return re.findall(r"\w+", text.lower())


def runs(words, size):
    return [tuple(words[i : i + size]) for i in range(len(words) - size + 1)]


def repeated(wanted, given, share):
    return len(set(wanted) & set(given)) >= share * len(set(wanted))


def search(generated, exam, n, share, *, split=words_of, cut=runs, enough=repeated, short=True,
           refuse=True):  # fmt: skip
    if refuse and (n < 1 or not 0 < share <= 1):
        raise ValueError
    found = []
    for i, text in enumerate(generated):
        for question in exam:
            words = split(question)
            size = min(n, len(words)) if short else n
            wanted = cut(words, size) if words else []
            if wanted and enough(wanted, cut(split(text), size), share):
                found.append(i)
                break
    return found


@misconception(
    "The share is taken of the generated text's runs, so a long text hides the question; take the "
    "share of the question's."
)
def share_of_the_generated(generated, exam, n, share):
    def enough(wanted, given, share):
        return bool(given) and len(set(wanted) & set(given)) >= share * len(set(given))

    return search(generated, exam, n, share, enough=enough)


@misconception("One shared run is enough for you; at least `share` of the question's must occur.")
def any_run(generated, exam, n, share):
    return search(
        generated, exam, n, share, enough=lambda wanted, given, _: bool(set(wanted) & set(given))
    )


@misconception("Exactly the share is not enough for you; it is found from the share on.")
def more_than_the_share(generated, exam, n, share):
    def enough(wanted, given, share):
        return len(set(wanted) & set(given)) > share * len(set(wanted))

    return search(generated, exam, n, share, enough=enough)


@misconception(
    "The runs of all questions are thrown together, so halves of two questions make a whole; look "
    "at one question at a time."
)
def exam_in_one_heap(generated, exam, n, share):
    if n < 1 or not 0 < share <= 1:
        raise ValueError
    known = {run for q in exam for run in runs(words_of(q), min(n, len(words_of(q)))) if run}
    found = []
    for i, text in enumerate(generated):
        words = words_of(text)
        seen = [run for run in known if run in runs(words, len(run))]
        for question in exam:
            wanted = set(runs(words_of(question), min(n, len(words_of(question)))))
            if words_of(question) and len(seen) >= share * len(wanted):
                found.append(i)
                break
    return found


@misconception("A run that the question has twice counts twice; the runs of a question are a set.")
def runs_counted_twice(generated, exam, n, share):
    def enough(wanted, given, share):
        return sum(run in given for run in wanted) >= share * len(wanted)

    return search(generated, exam, n, share, enough=enough)


@misconception("The order of the words in a run does not count for you; keep them as a tuple.")
def order_does_not_count(generated, exam, n, share):
    def cut(words, size):
        return [frozenset(run) for run in runs(words, size)]

    return search(generated, exam, n, share, cut=cut)


@misconception("Punctuation counts for you; compare the words that `re.findall` gives.")
def split_at_spaces(generated, exam, n, share):
    return search(generated, exam, n, share, split=lambda text: text.lower().split())


@misconception("Case counts for you; compare words in small letters.")
def case_counts(generated, exam, n, share):
    return search(generated, exam, n, share, split=lambda text: re.findall(r"\w+", text))


@misconception(
    "Questions of fewer than n words are never found; such a question has one run, all its words."
)
def short_questions_never(generated, exam, n, share):
    return search(generated, exam, n, share, short=False)


@misconception("The questions' indices are returned; return those of the generated texts.")
def questions_returned(generated, exam, n, share):
    return [i for i, question in enumerate(exam) if search(generated, [question], n, share)]


@misconception("The clean texts are returned; return the contaminated ones.")
def clean_returned(generated, exam, n, share):
    found = search(generated, exam, n, share)
    return [i for i in range(len(generated)) if i not in found]


@misconception("Such an n or share means nothing; raise a ValueError.")
def nothing_refused(generated, exam, n, share):
    return search(generated, exam, max(n, 1), share, refuse=False)
