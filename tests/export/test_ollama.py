"""The Modelfile writes what the GGUF's own chat template writes, and stops where it stops.

Ollama is not installed where the tests run. Its template language, Go's, is read here by an
interpreter of the few actions that a Modelfile of ours has.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from ift_course.cli import app
from ift_course.data.chat_templates import STYLES, with_chat_format
from ift_course.errors import CourseError

gguf = pytest.importorskip("gguf")

TALKS = [
    [("user", "Hi")],
    [("system", "Say yes."), ("user", 'Why "no"?')],
    [("user", "One\n\n{{ two }}"), ("assistant", "- a\n- b"), ("user", "Thanks")],
    [("system", "A\nB"), ("user", "1"), ("assistant", "2"), ("user", "3"), ("assistant", "4"),
     ("user", "5")],
]  # fmt: skip


def messages(talk) -> list[dict[str, str]]:
    return [{"role": role, "content": content} for role, content in talk]


# --- Go's text/template: https://pkg.go.dev/text/template

ACTION = re.compile(r"\{\{(- )?(.*?)( -)?\}\}", re.DOTALL)


def actions(template: str) -> list[tuple[str, str]]:
    """Text and actions in order; a dash takes away the white space beside its action."""
    parts, end, trim = [], 0, False
    for match in ACTION.finditer(template):
        text = template[end : match.start()]
        text = text.lstrip() if trim else text
        parts.append(("text", text.rstrip() if match[1] else text))
        parts.append(("action", match[2].strip()))
        end, trim = match.end(), bool(match[3])
    rest = template[end:]
    return [*parts, ("text", rest.lstrip() if trim else rest)]


def parse(stream: Iterator[tuple[str, str]]) -> tuple[list, str]:
    """The nodes up to the next `else` or `end`, and that action."""
    nodes = []
    for kind, content in stream:
        word = content.partition(" ")[0]
        if kind == "text":
            nodes.append((kind, content))
        elif word in ("else", "end"):
            return nodes, content
        elif word in ("if", "range"):
            branches, condition = [], content
            while condition != "end":
                body, following = parse(stream)
                branches.append((condition.removeprefix("else").strip(), body))
                condition = following
            nodes.append((word, branches))
        else:
            nodes.append((kind, content))
    return nodes, ""


def value(expression: str, dot, variables: dict):
    if expression.startswith('"'):
        return json.loads(expression)
    if expression.startswith("$"):
        return variables[expression]
    return dot[expression.removeprefix(".")]


def execute(nodes: list, dot, variables: dict) -> str:
    text = ""
    for kind, content in nodes:
        if kind == "text":
            text += content
        elif kind == "range":
            [(head, body)] = content
            for item in value(head.removeprefix("range").strip(), dot, variables):
                text += execute(body, item, variables)
        elif kind == "if":
            for condition, body in content:
                if not condition or holds(condition.removeprefix("if").strip(), dot, variables):
                    text += execute(body, dot, variables)
                    break
        elif assignment := re.fullmatch(r"(\$\w+) :?= (.+)", content, re.DOTALL):
            variables[assignment[1]] = value(assignment[2], dot, variables)
        else:
            text += value(content, dot, variables)
    return text


def holds(condition: str, dot, variables: dict) -> bool:
    operator, left, right = condition.split(" ", 2)
    same = value(left, dot, variables) == value(right, dot, variables)
    return same if operator == "eq" else not same


def go(template: str, talk, prompt: str = "") -> str:
    nodes, _ = parse(iter(actions(template)))
    dot = {"Messages": [{"Role": role, "Content": content} for role, content in talk]}
    return execute(nodes, dot | {"Prompt": prompt}, {})


def test_the_interpreter_reads_a_template_of_ollamas_own_kind():
    template = """{{ range .Messages }}{{ if eq .Role "user" }}<u>
{{ .Content }}
{{ else }}  {{- .Content -}}  {{ end }}{{ end }}!"""
    assert go(template, [("user", "a"), ("other", "b")]) == "<u>\na\nb!"


# --- the Modelfile


def jinja(template: str, talk, **tokens: str) -> str:
    """What a program that runs the GGUF's template writes."""
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template).render(
        messages=messages(talk), add_generation_prompt=True, **tokens
    )


def special_tokens(tokenizer) -> dict[str, str]:
    names = ("bos_token", "eos_token")
    return {name: getattr(tokenizer, name) for name in names if getattr(tokenizer, name)}


@pytest.mark.parametrize("style", STYLES)
def test_the_template_writes_what_the_ggufs_own_template_writes(style, shared_tokenizer):
    from ift_course.export.gguf_vocabulary import end_of_answer, vocabulary
    from ift_course.export.ollama import go_template

    tokenizer = with_chat_format(shared_tokenizer, style)
    template = go_template(tokenizer)
    words = vocabulary(tokenizer, len(tokenizer), end_of_answer(tokenizer))
    for talk in TALKS:
        expected = jinja(words.special.chat_template, talk, **special_tokens(tokenizer))
        assert go(template, talk) == expected, talk


def test_the_exported_folder_is_complete_and_agrees_with_its_gguf(tiny_llama_dir, tmp_path):
    out = tmp_path / "cow-ollama"
    words = ["export", str(tiny_llama_dir), "--to", "ollama", "--out", str(out)]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    assert "ollama create" in result.stdout
    assert {path.name for path in out.iterdir()} == {"Modelfile", "cow-f16.gguf"}
    text = (out / "Modelfile").read_text(encoding="utf-8")
    assert "\nFROM ./cow-f16.gguf\n" in text
    assert "\nPARAMETER num_ctx 256\n" in text
    [template] = re.findall(r'TEMPLATE """(.*?)"""', text, re.DOTALL)
    fields = gguf.GGUFReader(out / "cow-f16.gguf").fields
    own = fields["tokenizer.chat_template"].contents()
    for talk in TALKS:
        assert go(template, talk) == jinja(own, talk), talk
    vocabulary = fields["tokenizer.ggml.tokens"].contents()
    end = vocabulary[fields["tokenizer.ggml.eos_token_id"].contents()]
    stops = [json.loads(x) for x in re.findall(r"^PARAMETER stop (.+)$", text, re.MULTILINE)]
    assert stops[0] == end == "<|im_end|>"


def test_a_conversation_that_ends_with_an_answer_is_continued(shared_tokenizer):
    from ift_course.export.ollama import go_template

    talk = [("user", "Name a bird."), ("assistant", "An o")]
    assert go(go_template(shared_tokenizer), talk).endswith("<|im_start|>assistant\nAn o")


def test_a_beginning_token_that_llama_cpp_adds_is_left_out(shared_tokenizer):
    from tokenizers.processors import TemplateProcessing

    from ift_course.export.ollama import go_template

    tokenizer = with_chat_format(shared_tokenizer, "llama-3")
    talk = [("user", "Hi")]
    assert go(go_template(tokenizer), talk).startswith("<|begin_of_text|>")
    bos = (tokenizer.bos_token, tokenizer.bos_token_id)
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single=f"{bos[0]} $A", special_tokens=[bos]
    )
    assert go(go_template(tokenizer), talk).startswith("<|start_header_id|>user")


def test_without_a_chat_template_the_prompt_is_sent_as_it_is(plain_llama):
    from ift_course.export.ollama import modelfile

    text = modelfile(*plain_llama, "plain.gguf")
    assert 'TEMPLATE """{{ .Prompt }}"""' in text
    assert go("{{ .Prompt }}", [], "Once upon") == "Once upon"
    assert 'PARAMETER stop "<|endoftext|>"' in text


def test_a_template_without_system_messages_is_written_without_them(shared_tokenizer):
    from ift_course.export.ollama import go_template

    tokenizer = with_chat_format(shared_tokenizer, "chatml")
    refusal = (
        "{%- if messages[0]['role'] == 'system' -%}{{ raise_exception('No system.') }}{%- endif -%}"
    )
    tokenizer.chat_template = refusal + tokenizer.chat_template
    assert '.Role "system"' not in go_template(tokenizer)


def test_a_template_that_counts_is_refused_and_nothing_is_left(tiny_llama, tmp_path):
    from ift_course.export.export_model import ExportSource
    from ift_course.export.ollama import to_ollama

    model, tokenizer = tiny_llama
    tokenizer.chat_template = (
        "{{ messages | length }}{% for m in messages %}{{ m['role'] + m['content'] }}{% endfor %}"
    )
    with pytest.raises(CourseError, match="does more than put fixed texts"):
        to_ollama(ExportSource(model, tokenizer, tmp_path), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_full_disk_leaves_no_half_folder(tiny_llama_dir, tmp_path, monkeypatch):
    from types import SimpleNamespace

    from ift_course.export import export_model
    from ift_course.export.ollama import to_ollama

    source = export_model.load_source(str(tiny_llama_dir))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10))
    with pytest.raises(CourseError, match="are free"):
        to_ollama(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()
