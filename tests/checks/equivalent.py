"""Mutants that no check can kill, because they do the same; each with the reason."""

STRICT = "the ids, labels and attention masks of a batch have as many rows as each other"

SAME: dict[str, dict[str, str]] = {
    "01.5": {
        "F.cross_entropy(scores, wanted, ignore_index=-100, reduction='sum')  →  "
        "F.cross_entropy(scores, wanted, reduction='sum')": (
            "-100 is PyTorch's default; the solution says it for the reader"
        ),
    },
    "02.6": {
        "zip(input_ids, labels, attention_mask, strict=True)  →  "
        "zip(input_ids, labels, attention_mask)": STRICT,
        "True  →  False": STRICT,
    },
    "03.3": {
        "torch.quantile(means, q).item()  →  torch.quantile(means, q)": (
            "the checks let a tensor without dimensions stand for a number"
        ),
    },
    "03.4": {
        "int(distances.min(dim=1).values.argmax())  →  distances.min(dim=1).values.argmax()": (
            "a list takes a tensor of one whole number as an index"
        ),
    },
}
