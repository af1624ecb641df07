"""Equivalent mutants, which no check can kill, each with the reason."""

STRICT = "the ids, labels and attention masks of a batch have as many rows as each other"

SAME: dict[str, dict[str, str]] = {
    "01.3": {
        "int(next_logits(ids).argmax())  →  next_logits(ids).argmax()": (
            "a tensor without dimensions stands for its number"
        ),
    },
    "01.4": {
        "torch.softmax(logits / temperature, 0).tolist()  →  "
        "torch.softmax(logits / temperature, 0)": "a tensor is indexed as a list is",
        "0  →  -1  (3)": "the scores have one dimension: the first is the last",
    },
    "01.5": {
        "F.cross_entropy(scores, wanted, ignore_index=-100, reduction='sum')  →  "
        "F.cross_entropy(scores, wanted, reduction='sum')": (
            "-100 is PyTorch's default; the solution states it for the reader"
        ),
    },
    "02.6": {
        "zip(input_ids, labels, attention_mask, strict=True)  →  "
        "zip(input_ids, labels, attention_mask)": STRICT,
        "True  →  False": STRICT,
    },
    "03.2": {
        "torch.quantile(means, q).item()  →  torch.quantile(means, q)": (
            "the checks let a tensor without dimensions stand for a number"
        ),
    },
    "04.5": {
        "1  →  2  (2)": "one accumulation more gives a batch of 0, which is refused",
        "return None  →  return": "the same in Python",
    },
    "05.2": {
        ":-1  →  :": "gather leaves out the last scores by itself, the labels being shorter",
        "0  →  1": "what stands in for -100 is struck out afterwards, whatever token it is",
    },
    "08.3": {
        "weight.clone()  →  weight": "what is returned is copied on its way to the check anyway",
    },
    "08.6": {
        "1  →  0  (2)": "the first look is never out of bounds, and not better than itself",
    },
    "09.3": {
        "int(distances.min(dim=1).values.argmax())  →  distances.min(dim=1).values.argmax()": (
            "a list takes a tensor of one whole number as an index"
        ),
    },
}
