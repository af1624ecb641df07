"""The card of an exported model: what is known of it, and plainly what is not."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ift_course.models import provenance
from ift_course.paths import assets_dir

if TYPE_CHECKING:
    from transformers import PreTrainedModel

CARD = """\
# {{ name }}

A language model of {{ "{:,}".format(parameters) }} weights ({{ family }}, {{ dtype }})\
{% if tunings %}, tuned {{ "once" if tunings|length == 1 else "{} times".format(tunings|length) }} \
with the tools of a course on instruction tuning, ift-course{% endif %}.
{% if has_template %}
```python
from transformers import AutoModelForCausalLM, AutoTokenizer

model = AutoModelForCausalLM.from_pretrained("{{ name }}")
tokenizer = AutoTokenizer.from_pretrained("{{ name }}")
asked = [{"role": "user", "content": "What is the capital of France?"}]
prompt = tokenizer.apply_chat_template(
    asked, add_generation_prompt=True, return_dict=True, return_tensors="pt"
)
answer = model.generate(**prompt, max_new_tokens=64, do_sample=False)
print(tokenizer.decode(answer[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True))
```
{% else %}
It has no chat template: it continues text, and holds no conversation.
{% endif %}
## Data and method
{% for t in tunings %}
{{ loop.index }}. {{ "Supervised fine-tuning" if t.method == "sft" else "Direct preference \
optimization" }} of {{ start_of(t) }}

| what | value |
| --- | --- |
| data | {{ t.data | join(", ") or "name not known" }}: \
{{ "{:,}".format(t.rows) }} {{ "conversations" if t.method == "sft" else "pairs" }} |
| its SHA-256 | `{{ t.data_sha256 }}` |
{% if t.truncated or t.dropped -%}
| not learned whole | {{ t.truncated }} cut off, {{ t.dropped }} dropped |
{% endif -%}
| trained | {{ changes[t.changes] }} |
{% for key, value in t.settings.items() if value is not none -%}
| {{ key.replace("_", " ") }} | {{ value }} |
{% endfor -%}
| steps | {{ "{:,}".format(t.steps) }} in {{ "%.1f" | format(t.seconds / 60) }} minutes on \
{{ t.machine }} |
| loss in training | {{ "%.3f" | format(t.loss[0]) }} → {{ "%.3f" | format(t.loss[1]) }} |
| made with | {% for k, v in t.versions.items() %}{{ k }} {{ v }}{{ ", " if not loop.last }}\
{% endfor %} |
{% else %}{% if untuned %}
Not tuned: this is the base model that the course ships, pretrained on prose of its own making.
{% else %}
Not known: the folder this was exported from has no `{{ record }}`, which `ift sft` and `ift dpo` \
leave. Whoever tuned it knows the data, the settings and the starting model; write them here.
{% endif %}{% endfor %}
## Scores
{% if scores %}
Measured before it was exported, as `scores.json` in its folder says:

| property | bound | by seed |
| --- | --- | --- |
{% for s in scores -%}
| {{ s.name }} | {{ "≥" if s.at_least else "≤" }} {{ s.bound }} | \
{% for v in s["values"] %}{{ "%.3f" | format(v) }}{{ ", " if not loop.last }}{% endfor %} |
{% endfor %}
{%- else %}
Not known: no measurement came with the model.\
{% if tunings %} The losses above are of the rows it was tuned on, and say nothing about new \
questions.{% endif %}
{% endif %}
## Limits

{% if small_world -%}
- It knows one small, closed world: some true facts about countries, animals and words, and people
  who do not exist. It is for learning how tuning works, and for nothing else.
{% endif -%}
{% if tunings -%}
- It imitates the responses it was tuned on, their mistakes included. Where they ask for a fact that
  its base never read, it has learned to guess.
{% endif -%}
- It states false things as fluently as true ones.
- Not known: how it treats people, what it says when it is provoked, and every language and subject
  that was not measured above.
- License: {{ license_says }}
"""
CHANGES = {
    "full": "every weight",
    "lora": "adapters of low rank (LoRA), merged into the weights",
    "qlora": "adapters of low rank on weights of 4 bits (QLoRA), merged into the full weights",
}
UNKNOWN = "not known. That of the model it was tuned from applies, and that of the data may too."


@dataclass(frozen=True)
class Facts:
    """What a card says, of a model and of the folder it was read from."""

    name: str
    tunings: list[provenance.Tuning]
    scores: list[dict[str, Any]]
    license: str | None
    small_world: bool
    untuned: bool


def known(folder: str | Path, name: str) -> Facts:
    """What a model folder tells of its model. Raises CourseError when its record is damaged."""
    folder = Path(folder)
    tunings = provenance.read(folder)
    start = tunings[0].start if tunings else str(folder)
    home = Path(start) if start != provenance.OURS else _shipped()
    return Facts(
        name=name,
        tunings=tunings,
        scores=_scores(folder / "scores.json"),
        license=_license(folder) or _license(home),
        small_world=home == _shipped(),
        untuned=folder == _shipped(),
    )


def write_card(facts: Facts, model: "PreTrainedModel", has_template: bool, folder: Path) -> None:
    """Write README.md into an exported folder, with the metadata that the Hub reads."""
    from huggingface_hub import ModelCardData
    from jinja2 import Environment

    text = Environment(keep_trailing_newline=True).from_string(CARD).render(
        name=facts.name,
        tunings=facts.tunings,
        scores=facts.scores,
        small_world=facts.small_world,
        untuned=facts.untuned,
        start_of=_start,
        changes=CHANGES,
        record=provenance.FILE,
        parameters=model.num_parameters(),
        family=model.config.model_type,
        dtype=str(model.dtype).removeprefix("torch."),
        has_template=has_template,
        license_says=f"{facts.license}." if facts.license else UNKNOWN,
    )  # fmt: skip
    data = ModelCardData(
        license=facts.license,
        base_model=_hub_base(facts.tunings),
        library_name="transformers",
        pipeline_tag="text-generation",
        tags=[tuning.method for tuning in facts.tunings] or None,
    )
    (folder / "README.md").write_text(f"---\n{data.to_yaml()}\n---\n{text}", encoding="utf-8")


def _start(tuning: provenance.Tuning) -> str:
    """A hub id as it is; of a folder its last name, since the rest is the author's own machine."""
    if tuning.start == provenance.OURS:
        return provenance.OURS
    return f"`{_hub_id(tuning.start) or Path(tuning.start).name}`"


def _hub_id(start: str) -> str | None:
    return start if re.fullmatch(r"[\w.-]+/[\w.-]+", start) else None


def _hub_base(tunings: list[provenance.Tuning]) -> str | None:
    return _hub_id(tunings[0].start) if tunings else None


def _shipped() -> Path:
    return assets_dir() / "base"


def _scores(path: Path) -> list[dict[str, Any]]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    keys = {"name", "bound", "at_least", "values"}
    return [score for score in found if isinstance(score, dict) and keys <= set(score)]


def _license(folder: Path) -> str | None:
    """What the card in a folder says, if there is one."""
    from huggingface_hub import ModelCard

    try:
        return ModelCard.load(folder / "README.md").data.license
    except (OSError, ValueError):
        return None
