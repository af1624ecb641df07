from ift_course.exercises.misconceptions import misconception


def fullest(bins):
    return max(bins, key=lambda row: len(row["input_ids"]))


def fill(rows, capacity, *, key=None, choose=None, label=None, positions=None, refuse=True):
    packed = []
    for row in sorted(rows, key=key or (lambda row: -len(row["input_ids"]))):
        length = len(row["input_ids"])
        if refuse and not 0 < length <= capacity:
            raise ValueError
        fitting = [x for x in packed if len(x["input_ids"]) + length <= capacity]
        if fitting:
            target = (choose or fullest)(fitting)
        else:
            target = {"input_ids": [], "labels": [], "position_ids": []}
            packed.append(target)
        before = len(target["input_ids"])
        target["input_ids"] += row["input_ids"]
        target["labels"] += label(row, before) if label else [-100, *row["labels"][1:]]
        target["position_ids"] += positions(before, length) if positions else range(length)
    return packed


@misconception(
    "Positions go on through the whole row; they must begin at 0 in every record, or a record is "
    "taken for the continuation of its neighbor."
)
def positions_go_on(rows, capacity):
    return fill(rows, capacity, positions=lambda before, n: range(before, before + n))


@misconception("Positions begin at 1; the model counts from 0.")
def positions_from_one(rows, capacity):
    return fill(rows, capacity, positions=lambda before, n: range(1, n + 1))


@misconception(
    "The first token of a record is trained, and so predicted from the end of its neighbor; its "
    "label should be −100."
)
def first_label_kept(rows, capacity):
    return fill(rows, capacity, label=lambda row, before: list(row["labels"]))


@misconception(
    "Only records behind another lose their first label; the first record of a row should be "
    "treated in the same way."
)
def first_record_of_a_row_kept(rows, capacity):
    return fill(
        rows,
        capacity,
        label=lambda row, before: [-100, *row["labels"][1:]] if before else row["labels"],
    )


@misconception(
    "Each record goes into the first row that has room: that is first-fit; best-fit takes the "
    "fullest one."
)
def first_fit(rows, capacity):
    return fill(rows, capacity, choose=lambda bins: bins[0])


@misconception("Each record goes into the emptiest row that has room; take the fullest.")
def worst_fit(rows, capacity):
    return fill(rows, capacity, choose=lambda bins: min(bins, key=lambda x: len(x["input_ids"])))


@misconception("Of equally full rows the one opened last is taken; take the one opened first.")
def last_of_equal_rows(rows, capacity):
    return fill(
        rows, capacity, choose=lambda bins: max(bins[::-1], key=lambda x: len(x["input_ids"]))
    )


@misconception("The records go in the order in which they come; the longest should go first.")
def not_sorted(rows, capacity):
    return fill(rows, capacity, key=lambda row: 0)


@misconception("The shortest records go first; the longest should, while there is room for them.")
def shortest_first(rows, capacity):
    return fill(rows, capacity, key=lambda row: len(row["input_ids"]))


@misconception(
    "Sorting in reverse turns equal records around as well; sort by the negative length to keep "
    "their order."
)
def equal_records_turned_around(rows, capacity):
    return fill(rows[::-1], capacity)


@misconception("A row is never filled to the last place; a record that fits exactly does fit.")
def exact_fit_refused(rows, capacity):
    if any(not 0 < len(row["input_ids"]) <= capacity for row in rows):
        raise ValueError
    return fill(rows, capacity - 1, refuse=False)


@misconception("Records that are too long, or empty, are to be refused with a ValueError.")
def nothing_refused(rows, capacity):
    def label(row, before):
        return [-100, *row["labels"][1:]] if row["labels"] else []

    return fill(rows, capacity, refuse=False, label=label)


@misconception(
    "The given lists are changed, for the first record's lists became the packed row's; copy them."
)
def records_changed(rows, capacity):
    packed = fill(rows, capacity)
    for row in rows:
        row["labels"][0] = -100
    return packed
