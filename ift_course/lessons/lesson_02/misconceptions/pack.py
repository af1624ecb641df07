from ift_course.exercises.misconceptions import misconception, variants


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


wrong = variants(fill)

positions_go_on = wrong(
    "Positions continue through the whole row; they must restart at 0 in every record, or a "
    "record looks like the continuation of its neighbor.",
    positions=lambda before, n: range(before, before + n),
)
positions_from_one = wrong(
    "Positions begin at 1, but the model counts from 0.",
    positions=lambda before, n: range(1, n + 1),
)
first_label_kept = wrong(
    "The first token of a record is trained, so it is predicted from the end of its neighbor; its "
    "label should be −100.",
    label=lambda row, before: list(row["labels"]),
)
first_record_of_a_row_kept = wrong(
    "Only records after another one lose their first label; treat the first record of a row in "
    "the same way.",
    label=lambda row, before: [-100, *row["labels"][1:]] if before else row["labels"],
)
first_fit = wrong(
    "Each record goes into the first row that has room, which is first-fit; best-fit takes the "
    "fullest row.",
    choose=lambda bins: bins[0],
)
worst_fit = wrong(
    "Each record goes into the emptiest row that has room; take the fullest.",
    choose=lambda bins: min(bins, key=lambda x: len(x["input_ids"])),
)
last_of_equal_rows = wrong(
    "Among equally full rows you take the one opened last; take the one opened first.",
    choose=lambda bins: max(bins[::-1], key=lambda x: len(x["input_ids"])),
)
not_sorted = wrong(
    "The records are placed in the order in which they come; the longest should go first.",
    key=lambda row: 0,
)
shortest_first = wrong(
    "The shortest records go first; the longest should go first, while there is room for them.",
    key=lambda row: len(row["input_ids"]),
)


@misconception(
    "Sorting in reverse also reverses equal records; sort by the negative length to keep their "
    "order."
)
def equal_records_turned_around(rows, capacity):
    return fill(rows[::-1], capacity)


@misconception("A row is never filled completely; a record that fits exactly does fit.")
def exact_fit_refused(rows, capacity):
    if any(not 0 < len(row["input_ids"]) <= capacity for row in rows):
        raise ValueError
    return fill(rows, capacity - 1, refuse=False)


nothing_refused = wrong(
    "Records that are empty or too long should be refused with a ValueError.",
    refuse=False,
    label=lambda row, before: [-100, *row["labels"][1:]] if row["labels"] else [],
)


@misconception(
    "The given lists are changed, because the first record's lists became the packed row's; copy "
    "them."
)
def records_changed(rows, capacity):
    packed = fill(rows, capacity)
    for row in rows:
        row["labels"][0] = -100
    return packed
