"""The viewer shows exactly what the loss counts, in colors, in gray and in plain text."""

import pytest

from ift_course.data.loss_mask import collate, labels, render
from ift_course.data.records import Record
from ift_course.plots.loss_mask import show_batch, show_mask
from ift_course.plots.mask_tokens import pieces, visible

SHORT = Record.from_instruction("Name the sound of a cow.", "", "Moo.").messages
LONG = Record.from_instruction("Say it in $one$ word", "as a list", "Hola,\n¿cómo estás?").messages


@pytest.fixture
def tokenizer(tiny_llama):
    return tiny_llama[1]


def text_of(view, kind):
    return "".join(t.text for row in view.rows for t in row if t.kind == kind)


def test_trained_is_the_response_and_the_end_of_turn(tokenizer):
    view = show_mask(tokenizer, SHORT)
    ids, mask = render(tokenizer, SHORT)
    assert view.count("trained") == sum(mask) and view.count("padding") == 0
    assert sum(map(len, view.rows)) == len(ids)
    assert text_of(view, "trained") == "Moo.<|im_end|>"


def test_a_record_shows_like_its_messages(tokenizer):
    record = Record.from_instruction("Name the sound of a cow.", "", "Moo.")
    assert show_mask(tokenizer, record) == show_mask(tokenizer, SHORT)


def test_a_batch_shows_its_own_labels_not_what_they_should_be(tokenizer):
    rows = []
    for messages in (SHORT, LONG):
        ids, mask = render(tokenizer, messages)
        rows.append({"input_ids": ids, "labels": labels(ids, mask)})
    batch = collate(rows, tokenizer.pad_token_id)
    assert show_batch(tokenizer, **batch) == show_mask(tokenizer, [SHORT, LONG])
    short = len(rows[1]["input_ids"]) - len(rows[0]["input_ids"])
    assert show_batch(tokenizer, **batch).count("padding") == short > 0
    batch["labels"] = batch["input_ids"]  # the silent failure: everything is trained
    assert show_batch(tokenizer, **batch).count("ignored") == 0


def test_a_caption_stands_above_its_sequence_which_then_does_not_break_after_newlines(tokenizer):
    ids, mask = render(tokenizer, SHORT)
    columns = [ids, ids], [labels(ids, mask), ids]
    view = show_batch(tokenizer, *columns, captions=["the answer", "everything"])
    lines = str(view).splitlines()
    assert lines.index("the answer") < lines.index("everything")
    assert len(lines) < len(str(show_batch(tokenizer, *columns)).splitlines())
    assert "everything" in view.figure().alt


def test_whitespace_and_special_tokens_are_visible(tokenizer):
    assert visible("a b\n\tc") == "a·b↵→c" and visible("") == "∅"
    view = show_mask(tokenizer, LONG)
    special = [t.text for row in view.rows for t in row if t.special]
    assert special == ["<|im_start|>", "<|im_end|>"] * 2
    assert "word↵" in str(view)


def metaspace_tokenizer():
    """Marks spaces by ▁ and falls back to bytes, as the tokenizers of Llama 2 and the course."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = ["<unk>", "▁", "▁a", "▁cow", "\n", *(f"<0x{byte:02X}>" for byte in range(256))]
    vocab = {word: i for i, word in enumerate(words)}
    bpe = Tokenizer(models.BPE(vocab, [], unk_token="<unk>", byte_fallback=True))
    bpe.pre_tokenizer = pre_tokenizers.Metaspace()
    bpe.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
         decoders.Strip(" ", 1, 0)]
    )  # fmt: skip
    return PreTrainedTokenizerFast(tokenizer_object=bpe), vocab


def test_leading_spaces_and_parts_of_characters_are_seen():
    tokenizer, vocab = metaspace_tokenizer()
    ids = [vocab[w] for w in ("▁a", "▁cow", "▁", "<0xC2>", "<0xBF>", "\n")]
    assert pieces(tokenizer, ids) == ["a", " cow", " ", "▯", "¿", "\n"]


def test_plain_text_underlines_what_is_trained(tokenizer):
    lines = str(show_mask(tokenizer, [SHORT, LONG])).splitlines()
    under = lines.index("Moo.<|im_end|>↵") + 1
    assert lines[under] == "^" * len("Moo.<|im_end|>")
    assert "padpad" in lines[under + 1] and set(lines[under + 2]) == {"."}


def test_terminal_styles_only_what_is_trained(tokenizer):
    text = show_mask(tokenizer, SHORT).__rich__()
    body = text.plain.index("<|im_start|>")
    blue = [text.plain[s.start : s.end] for s in text.spans if "blue" in str(s.style)]
    assert "".join(blue[1:]) == "Moo.<|im_end|>", "the first one is the legend"
    assert text.spans[0].start < body


def test_the_picture_has_a_box_for_each_token_and_kinds_differ_in_gray(tokenizer):
    view = show_mask(tokenizer, [SHORT, LONG])
    boxes = view.figure().axes[0].patches
    legend = 4
    assert len(boxes) == legend + sum(map(len, view.rows))
    dark = [b for b in boxes[legend:] if _gray(b.get_facecolor()) < 0.5]
    hatched = [b for b in boxes[legend:] if b.get_hatch()]
    assert len(dark) == view.count("trained") and len(hatched) == view.count("padding")


def test_a_notebook_gets_a_picture_with_a_description(tokenizer):
    data, metadata = show_mask(tokenizer, SHORT)._repr_mimebundle_()
    assert data["image/png"].startswith(b"\x89PNG")
    assert metadata["image/png"]["width"] == 800
    assert "trained" in metadata["image/png"]["alt"] and "^^^^" in data["text/plain"]


def _gray(color):
    return 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]
