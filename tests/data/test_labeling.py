"""Every answer is trained completely and with its end, or its row is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ift_course.data.chat_templates import CHATML
from ift_course.data.labeling import label_records
from ift_course.data.loss_mask import IGNORE, render
from ift_course.data.records import Record, Turn
from ift_course.errors import CourseError

SPECIAL = re.compile(r"<\|?[\w/▁]+\|?>|\[/?[A-Z_]+\]|<｜[^｜]+｜>")
QUESTION, FIRST, NEXT, SECOND = "What do owls eat?", "Mice, mostly.", "And cats?", "Fish."
CONVERSATION = [
    {"role": "user", "content": QUESTION},
    {"role": "assistant", "content": FIRST},
    {"role": "user", "content": NEXT},
    {"role": "assistant", "content": SECOND},
]
STRICT = (
    "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('roles must alternate') }}{% endif %}"
    "{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]{% else %}{{ m.content }}</s>"
    "{% endif %}{% endfor %}"
)


def tokenizer_for(template: str | dict, plain: tuple[str, ...] = ()):
    """Byte-level, with a special token for all that looks like one, but for `plain`."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    special = sorted({"<s>", "</s>", *SPECIAL.findall(str(template))} - set(plain))
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300 + len(special), special_tokens=special, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    bpe.train_from_iterator([QUESTION], trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, bos_token="<s>", eos_token="</s>")
    tokenizer.chat_template = template
    return tokenizer


def spans(tokenizer, ids, mask) -> list[str]:
    runs, run = [], []
    for token, trained in [*zip(ids, mask, strict=True), (0, 0)]:
        if trained:
            run.append(token)
        elif run:
            runs.append(tokenizer.decode(run))
            run = []
    return runs


def trl_templates() -> dict[str, str]:
    import trl

    folder = Path(trl.__file__).parent / "chat_templates"
    return {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.jinja")}


TEMPLATES = trl_templates()


@pytest.mark.parametrize("known", [True, False], ids=["known to TRL", "unknown"])
@pytest.mark.parametrize("name", [name for name in TEMPLATES if "training" not in name])
def test_every_answer_is_trained_completely_or_the_row_is_refused(name, known):
    tokenizer = tokenizer_for(TEMPLATES[name] + ("" if known else "{# changed by its owner #}"))
    try:
        ids, mask = render(tokenizer, CONVERSATION)
    except CourseError:
        return
    first, second = spans(tokenizer, ids, mask)
    assert FIRST in first and SECOND in second
    assert QUESTION not in first and NEXT not in first + second
    special = {str(token) for token in tokenizer.added_tokens_decoder.values()}
    ends = [next((t for t in special if span.rstrip().endswith(t)), "") for span in (first, second)]
    assert bool(ends[0]) == bool(ends[1])
    if "glm" not in name:  # whose answers end where the next turn begins
        assert all(ends)


def test_a_template_that_drops_a_part_of_the_answer_is_refused():
    drops = CHATML.replace(
        "message['content'] + '<|im_end|>' }}{% end", "'' + '<|im_end|>' }}{% end"
    )
    for template in (drops, re.sub(r"\{% (end)?generation %\}", "", drops)):
        with pytest.raises(CourseError, match=r"does not contain the answer|changes the text"):
            render(tokenizer_for(template), CONVERSATION)


def test_of_several_named_templates_the_default_is_used():
    tokenizer = tokenizer_for({"default": CHATML, "tool_use": STRICT})
    ids, mask = render(tokenizer, CONVERSATION)
    assert spans(tokenizer, ids, mask) == [f"{FIRST}<|im_end|>", f"{SECOND}<|im_end|>"]
    tokenizer.chat_template = {"rag": CHATML}
    with pytest.raises(CourseError, match="rag"):
        render(tokenizer, CONVERSATION)


@pytest.mark.parametrize("marked", [True, False])
def test_an_answer_of_weight_0_is_read_and_not_trained(marked):
    template = CHATML if marked else re.sub(r"\{% (end)?generation %\}", "", CHATML)
    tokenizer = tokenizer_for(template)
    conversation = [CONVERSATION[0], {**CONVERSATION[1], "weight": 0}, *CONVERSATION[2:]]
    ids, mask = render(tokenizer, conversation)
    assert ids == render(tokenizer, CONVERSATION)[0]
    assert spans(tokenizer, ids, mask) == [f"{SECOND}<|im_end|>"]


def record(*turns: Turn, source: str = "talk.jsonl, row 3", **more) -> Record:
    return Record(turns, source, **more)


PLAIN = record(Turn("user", QUESTION), Turn("assistant", FIRST), source="talk.jsonl, row 1")
SYSTEM = record(Turn("system", "Be brief."), Turn("user", QUESTION), Turn("assistant", FIRST))
THINKS = record(Turn("user", QUESTION), Turn("assistant", FIRST, reasoning="Owls hunt at night."))
CALL = {"type": "function", "function": {"name": "menu", "arguments": {"of": "owl"}}}
TOOL = {
    "type": "function",
    "function": {
        "name": "menu", "description": "What it eats.",
        "parameters": {"type": "object", "properties": {"of": {"type": "string"}}},
    },
}  # fmt: skip
CALLS = record(
    Turn("user", QUESTION), Turn("assistant", "", tool_calls=(CALL,)),
    Turn("tool", "mice", name="menu"), Turn("assistant", FIRST), tools=(TOOL,),
)  # fmt: skip


@pytest.mark.parametrize(
    ("template", "bad", "reason"),
    [
        (STRICT, SYSTEM, "roles must alternate"),
        (CHATML, CALLS, "does not write tool calls, the descriptions of tools"),
        (CHATML, THINKS, "does not write reasoning.*--without reasoning"),
    ],
)
def test_a_record_that_the_template_cannot_write_is_named_or_left_out_on_request(
    template, bad, reason
):
    tokenizer = tokenizer_for(template)
    with pytest.raises(CourseError, match=rf"talk\.jsonl, row 3: .*{reason}"):
        list(label_records(tokenizer, [PLAIN, bad, PLAIN]))
    refused = []
    labeled = list(
        label_records(tokenizer, [PLAIN, bad, PLAIN], lambda *args: refused.append(args))
    )
    assert len(labeled) == 2 and labeled[0] == labeled[1]
    [(refused_record, sentence)] = refused
    assert refused_record is bad and re.search(reason, sentence)


def test_a_template_for_tools_and_reasoning_writes_them_and_they_are_trained():
    tokenizer = tokenizer_for(TEMPLATES["qwen3"])
    [(ids, labels)] = label_records(tokenizer, [CALLS])
    text = str(tokenizer.decode(ids))
    assert '"menu"' in text.split("<|im_start|>user")[0]
    call, answer = spans(tokenizer, ids, [label != IGNORE for label in labels])
    assert '"name": "menu"' in call and "mice" not in call + answer
    assert answer.endswith(f"{FIRST}<|im_end|>\n")
    [(ids, labels)] = label_records(tokenizer, [THINKS])
    [span] = spans(tokenizer, ids, [label != IGNORE for label in labels])
    assert "Owls hunt at night." in span


def test_records_are_labeled_together_as_each_is_alone():
    tokenizer = tokenizer_for(CHATML)
    records = [record(Turn("user", f"{QUESTION} {n}"), Turn("assistant", f"{FIRST} {n}"))
               for n in range(150)]  # fmt: skip
    alone = [next(label_records(tokenizer, [one])) for one in records]
    assert list(label_records(tokenizer, records)) == alone
