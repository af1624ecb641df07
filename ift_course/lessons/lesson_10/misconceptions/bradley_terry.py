from ift_course.exercises.misconceptions import misconception, variants


def ratings(wins, steps, *, numerator=None, denominator=None, scale=None, start=None, one=False):
    n = len(wins)
    games = [[wins[i][j] + wins[j][i] for j in range(n)] for i in range(n)]
    if not all(sum(row) for row in games):
        raise ValueError
    divide = denominator or (lambda played, a, b: played / (a + b))
    scaled = scale or (lambda p: [x / sum(p) for x in p])
    p = start(wins) if start else [1 / n] * n
    for _ in range(steps):
        new = p if one else list(p)
        for i in range(n):
            won = numerator(wins, i) if numerator else sum(wins[i])
            new[i] = won / sum(divide(games[i][j], p[i], p[j]) for j in range(n) if games[i][j])
        p = scaled(new)
    return p


wrong = variants(ratings)

one_after_the_other = wrong(
    "You replace the strengths one by one, so that later models see new ones; use the old ones for "
    "all.",
    one=True,
)
never_scaled = wrong(
    "The strengths do not sum to 1; divide them by their sum after each step.", scale=lambda p: p
)
scaled_by_the_best = wrong(
    "You divide by the largest strength; divide by the sum of all.",
    scale=lambda p: [x / max(p) for x in p],
)
losses_for_wins = wrong(
    "You sum a column of the table, which gives the losses; the wins of i are row i.",
    numerator=lambda wins, i: sum(row[i] for row in wins),
)
opponents_strength_only = wrong(
    "You divide the games by the strength of the opponent; divide by the sum of both strengths.",
    denominator=lambda played, a, b: played / (b or 1e-12),
)


@misconception("This is the win rate, whoever the opponents were; use their strengths.")
def win_rate(wins, steps):
    n = len(wins)
    played = [sum(wins[i]) + sum(row[i] for row in wins) for i in range(n)]
    if not all(played):
        raise ValueError
    rates = [sum(wins[i]) / played[i] for i in range(n)]
    return [x / sum(rates) for x in rates]


@misconception("You divide by the wins over each opponent; divide by the games against each.")
def wins_for_games(wins, steps):
    n = len(wins)
    if not all(sum(wins[i]) + sum(row[i] for row in wins) for i in range(n)):
        raise ValueError
    p = [1 / n] * n
    for _ in range(steps):
        new = []
        for i in range(n):
            total = sum(wins[i][j] / (p[i] + p[j]) for j in range(n) if wins[i][j])
            new.append(sum(wins[i]) / total if total else 0.0)
        p = [x / sum(new) for x in new]
    return p


@misconception("There is one step too many.")
def a_step_too_many(wins, steps):
    return ratings(wins, steps + 1)


@misconception("These are logarithms of the strengths; return the strengths.")
def logarithms(wins, steps):
    from math import log

    return [log(x) if x else float("-inf") for x in ratings(wins, steps)]
