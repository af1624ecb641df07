"""How fast records become packed rows of tokens: ours beside TRL's own preparation, in one run.

    python benchmarks/formatting.py [--rows 4000] [--turns 4] [--length 512] [--repeats 5]

Both get the same conversations in the same template, give the same labels (this is checked), and
pack them best-fit decreasing. TRL's time is that of making an SFTTrainer with packing, less the
time of making one whose rows are ready. Rounds are interleaved, the first one only warms up.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Sequence

from ift_course.data.loss_mask import IGNORE
from ift_course.data.records import Record
from ift_course.from_scratch.packing import pack
from ift_course.models.quiet import quiet
from ift_course.training.open_model import load
from ift_course.training.sft import prepare
from ift_course.world.tasks import sample


def conversations(rows: int, turns: int) -> list[list[dict]]:
    """UltraChat-shaped: several questions of one user, each with its answer."""
    pairs = [
        [{"role": "user", "content": f"{x.instruction} {x.input}".strip()},
         {"role": "assistant", "content": x.response}]
        for x in sample(rows * turns, seed=0)
    ]  # fmt: skip
    return [
        [turn for pair in pairs[start : start + turns] for turn in pair]
        for start in range(0, len(pairs), turns)
    ]


def ours(tokenizer, records: Sequence[Record], length: int) -> tuple[float, list]:
    started = time.perf_counter()
    packed = pack(prepare(tokenizer, records, length).rows, length)
    return time.perf_counter() - started, [row["labels"] for row in packed.rows]


def trl(model, tokenizer, chats: Sequence, length: int, ready: bool) -> tuple[float, list]:
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    dataset = Dataset.from_list([{"messages": chat} for chat in chats])
    with quiet(), tempfile.TemporaryDirectory() as scratch:
        args = SFTConfig(
            scratch, use_cpu=True, bf16=False, report_to="none", max_length=length,
            assistant_only_loss=True, packing=True,
            dataset_kwargs={"skip_prepare_dataset": ready},
        )  # fmt: skip
        started = time.perf_counter()
        trainer = SFTTrainer(
            model=model, args=args, train_dataset=dataset, processing_class=tokenizer
        )
        seconds = time.perf_counter() - started
    return seconds, [] if ready else trainer.train_dataset["labels"][:]


def trained(packed: list) -> list[int]:
    """All trained tokens, sorted: equal for two packings of the same rows."""
    return sorted(x for row in packed for x in row if x != IGNORE)


def measure(model, tokenizer, chats, length: int, repeats: int) -> dict[str, list[float]]:
    """Rows per second of both, one number a round."""
    records = [Record.from_messages(chat) for chat in chats]
    speeds: dict[str, list[float]] = {"ours": [], "TRL": []}
    for round_ in range(repeats + 1):
        mine, my_labels = ours(tokenizer, records, length)
        theirs, their_labels = trl(model, tokenizer, chats, length, ready=False)
        theirs -= trl(model, tokenizer, chats, length, ready=True)[0]
        if trained(my_labels) != trained(their_labels):
            raise SystemExit("The two do not train the same tokens.")
        if round_:
            speeds["ours"].append(len(chats) / mine)
            speeds["TRL"].append(len(chats) / theirs)
    return speeds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--turns", type=int, default=4)
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--model", default="base")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    model, tokenizer = load(options.model)
    chats = conversations(options.rows, options.turns)
    speeds = measure(model, tokenizer, chats, options.length, options.repeats)
    ratio = statistics.median(
        mine / theirs for mine, theirs in zip(speeds["ours"], speeds["TRL"], strict=True)
    )
    if options.json:
        print(json.dumps({"rows_per_second": speeds, "ours_over_trl": ratio}, indent=2))
        return
    for name, values in speeds.items():
        spread = f"{min(values):,.0f} to {max(values):,.0f}"
        print(f"{name:5} {statistics.median(values):8,.0f} rows/s ({spread})")
    print(f"ours is {ratio:.2f} x TRL")


if __name__ == "__main__":
    main()
