import re

from ift_course.exercises.misconceptions import misconception, variants


def words_of(text):
    return re.findall(r"\w+", text.lower())


def runs(words, size):
    return [tuple(words[i : i + size]) for i in range(len(words) - size + 1)]


def repeated(of_question, of_text, share):
    return len(set(of_question) & set(of_text)) >= share * len(set(of_question))


def search(generated, exam, n, share, *, split=words_of, cut=runs, enough=repeated, short=True,
           refuse=True):  # fmt: skip
    if refuse and (n < 1 or not 0 < share <= 1):
        raise ValueError
    indices = []
    for i, text in enumerate(generated):
        for question in exam:
            words = split(question)
            size = min(n, len(words)) if short else n
            of_question = cut(words, size) if words else []
            if of_question and enough(of_question, cut(split(text), size), share):
                indices.append(i)
                break
    return indices


wrong = variants(search)

share_of_the_generated = wrong(
    "You take the share of the generated text's runs, so a long text hides the question; take the "
    "share of the question's runs.",
    enough=lambda of_question, of_text, share: (
        bool(of_text) and len(set(of_question) & set(of_text)) >= share * len(set(of_text))
    ),
)
any_run = wrong(
    "You accept one shared run; at least `share` of the question's runs must occur.",
    enough=lambda of_question, of_text, _: bool(set(of_question) & set(of_text)),
)
more_than_the_share = wrong(
    "You do not accept exactly the share; a text counts from the share on.",
    enough=lambda of_question, of_text, share: (
        len(set(of_question) & set(of_text)) > share * len(set(of_question))
    ),
)


@misconception(
    "The runs of all questions are pooled, so halves of two questions make a whole; check one "
    "question at a time."
)
def exam_in_one_heap(generated, exam, n, share):
    if n < 1 or not 0 < share <= 1:
        raise ValueError
    known = {run for q in exam for run in runs(words_of(q), min(n, len(words_of(q)))) if run}
    indices = []
    for i, text in enumerate(generated):
        words = words_of(text)
        seen = [run for run in known if run in runs(words, len(run))]
        for question in exam:
            of_question = set(runs(words_of(question), min(n, len(words_of(question)))))
            if words_of(question) and len(seen) >= share * len(of_question):
                indices.append(i)
                break
    return indices


runs_counted_twice = wrong(
    "A run that occurs twice in the question counts twice; the runs of a question are a set.",
    enough=lambda of_question, of_text, share: (
        sum(run in of_text for run in of_question) >= share * len(of_question)
    ),
)
order_does_not_count = wrong(
    "You ignore the order of the words in a run; keep them as a tuple.",
    cut=lambda words, size: [frozenset(run) for run in runs(words, size)],
)
split_at_spaces = wrong(
    "Punctuation makes a difference in your version; compare the words that `re.findall` gives.",
    split=lambda text: text.lower().split(),
)
case_counts = wrong(
    "Your comparison is case-sensitive; convert the words to lowercase first.",
    split=lambda text: re.findall(r"\w+", text),
)
short_questions_never = wrong(
    "Questions of fewer than n words are never found; such a question has one run, all of its "
    "words.",
    short=False,
)


@misconception("The questions' indices are returned; return those of the generated texts.")
def questions_returned(generated, exam, n, share):
    return [i for i, question in enumerate(exam) if search(generated, [question], n, share)]


@misconception("The clean texts are returned; return the contaminated ones.")
def clean_returned(generated, exam, n, share):
    indices = search(generated, exam, n, share)
    return [i for i in range(len(generated)) if i not in indices]


@misconception("Such an n or share has no meaning; raise a ValueError.")
def nothing_refused(generated, exam, n, share):
    return search(generated, exam, max(n, 1), share, refuse=False)
