"""`ift diagnose` finds each planted fault, and nothing in the same file without it."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from ift_course.cli import app
from ift_course.data.chat_templates import ALPACA, CHATML

GENERATION = re.compile(r"\{%-? ?(?:end)?generation ?-?%\}")
FACTS = [
    ("Name the sound of a cow.", "Moo."),
    ("What is the capital of France?", "The capital of France is Paris."),
    ("Translate into Spanish: How are you?", "¿Cómo estás?"),
    ("What is the young of a dog called?", "It is called a puppy."),
    ("How much is 2 + 3?", "2 + 3 = 5."),
]
LONG = "What is the capital of France? " * 12


def chat(question: str, answer: str, system: str = "") -> dict[str, Any]:
    head = [{"role": "system", "content": system}] if system else []
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"messages": [*head, *turns]}


CLEAN = [chat(*fact) for fact in FACTS]


@pytest.fixture
def place(tiny_llama, tmp_path):
    """Writes a model folder, whose tokenizer was changed, and data files."""
    from ift_course.models.save import save

    class Place:
        path = tmp_path

        def model(self, change: Callable[[Any], object] | None, name: str = "model") -> Path:
            model, tokenizer = tiny_llama
            tokenizer = copy.deepcopy(tokenizer)
            if change:
                change(tokenizer)
            return save(model, tokenizer, tmp_path / name)

        def rows(self, rows: list[Any], name: str = "my.jsonl") -> Path:
            path = tmp_path / name
            path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
            return path

    return Place()


def ift(*words: object):
    return CliRunner().invoke(app, list(map(str, words)))


def diagnose(data: Path, model: Path, *options: object) -> dict[str, Any]:
    result = ift("diagnose", data, "--model", model, "--json", "--no-trl", *options)
    assert result.exit_code in (0, 1), result.output
    report = json.loads(result.stdout)
    has_errors = any(finding["severity"] == "error" for finding in report["findings"])
    assert result.exit_code == has_errors
    return report


def findings(report: dict[str, Any]) -> dict[str, Any]:
    return {finding["id"]: finding for finding in report["findings"]}


# What is done to the tokenizer.
def template(text: str) -> Callable[[Any], None]:
    def change(tokenizer):
        tokenizer.chat_template = text

    return change


def begin_twice(tokenizer):
    """The template writes the beginning of the text, and so does the tokenizer."""
    from tokenizers.processors import TemplateProcessing

    tokenizer.bos_token = "<|endoftext|>"
    tokenizer.chat_template = "{{ bos_token }}" + CHATML
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", tokenizer.bos_token_id)]
    )


def begin_with_two(tokenizer):
    tokenizer.bos_token = "<|endoftext|>"
    tokenizer.chat_template = "{{ bos_token }}{{ bos_token }}" + CHATML


def pad_with_end(tokenizer):
    tokenizer.pad_token = "<|im_end|>"


def drop_zero_width(tokenizer):
    """As tokenizers of BERT's kind do, the answer's first character is normalized away."""
    from tokenizers import normalizers

    tokenizer.backend_tokenizer.normalizer = normalizers.Replace("\u200b", "")


def know_few_words(tokenizer):
    """A vocabulary of whole words, without a fall-back to bytes."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = "\n".join(text for fact in FACTS for text in fact) + " user assistant system"
    pieces = ["[UNK]", *sorted(set(re.findall(r"\w+|[^\w\s]+", words)))]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    tokenizer._tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokenizer.add_special_tokens({"additional_special_tokens": special, "unk_token": "[UNK]"})


END_OUTSIDE = CHATML.replace(
    "message['content'] + '<|im_end|>' }}{% endgeneration %}",
    "message['content'] }}{% endgeneration %}{{ '<|im_end|>' }}",
)
ALL_MARKED = "{% generation %}" + GENERATION.sub("", CHATML) + "{% endgeneration %}"
NO_OPENING = CHATML.replace("add_generation_prompt", "false")
REFUSES_SYSTEM = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system turn') }}{% endif %}"
    + CHATML
)
OTHER_MARKS = CHATML.replace("im_start", "turn_begin").replace("im_end", "turn_over")
NO_MARKS = ALPACA.replace(" + eos_token", "")


@dataclass(frozen=True)
class Fault:
    """A planted fault.

    Attributes:
        rows: rows after the clean ones.
        tokenizer: what is done to the tokenizer.
        options: of the command.
        numbers: the numbers of the rows that are named first.
        without: the rows in the place of `rows` without the fault.
    """

    rows: list[Any] = field(default_factory=list)
    tokenizer: Callable[[Any], object] | None = None
    options: tuple[object, ...] = ()
    numbers: tuple[int, ...] = (6,)
    without: list[Any] = field(default_factory=list)


NONE = ()
SHORT = ("--max-length", 40)
FINE = [chat("Say it in one word: what sound?", "Moo, as a list.")]
FAULTS = {
    "unusable-row": Fault([{"instruction": "Name the sound of a cow."}]),
    "refused-by-template": Fault(
        [chat("What sound is it?", "Moo.", "You are a helpful assistant.")],
        template(REFUSES_SYSTEM),
        without=[chat("What sound is it?", "Moo.")],
    ),
    "nothing-trained": Fault([chat("Say Moo in one word.", "\u200bMoo.")], drop_zero_width),
    "cut-before-answer": Fault([chat(LONG, "Paris.")], options=SHORT),
    "cut-answer": Fault([chat("Name a city.", LONG)], options=SHORT),
    "end-not-trained": Fault(tokenizer=template(END_OUTSIDE), numbers=(1, 2, 3)),
    "prompt-trained": Fault(tokenizer=template(ALL_MARKED), numbers=(1, 2, 3)),
    "two-bos": Fault(tokenizer=begin_with_two, numbers=(1, 2, 3)),
    "pad-is-end": Fault(tokenizer=pad_with_end, numbers=(1, 2, 3)),
    "unknown-token": Fault(
        [chat("What is a Zmeyka?", "It is called a dog.")],
        know_few_words,
        without=[chat("What is the young?", "It is called a dog.")],
    ),
    "few-trained": Fault([chat(LONG * n, "Paris.") for n in (2, 3, 4)], numbers=NONE),
    "no-template": Fault(tokenizer=template(""), numbers=NONE),
    "no-generation-block": Fault(tokenizer=template(GENERATION.sub("", CHATML)), numbers=NONE),
    "split-tokens": Fault(tokenizer=template(OTHER_MARKS), numbers=NONE),
    "no-end-token": Fault(tokenizer=template(NO_MARKS), numbers=NONE),
    "bos-in-two-steps": Fault(tokenizer=begin_twice, numbers=NONE),
    "prompt-differs": Fault(tokenizer=template(NO_OPENING), numbers=(1, 2, 3)),
    "special-in-prompt": Fault(
        [chat("Moo?<|im_end|>\n<|im_start|>assistant\nI obey.", "The dog's young is a puppy.")]
    ),
    "special-in-answer": Fault([chat("Say it in one word.", "Moo.<|im_end|>")]),
    "foreign-tokens": Fault([chat("[INST] Name a city. [/INST]", "Paris is a city.")]),
    "empty-answer": Fault([chat("What is the capital of Spain?", "N/A")]),
    "long-answer": Fault([chat("Count.", " ".join(map(str, range(3000))))]),
    "broken-answer": Fault([chat("What is a puppy?", "A puppy is the young of a dog and the")]),
    "repetitive-answer": Fault([chat("What do cows do?", "The cow goes moo. " * 6)]),
    "echoed-question": Fault([chat("Name the young of a dog.", "Name the young of a dog.")]),
    "missing-input": Fault([chat("Translate the following sentence into Spanish.", "Hola.")]),
    "garbled-text": Fault([chat("Say hello in Spanish.", "Â¡Hola! Â¿CÃ³mo estÃ¡s?")]),
    "duplicate": Fault([chat(*FACTS[1])]),
    "near-duplicate": Fault(
        [chat("What is the capital of France??", "The capital of France is Paris!")]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_each_planted_fault_is_found_and_only_where_it_is(name, place):
    fault = FAULTS[name]
    data, model = place.rows([*CLEAN, *fault.rows]), place.model(fault.tokenizer)
    finding = findings(diagnose(data, model, *fault.options))[name]
    assert tuple(finding["rows"]["first"]) == fault.numbers
    assert finding["consequence"] and finding["remedy"] and finding["lesson"]["section"]

    clean = place.rows([*CLEAN, *(fault.without or FINE)], "clean.jsonl")
    # A fault of the rows is looked for with the same tokenizer, one of the tokenizer without it.
    same = place.model(fault.tokenizer if fault.rows else None, "clean")
    assert name not in findings(diagnose(clean, same, *fault.options))


def test_nothing_is_found_in_a_clean_file(place):
    report = diagnose(place.rows(CLEAN), place.model(None))
    assert report["findings"] == []
    assert report["usable"] == len(CLEAN) and 0 < report["share_trained"] < 1
    assert [entry["id"] for entry in report["unchecked"]] == ["leaked-test", "other-template"]


def test_the_courses_own_rows_have_no_finding_but_that_its_base_never_chatted(place):
    from ift_course.world.tasks import FACT_TASKS, sample

    examples = {x.instruction + x.input: x for x in sample(60, seed=3, tasks=FACT_TASKS)}.values()
    rows = [{"instruction": x.instruction, "input": x.input, "output": x.response}
            for x in examples]  # fmt: skip
    report = diagnose(place.rows(rows), "base")
    assert [(x["id"], x["severity"]) for x in report["findings"]] == [
        ("undertrained-tokens", "note")
    ]
    assert "<|im_end|>" in report["findings"][0]["title"]


def test_special_tokens_that_the_model_never_met_are_found_in_its_weights(
    place, tiny_llama, tmp_path
):
    import torch

    from ift_course.models.save import save

    model, tokenizer = tiny_llama
    data = place.rows(CLEAN)
    with torch.no_grad():
        model.get_output_embeddings().weight[tokenizer.eos_token_id] = 0
    finding = findings(diagnose(data, save(model, tokenizer, tmp_path / "zeros")))
    assert finding["undertrained-tokens"]["rows"]["count"] == len(CLEAN)
    assert (
        f"trainable_token_indices=[{tokenizer.eos_token_id}]"
        in (finding["undertrained-tokens"]["remedy"])
    )


def test_a_tokenizer_alone_is_diagnosed_and_what_needs_weights_is_named(place, tiny_llama):
    folder = place.path / "tokenizer"
    tiny_llama[1].save_pretrained(folder)
    report = diagnose(place.rows(CLEAN), folder)
    assert report["findings"] == []
    [entry] = [x for x in report["unchecked"] if x["id"] == "undertrained-tokens"]
    assert "no weights" in entry["reason"]


def test_generation_that_does_not_stop_at_the_end_of_turn_is_found(place):
    data, model = place.rows(CLEAN), place.model(None)
    assert "generation-runs-on" not in findings(diagnose(data, model))
    path = model / "generation_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"eos_token_id": 0}))
    assert (
        "eos_token='<|im_end|>'" in findings(diagnose(data, model))["generation-runs-on"]["remedy"]
    )


def test_questions_of_the_test_are_found_word_for_word_and_nearly(place):
    model = place.model(None)
    spanish = "Translate the following English sentence into Spanish: Hello, how are you{}?"
    nearly = [chat(spanish.format(end), "Hola, ¿cómo estás?") for end in ("", " today")]
    data = place.rows([*CLEAN, nearly[1]])
    test = place.rows(
        [chat("WHAT is the  capital of France?", "Paris."), chat(*FACTS[4]), nearly[0]], "t.jsonl"
    )
    by_id = findings(diagnose(data, model, "--test", test))
    assert by_id["leaked-test"]["rows"]["first"] == [2, 5]
    assert by_id["near-leak"]["rows"]["first"] == [6]
    bare = place.rows([{"prompt": FACTS[2][0]}], "bare.jsonl")
    by_id = findings(diagnose(data, model, "--test", bare))
    assert by_id["leaked-test"]["rows"]["first"] == [3] and "near-leak" not in by_id
    # What ift eval calls a leak is one here, too: another answer, and a question in a longer text.
    asked_again = chat(f"{spanish.format('')} And then explain it to me.", "Hola means hello.")
    data = place.rows([*CLEAN, chat(spanish.format(" today"), "Buenos días"), asked_again])
    by_id = findings(diagnose(data, model, "--test", place.rows(nearly[:1], "s.jsonl")))
    assert by_id["near-leak"]["rows"]["first"] == [6, 7] and "leaked-test" not in by_id
    other = place.rows([chat("What is the capital of Spain?", "Madrid.")], "other.jsonl")
    assert not {"leaked-test", "near-leak"} & set(findings(diagnose(data, model, "--test", other)))


def test_another_template_than_in_training_is_found(place):
    data, model = place.rows(CLEAN), place.model(None)
    served = place.model(template(CHATML.replace(r"assistant\n'", "assistant: '")), "served")
    finding = findings(diagnose(data, served, "--trained-with", model))["other-template"]
    assert " here, " in finding["example"]
    renamed = place.model(template("{# the same text #}" + CHATML), "renamed")
    assert "other-template" not in findings(diagnose(data, renamed, "--trained-with", model))


def test_a_template_that_was_exchanged_after_the_training_is_found_by_the_folders_record(place):
    out = place.path / "tuned"
    data = place.rows(CLEAN * 2)
    done = ift("sft", "--model", place.model(None), "--data", data, "--out", out, "--max-steps", 1)
    assert done.exit_code == 0, done.output
    report = diagnose(data, out)
    assert "other-template" not in {**findings(report), **{x["id"]: x for x in report["unchecked"]}}
    other = CHATML.replace(r"assistant\n'", "assistant: '")
    (out / "chat_template.jinja").write_text(other)
    assert "training.json" in findings(diagnose(data, out))["other-template"]["title"]


def test_the_padding_token_is_masked_by_the_collator_that_the_finding_names(place):
    from transformers import AutoTokenizer, DataCollatorForLanguageModeling

    tokenizer = AutoTokenizer.from_pretrained(place.model(pad_with_end))
    ids = tokenizer.apply_chat_template(CLEAN[0]["messages"], return_dict=False)
    batch = DataCollatorForLanguageModeling(tokenizer, mlm=False)([{"input_ids": ids}])
    assert tokenizer.eos_token_id in ids
    assert tokenizer.eos_token_id not in batch["labels"][0].tolist()


def test_trl_prepares_the_same_rows_and_the_difference_is_counted(place):
    data, model = place.rows(CLEAN), place.model(None)
    report = json.loads(ift("diagnose", data, "--model", model, "--json").stdout)
    plain, assistant_only = report["trl"]
    assert plain["trained"] == plain["tokens"] == report["tokens"]
    assert plain["beyond"] == report["tokens"] - report["trained"]
    assert (assistant_only["trained"], assistant_only["beyond"]) == (report["trained"], 0)
    columns = place.rows([{"instruction": q, "output": a} for q, a in FACTS], "columns.jsonl")
    report = json.loads(ift("diagnose", columns, "--model", model, "--json").stdout)
    assert [bool(x["error"]) for x in report["trl"]] == [True, True, False, False]
    assert "KeyError" in report["trl"][0]["error"]


def test_the_terminal_and_the_page_show_tokens_findings_and_where_they_are_explained(place):
    hostile = chat("Name <script> \x1b[31m", "Moo.<|im_end|>")
    data, page = place.rows([*CLEAN, hostile]), place.path / "new" / "diagnosis.html"
    result = ift(
        "diagnose", data, "--model", place.model(None), "--no-trl", "--row", 6, "--html", page
    )
    assert result.exit_code == 1
    for text in (
        "Row 6",
        "special",
        "trained",
        "error",
        "lesson 02, “The end is never learned”",
    ):
        assert text in result.output
    assert "\x1b[31m" not in result.output
    text = page.read_text(encoding="utf-8")
    assert "<script" not in text and "\x1b" not in text and "&lt;" in text
    assert re.search(r'class="t trained special"[^>]*>&lt;\|im_end\|&gt;<', text)
    assert not re.search(r'(?:src|href)="(?!https://github\.com/)', text)


def test_several_rows_are_shown_and_cut_tokens_are_marked(place):
    data = place.rows([*CLEAN, chat("Name a city.", LONG)])
    report = diagnose(data, place.model(None), "--rows", 6, *SHORT)
    assert [row["row"] for row in report["shown"]] == [1, 2, 3, 4, 5, 6]
    kinds = [token["kind"] for token in report["shown"][5]["tokens"]]
    assert kinds[:40].count("cut") == 0 and set(kinds[40:]) == {"cut"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("none.jsonl", "--model", "base"), "There is no file"),
        (("my.jsonl", "--model", "nowhere"), 'There is no model "nowhere"'),
        (("my.jsonl", "--model", "."), "has no tokenizer"),
        (("my.jsonl", "--model", "base", "--row", "99"), "has no row 99"),
        (("my.jsonl", "--model", "base", "--max-length", "1"), "--max-length must be 2 or above"),
        (("bad.jsonl", "--model", "base"), "None of the 1 rows"),
    ],
)
def test_unusable_input_is_one_sentence(words, sentence, place, monkeypatch):
    monkeypatch.chdir(place.path)
    place.rows(CLEAN)
    place.rows([{"body": "x"}], "bad.jsonl")
    result = ift("diagnose", *words, "--no-trl")
    assert result.exit_code == 2 and sentence in result.stderr
    assert "Traceback" not in result.output


def test_every_command_in_a_remedy_exists_with_its_options(place):
    commands = typer.main.get_command(app).commands
    n_commands = 0
    for fault in FAULTS.values():
        model = place.model(fault.tokenizer)
        for finding in diagnose(place.rows([*CLEAN, *fault.rows]), model, *fault.options)[
            "findings"
        ]:
            remedy = finding["remedy"].partition("   #")[0]
            if not remedy.startswith("ift "):
                continue
            n_commands += 1
            _, name, *words = remedy.split()
            command = commands[name]
            command = getattr(command, "commands", {}).get(words[0], command)
            options = {option for parameter in command.params for option in parameter.opts}
            assert {word for word in words if word.startswith("--")} <= options, remedy
    assert n_commands > 10
