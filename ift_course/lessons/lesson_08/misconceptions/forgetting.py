from ift_course.exercises.misconceptions import misconception


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
    return (
        mean,
        backward(matrix) if backward else change,
        worst(matrix) if worst else drop,
    )


@misconception("Rows and columns are swapped; a row is a moment and a column is a task.")
def transposed(matrix):
    if not matrix or any(len(row) != len(matrix) for row in matrix):
        raise ValueError
    return numbers([list(column) for column in zip(*matrix, strict=True)])


@misconception("The average is over the whole table; what counts is the last row, the end.")
def average_of_the_table(matrix):
    return numbers(matrix, average=lambda m: sum(map(sum, m)) / len(m) ** 2)


@misconception(
    "The average is that of the diagonal, of each task when it was new; what counts is the end."
)
def average_of_the_diagonal(matrix):
    return numbers(matrix, average=lambda m: sum(m[j][j] for j in range(len(m))) / len(m))


@misconception(
    "Backward transfer is divided by all tasks; the last one cannot be forgotten yet, so divide by "
    "T − 1."
)
def divided_by_all_tasks(matrix):
    return numbers(
        matrix,
        backward=lambda m: sum(m[-1][j] - m[j][j] for j in range(len(m))) / len(m),
    )


@misconception(
    "The sign of backward transfer is wrong: it is the end minus the beginning, below 0 when "
    "something was forgotten."
)
def backward_negative(matrix):
    return numbers(
        matrix,
        backward=lambda m: sum(m[j][j] - m[-1][j] for j in range(len(m) - 1)) / (len(m) - 1),
    )


@misconception(
    "Backward transfer compares with the first row; compare with the diagonal, when each task was "
    "learned."
)
def backward_from_the_first_row(matrix):
    return numbers(
        matrix,
        backward=lambda m: sum(m[-1][j] - m[0][j] for j in range(len(m) - 1)) / (len(m) - 1),
    )


@misconception(
    "Backward transfer only counts what got worse; tasks that got better belong to the mean."
)
def backward_only_below_zero(matrix):
    return numbers(
        matrix,
        backward=lambda m: (
            sum(min(0.0, m[-1][j] - m[j][j]) for j in range(len(m) - 1)) / (len(m) - 1)
        ),
    )


@misconception(
    "Backward transfer compares neighboring rows, the last step only; compare the end with the "
    "diagonal."
)
def backward_of_the_last_step(matrix):
    return numbers(
        matrix,
        backward=lambda m: sum(m[-1][j] - m[-2][j] for j in range(len(m) - 1)) / (len(m) - 1),
    )


@misconception(
    "Forgetting is measured from the diagonal; measure from the best accuracy before the end."
)
def worst_from_the_diagonal(matrix):
    return numbers(matrix, worst=lambda m: max(m[j][j] - m[-1][j] for j in range(len(m) - 1)))


@misconception(
    "The best accuracy includes the end itself, so nothing ever seems to get better; leave out the "
    "last row."
)
def worst_includes_the_end(matrix):
    return numbers(
        matrix,
        worst=lambda m: max(max(row[j] for row in m) - m[-1][j] for j in range(len(m) - 1)),
    )


@misconception("Worst forgetting includes the last task, which has just been learned.")
def worst_includes_the_last_task(matrix):
    return numbers(
        matrix,
        worst=lambda m: max(max(row[j] for row in m[:-1]) - m[-1][j] for j in range(len(m))),
    )


@misconception("This is the mean forgetting of all tasks; the worst is the largest of them.")
def mean_forgetting(matrix):
    return numbers(
        matrix,
        worst=lambda m: (
            sum(max(row[j] for row in m[:-1]) - m[-1][j] for j in range(len(m) - 1)) / (len(m) - 1)
        ),
    )


@misconception("Only the forgetting of the first task is looked at; take the largest of all tasks.")
def first_task_only(matrix):
    return numbers(matrix, worst=lambda m: max(row[0] for row in m[:-1]) - m[-1][0])


@misconception(
    "One task gives NaN; with nothing before it, backward transfer and forgetting are 0."
)
def one_task_is_nan(matrix):
    return numbers(matrix, one=(float("nan"), float("nan")))
