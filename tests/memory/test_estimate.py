"""The memory estimate equals reality: parameters, saved activations, the allocator's peak."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ift_course.errors import CourseError
from ift_course.memory import (
    GB,
    MemoryEstimate,
    Shape,
    activations,
    estimate_memory,
    names,
    shape_of,
    weights,
)
from ift_course.memory.advice import changes, largest, until_it_fits
from ift_course.memory.layouts import LAYOUTS
from ift_course.memory.setup import Setup

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _pytest.mark import ParameterSet

TIED = Shape("tied", 1024, 128, 320, 3, 4, 2, 32, tied=True)
UNTIED = Shape("untied", 2048, 128, 320, 3, 4, 4, 32, tied=False)
QUERY_KEY_NORM = Shape("query-key norm", 1024, 64, 192, 3, 4, 2, 32, True, query_key_norm=True)

# (shape, method, what differs from a batch of one sequence of 64 tokens). Every second is weekly.
RUNS = [
    (TIED, "full", {"precision": "fp32", "checkpointing": False}),
    (TIED, "full", {"precision": "fp32"}),
    (TIED, "full", {"precision": "mixed", "seq": 192}),
    (UNTIED, "full", {"precision": "mixed", "checkpointing": False}),
    (UNTIED, "full", {"precision": "bf16", "batch": 2, "accumulation": 2}),
    (QUERY_KEY_NORM, "full", {"precision": "mixed", "checkpointing": False}),
    (UNTIED, "lora", {"precision": "fp32", "checkpointing": False}),
    (TIED, "lora", {"precision": "mixed", "checkpointing": False, "seq": 192}),
    (TIED, "lora", {"precision": "mixed", "batch": 3}),
    (UNTIED, "lora", {"targets": ("q_proj", "v_proj"), "rank": 4, "checkpointing": False}),
    (TIED, "qlora", {"precision": "mixed"}),
    (UNTIED, "qlora", {"precision": "mixed", "checkpointing": False}),
    (UNTIED, "qlora", {"checkpointing": False, "adapter_bytes": 2, "seq": 192}),
    (QUERY_KEY_NORM, "qlora", {"checkpointing": False}),
    (UNTIED, "qlora", {"float32_vocab": True, "seq": 192}),
    (TIED, "qlora", {"float32_vocab": True, "checkpointing": False}),
]


@pytest.mark.parametrize(
    ("shape", "method", "run"),
    [
        pytest.param(
            *run, id=f"{run[0].name}-{run[1]}-{i}", marks=pytest.mark.weekly if i % 2 else ()
        )
        for i, run in enumerate(RUNS)
    ],
)
def test_the_predicted_peak_is_the_allocators_within_five_percent(shape, method, run):
    from ift_course.memory.measure import measure

    estimate = estimate_memory(shape, method, **{"seq": 64, **run})
    assert estimate.allocated == pytest.approx(measure(estimate), rel=0.05)


OTHERS = {
    "gemma": {"tied": True},
    "gemma3_text": {"tied": True, "query_key_norm": True},
    "phi3": {"tied": False},
    "phi": {"tied": False, "kv_heads": 4},
    "gpt2": {"tied": True, "kv_heads": 4, "positions": 256},
    "gpt_neox": {"tied": False, "kv_heads": 4},
}


def other(family: str) -> Shape:
    """A small shape of a family whose layers are not like Llama's."""
    layout = LAYOUTS[family]
    everything = (*layout.attention, layout.attention_out, *layout.mlp, layout.mlp_out)
    sizes = {"vocab": 1024, "hidden": 128, "intermediate": 512, "layers": 3, "heads": 4}
    defaults = {"kv_heads": 2, "head_dim": 32, "biases": everything if layout.biased else ()}
    return Shape(family, **sizes | defaults | OTHERS[family], family=family)


def combinations() -> Iterator[ParameterSet]:
    """Each family once, by methods and checkpoints in turn; all other combinations weekly."""
    methods = ("full", "lora", "qlora")
    for number, family in enumerate(OTHERS):
        turn = methods[number % 3], number % 2 == 0
        for method, checkpointing in itertools.product(methods, (True, False)):
            name = f"{family}-{method}-{'checkpoints' if checkpointing else 'none'}"
            marks = () if (method, checkpointing) == turn else pytest.mark.weekly
            yield pytest.param(family, method, checkpointing, id=name, marks=marks)


@pytest.mark.parametrize(("family", "method", "checkpointing"), [*combinations()])
def test_the_peak_of_other_families_is_predicted_within_seven_percent(
    family, method, checkpointing
):
    from ift_course.memory.measure import measure, random_model

    estimate = estimate_memory(other(family), method, seq=192, checkpointing=checkpointing)
    if method == "full":
        parameters = sum(
            p.numel() for p in random_model(estimate.shape, estimate.setup).parameters()
        )
        assert estimate.shape.parameters == parameters
    assert estimate.allocated == pytest.approx(measure(estimate), rel=0.07)


# With fewer labels, a copy of the head that a CPU kernel makes for itself exceeds the logits.
@pytest.mark.parametrize("labeled", [1.0, 0.5])
def test_the_peak_of_a_large_vocabulary_with_few_labels_is_predicted(labeled):
    from dataclasses import replace

    from ift_course.memory.measure import measure

    shape = replace(other("gemma3_text"), vocab=16_384)
    estimate = estimate_memory(shape, "lora", seq=64, batch=4, checkpointing=False, labeled=labeled)
    assert estimate.allocated == pytest.approx(measure(estimate), rel=0.07)


def test_a_share_of_labels_is_above_zero_and_at_most_one():
    for labeled in (0, 1.5, float("nan")):
        with pytest.raises(CourseError, match="labeled is a share above 0"):
            estimate_memory("gemma-3-270m", "lora", seq=64, labeled=labeled)


@pytest.mark.weekly
@pytest.mark.parametrize("method", ["full", "lora"])
@pytest.mark.parametrize("precision", ["fp32", "mixed"])
def test_the_predicted_activations_are_those_autograd_saves(method, precision):
    """One more layer saves exactly the predicted bytes."""
    from dataclasses import replace

    estimates = [
        estimate_memory(replace(TIED, layers=layers), method, seq=48, batch=2, precision=precision,
               checkpointing=False)
        for layers in (2, 3)
    ]  # fmt: skip
    saved = [_saved_bytes(estimate) for estimate in estimates]
    shape, setup = estimates[0].shape, estimates[0].setup
    predicted = setup.tokens * sum(activations.saved_by_layer(shape, setup).values())
    assert saved[1] - saved[0] == predicted + activations.autocast_copies(shape, setup)


def _saved_bytes(estimate: MemoryEstimate) -> int:
    """Bytes of all distinct storages that autograd saves, parameters excluded."""
    import torch

    from ift_course.memory.measure import random_model

    model = random_model(estimate.shape, estimate.setup)
    parameters = {x.untyped_storage().data_ptr() for x in [*model.parameters(), *model.buffers()]}
    saved = {}

    def record(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in parameters:
            saved[storage.data_ptr()] = storage.nbytes()
        return tensor

    ids = torch.randint(estimate.shape.vocab, (estimate.setup.batch, estimate.setup.seq))
    autocast = torch.autocast("cpu", torch.bfloat16, enabled=estimate.setup.autocast)
    with torch.autograd.graph.saved_tensors_hooks(record, lambda tensor: tensor), autocast:
        loss = model(input_ids=ids, labels=ids, use_cache=False).loss
    assert loss.requires_grad
    return sum(saved.values())


@pytest.mark.parametrize("name", names())
def test_the_shipped_numbers_give_the_published_model(name):
    """The number of parameters is that of transformers' own model, and that in the name."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from ift_course.memory.shape import shipped

    config_values = {k: v for k, v in shipped()["models"][name].items() if k != "read_in"}
    config = AutoConfig.for_model(config_values.pop("model_type"), **config_values)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    assert shape_of(name).parameters == sum(p.numel() for p in model.parameters())
    label = name.split("-")[-2] if name.startswith("Mistral") else name.split("-")[-1].upper()
    published = {"Phi-3-mini-4k": 3.8e9, "phi-2": 2.7e9, "gpt2": 124e6}
    size = published.get(name) or float(label[:-1]) * {"B": 1e9, "M": 1e6}[label[-1]]
    # Names round; Qwen3-8B and 4B are the published 8.2 and 4.0, Llama-3.2-1B is 1.24.
    assert shape_of(name).parameters == pytest.approx(size, rel=0.25)
    assert set(shipped()["models"][name]["read_in"]) <= set(shipped()["where"])


def test_quantized_weights_take_the_bits_of_the_paper():
    """Dettmers et al. 2023, section 3: constants of 0.127 bits per weight."""
    estimate = estimate_memory("Llama-3.1-8B", "qlora", seq=16)
    quantized = estimate.shape.layers * estimate.shape.matrix_parameters
    bits = 8 * weights.quantization_constants(estimate.shape, estimate.setup) / quantized
    assert bits == pytest.approx(0.127, abs=0.001)


def test_full_mixed_precision_takes_sixteen_bytes_a_parameter():
    estimate = estimate_memory("Llama-3.1-8B", "full", seq=16)
    permanent = [estimate.items[name] for name in ("weights", "gradients", "optimizer")]
    assert sum(permanent) == 16 * estimate.shape.parameters


@pytest.mark.parametrize("method", ["full", "lora"])
def test_an_8_bit_optimizer_stores_the_predicted_bytes(method):
    """On a CPU bitsandbytes makes fp32 copies during a step, so only what stays is compared."""
    import torch

    from ift_course.memory.measure import make_optimizer, random_model

    estimate = estimate_memory(UNTIED, method, seq=16, precision="fp32", optimizer="adamw_8bit")
    model = random_model(estimate.shape, estimate.setup)
    optimizer = make_optimizer(model, estimate.setup)
    ids = torch.ones(1, 16, dtype=torch.long)
    model(input_ids=ids, labels=ids).loss.backward()
    optimizer.step()
    states = [x for state in optimizer.state.values() for x in state.values()]
    stored = {x.data_ptr(): x.untyped_storage().nbytes() for x in states if torch.is_tensor(x)}
    tables = 2 * 4 * 256  # one for each state, shared by all tensors
    assert weights.optimizer(estimate.shape, estimate.setup) + tables == sum(stored.values())


def test_a_paged_optimizer_is_one_whose_states_can_leave_the_gpu():
    from ift_course.memory.measure import make_optimizer, random_model

    for name, is_paged in (("adamw_8bit", False), ("paged_adamw_8bit", True)):
        estimate = estimate_memory(TIED, "lora", seq=16, optimizer=name)
        optimizer = make_optimizer(random_model(estimate.shape, estimate.setup), estimate.setup)
        assert optimizer.is_paged is is_paged


def test_a_chunked_step_has_the_loss_of_a_whole_one():
    """On a CPU only its loss can be checked: the chunks make copies that a GPU does not make."""
    import torch

    from ift_course.memory.measure import measure, random_model

    losses = []
    for chunked in (False, True):
        estimate = estimate_memory(UNTIED, "lora", seq=32, precision="fp32", chunked_loss=chunked)
        torch.manual_seed(0)
        model = random_model(estimate.shape, estimate.setup)
        ids = torch.arange(32)[None]
        targets = {"fused_lm_head": True} if chunked else {"labels": ids}
        losses.append(model(input_ids=ids, shift_labels=ids, **targets).loss.item())
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    if not torch.cuda.is_available():
        with pytest.raises(CourseError, match="on a GPU only"):
            measure(estimate)


def test_logits_take_twelve_bytes_per_token_and_word_of_the_vocabulary():
    estimate = estimate_memory("Llama-3.1-8B", "qlora", seq=2048)
    assert estimate.peak.name == "gradient of the loss"
    assert estimate.items["logits"] == 12 * 2048 * 128_256
    chunked = {
        x.name: x.items.get("logits", 0) for x in estimate.change(chunked_loss=True).snapshots
    }
    assert chunked["gradient of the loss"] < estimate.items["logits"] / 10


def test_without_triton_a_chunk_of_trls_loss_takes_what_is_predicted():
    import torch
    from trl.kernels.chunked_logprob import ChunkedLogProbFunction

    from ift_course.memory.logits import CHUNK_VOCAB, at_loss_gradient
    from ift_course.memory.measure import peak_bytes

    shape = replace(UNTIED, vocab=2 * CHUNK_VOCAB, hidden=32)
    setup = Setup("lora", seq=96, batch=2, chunked_loss=True, triton=False)

    def tensors():
        hidden = torch.randn(setup.tokens, shape.hidden, dtype=torch.bfloat16, requires_grad=True)
        head = torch.randn(shape.vocab, shape.hidden, dtype=torch.bfloat16)
        return hidden, head, torch.zeros(setup.tokens, dtype=torch.long)

    def run(tensors):
        hidden, head, targets = tensors
        logps, *_ = ChunkedLogProbFunction.apply(hidden, head, None, targets, 1.0, CHUNK_VOCAB)
        logps.sum().backward()

    inputs = 2 * shape.hidden * (setup.tokens + shape.vocab)
    measured = peak_bytes(tensors, run) - inputs
    assert at_loss_gradient(shape, setup) == pytest.approx(measured, rel=0.02)


def test_memory_grows_and_shrinks_with_the_choices():
    estimate = estimate_memory("Llama-3.2-1B", "lora", seq=1024, batch=2)
    for more in ({"seq": 2048}, {"batch": 4}, {"rank": 256}, {"checkpointing": False},
                 {"precision": "fp32"}, {"method": "full"}):  # fmt: skip
        assert estimate.change(**more).total > estimate.total, more
    for less in ({"method": "qlora"}, {"chunked_loss": True}, {"optimizer": "adamw_8bit"}):
        assert estimate.change(**less).total < estimate.total, less


def test_a_config_json_and_a_model_folder_are_read(tiny_llama_dir):
    from transformers import AutoModelForCausalLM

    parameters = AutoModelForCausalLM.from_pretrained(tiny_llama_dir).num_parameters()
    for path in (tiny_llama_dir, tiny_llama_dir / "config.json"):
        assert shape_of(path).parameters == parameters
    for name in ("meta-llama/llama-3.2-1b", "Llama-3.2-1B-Instruct"):
        assert shape_of(name) == shape_of("Llama-3.2-1B")
    assert shape_of("google/gemma-3-1b-it") == shape_of("gemma-3-1b")


@pytest.mark.parametrize("family", OTHERS)
def test_the_config_that_transformers_writes_is_read(family, tmp_path):
    from transformers import AutoModelForCausalLM

    from ift_course.memory.measure import random_model

    shape = other(family)
    model = random_model(shape, estimate_memory(shape, "full", seq=256).setup)
    model.config.save_pretrained(tmp_path)
    read = shape_of(tmp_path)
    count = AutoModelForCausalLM.from_config(model.config).num_parameters()
    assert read.parameters == shape.parameters == count
    assert read.linears == shape.linears


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is damaged"),
        ('{"model_type": "mamba"}', "describes a model of type mamba"),
        ('{"model_type": "llama", "hidden_size": 8}', "no usable vocab_size"),
        ("[]", "describes a model of type None"),
    ],
)
def test_the_message_names_an_unusable_config(text, sentence, tmp_path):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(CourseError, match=sentence) as error:
        shape_of(tmp_path)
    assert str(tmp_path / "config.json") in str(error.value)


def test_messages_name_wrong_choices():
    for wrong, sentence in (
        ({"method": "dora"}, 'no method "dora"; choose one of full, lora, qlora'),
        ({"seq": 0}, "seq must be at least 1"),
        ({"targets": "q_proj"}, "targets must be all-linear or some of q_proj"),
        ({"targets": ["head"]}, "targets must be all-linear"),
        ({"precision": "bf16"}, "for method"),
    ):
        with pytest.raises(CourseError, match=sentence):
            estimate_memory("SmolLM2-135M", **{"method": "lora", "seq": 8, **wrong})


def test_advice_makes_it_fit_and_nothing_in_it_is_needless():
    estimate = estimate_memory("Llama-3.1-8B", "full", seq=2048, batch=4, checkpointing=False)
    for gb in (8, 12, 24, 80):
        needed = until_it_fits(estimate, gb)
        assert needed and needed[-1].estimate.fits(gb)
        assert estimate.total - sum(change.saves for change in needed) == needed[-1].estimate.total
        for left_out in needed:
            others = {}
            for change in needed:
                others |= change.option.choices if change is not left_out else {}
            assert not estimate.change(**others).fits(gb)


def test_advice_says_what_each_change_saves_by_itself():
    estimate = estimate_memory("Llama-3.2-1B", "lora", seq=2048, batch=4, checkpointing=False)
    for change in changes(estimate):
        assert estimate.change(**change.option.choices).total == estimate.total - change.saves
        assert change.saves > 0


def test_there_is_no_advice_if_nothing_helps_or_nothing_is_needed():
    assert until_it_fits(estimate_memory("Qwen3-8B", "qlora", seq=256), 4) is None
    assert until_it_fits(estimate_memory("SmolLM2-135M", "qlora", seq=256), 8) == []


def test_the_largest_batch_is_the_last_that_fits():
    estimate = estimate_memory("Llama-3.2-1B", "qlora", seq=512)
    batch = largest(estimate, "batch", 8)
    assert estimate.change(batch=batch).fits(8) and not estimate.change(batch=batch + 1).fits(8)
    assert largest(estimate_memory("Llama-3.1-8B", "full", seq=512), "batch", 8) == 0


def test_five_percent_of_a_gpu_stay_free():
    estimate = estimate_memory("SmolLM2-135M", "full", seq=512)
    assert estimate.fits(estimate.total / 0.95 / GB + 0.001)
    assert not estimate.fits(estimate.total / 0.95 / GB - 0.001)
