from ift_course.exercises.misconceptions import misconception, variants


def numbers(matrix, *, average=None, backward=None, worst=None, one=(0.0, 0.0)):
    tasks = len(matrix)
    if not tasks or any(len(row) != tasks for row in matrix):
        raise ValueError
    last = matrix[-1]
    mean = (average or (lambda m: sum(last) / tasks))(matrix)
    if tasks == 1:
        return mean, *one
    earlier = range(tasks - 1)
    change = sum(last[j] - matrix[j][j] for j in earlier) / (tasks - 1)
    drop = max(max(row[j] for row in matrix[:-1]) - last[j] for j in earlier)
    return (mean, backward(matrix) if backward else change, worst(matrix) if worst else drop)


@misconception("Rows and columns are swapped; a row is a point in time and a column is a task.")
def transposed(matrix):
    if not matrix or any(len(row) != len(matrix) for row in matrix):
        raise ValueError
    return numbers([list(column) for column in zip(*matrix, strict=True)])


wrong = variants(numbers)

average_of_the_table = wrong(
    "The average is taken over the whole table; only the last row counts.",
    average=lambda m: sum(map(sum, m)) / len(m) ** 2,
)
average_of_the_diagonal = wrong(
    "The average is taken over the diagonal, when each task was new; only the last row counts.",
    average=lambda m: sum(m[j][j] for j in range(len(m))) / len(m),
)
divided_by_all_tasks = wrong(
    "Backward transfer is divided by all tasks; the last one cannot be forgotten yet, so divide "
    "by T − 1.",
    backward=lambda m: sum(m[-1][j] - m[j][j] for j in range(len(m))) / len(m),
)
backward_negative = wrong(
    "Backward transfer has the wrong sign: it is the end minus the beginning, below 0 when "
    "something was forgotten.",
    backward=lambda m: sum(m[j][j] - m[-1][j] for j in range(len(m) - 1)) / (len(m) - 1),
)
backward_from_the_first_row = wrong(
    "Backward transfer is computed from the first row; use the diagonal, when each task was "
    "learned.",
    backward=lambda m: sum(m[-1][j] - m[0][j] for j in range(len(m) - 1)) / (len(m) - 1),
)
backward_only_below_zero = wrong(
    "Backward transfer counts only what got worse; tasks that got better belong to the mean, too.",
    backward=lambda m: sum(min(0.0, m[-1][j] - m[j][j]) for j in range(len(m) - 1)) / (len(m) - 1),
)
backward_of_the_last_step = wrong(
    "Backward transfer compares the last two rows; compare the end with the diagonal.",
    backward=lambda m: sum(m[-1][j] - m[-2][j] for j in range(len(m) - 1)) / (len(m) - 1),
)
worst_from_the_diagonal = wrong(
    "Forgetting is measured from the diagonal; measure from the best accuracy before the end.",
    worst=lambda m: max(m[j][j] - m[-1][j] for j in range(len(m) - 1)),
)
worst_includes_the_end = wrong(
    "The best accuracy includes the end itself, so no task ever seems to improve; leave out the "
    "last row.",
    worst=lambda m: max(max(row[j] for row in m) - m[-1][j] for j in range(len(m) - 1)),
)
worst_includes_the_last_task = wrong(
    "Worst forgetting includes the last task, which has just been learned.",
    worst=lambda m: max(max(row[j] for row in m[:-1]) - m[-1][j] for j in range(len(m))),
)
mean_forgetting = wrong(
    "This is the mean forgetting of all tasks; the worst is the largest one.",
    worst=lambda m: (
        sum(max(row[j] for row in m[:-1]) - m[-1][j] for j in range(len(m) - 1)) / (len(m) - 1)
    ),
)
first_task_only = wrong(
    "You use only the forgetting of the first task; take the largest of all tasks.",
    worst=lambda m: max(row[0] for row in m[:-1]) - m[-1][0],
)
one_task_is_nan = wrong(
    "One task gives NaN; with nothing before it, backward transfer and forgetting are 0.",
    one=(float("nan"), float("nan")),
)
