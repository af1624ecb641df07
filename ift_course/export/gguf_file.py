"""A model as one GGUF file, which llama.cpp and the programs built on it read."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ift_course.disk import disk_errors
from ift_course.errors import CourseError
from ift_course.export.gguf_vocabulary import REMEDY, Vocabulary, end_of_answer, vocabulary
from ift_course.models.embeddings import embedding_rows
from ift_course.models.licenses import TERMS

if TYPE_CHECKING:
    import gguf
    import numpy
    import torch
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

GEMMA3 = "gemma3_text"
# transformers' model_type → llama.cpp's architecture.
ARCHITECTURES = {"llama": "llama", "qwen2": "qwen2", "qwen3": "qwen3", GEMMA3: "gemma3"}
# In q8_0 and q4_0, every block of 32 weights has a scale of two bytes.
BYTES_PER_WEIGHT = {"f32": 4.0, "bf16": 2.0, "f16": 2.0, "q8_0": 34 / 32, "q4_0": 18 / 32}


@dataclass(frozen=True)
class GgufTensor:
    """One tensor as it is stored.

    Attributes:
        name: llama.cpp's name.
        data: What `gguf.quants.quantize` returns for the type.
        type: How the weights are stored.
    """

    name: str
    data: numpy.ndarray
    type: gguf.GGMLQuantizationType


def write_gguf(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    path: str | Path,
    *,
    weight_type: str = "f16",
    name: str = "",
    license_: str | None = None,
) -> Vocabulary:
    """Write model, tokenizer and chat template as one GGUF file, whole or not at all.

    Format: github.com/ggml-org/ggml, docs/gguf.md.

    Args:
        model: The model.
        tokenizer: Its tokenizer.
        path: The file.
        weight_type: A key of `BYTES_PER_WEIGHT`. Matrices whose rows are not a multiple of the 32
            weights of a block are stored as f16 instead, and vectors, such as norms, as f32.
        name: The name of the model in the file.
        license_: The identifier of its license on the Hub.

    Returns:
        The vocabulary in the file.

    Raises:
        CourseError: This architecture or tokenizer cannot be written, or the disk is full.
    """
    path = Path(path)
    check_model(model)
    words = vocabulary(tokenizer, embedding_rows(model), end_of_answer(tokenizer))
    staged = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with disk_errors(path), _writer(staged, model) as writer:
            _write_config(writer, model.config, weight_type, name)
            _write_license(writer, license_)
            _write_vocabulary(writer, words)
            for tensor in tensors(model, weight_type):
                writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.type)
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.write_tensors_to_file()
        os.replace(staged, path)
    finally:
        staged.unlink(missing_ok=True)
    return words


def check_model(model: PreTrainedModel) -> None:
    """Raise CourseError if `gguf` is missing or no file can be written for the model."""
    check_model_type(model.config.model_type)
    rope_type = rope_settings(model.config).get("rope_type", "default")
    if rope_type not in ("default", "llama3"):
        raise CourseError(
            f'The model scales its positions by "{rope_type}", which ift export cannot write as '
            f"GGUF; {REMEDY}."
        )
    if model.config.model_type == GEMMA3 and not _is_usual_gemma3(model.config):
        raise CourseError(
            "llama.cpp takes for granted how the layers of a Gemma 3 attend, and this model has "
            "another pattern, other positions or another scale; use --to hf."
        )


def check_model_type(model_type: str | None) -> None:
    """Raise CourseError if `gguf` is missing or no file can be written for this `model_type`."""
    try:
        import gguf  # noqa: F401
    except ImportError:
        raise CourseError("GGUF needs one more package; run: pip install gguf") from None
    if model_type not in ARCHITECTURES:
        raise CourseError(
            f"ift export writes GGUF for {', '.join(ARCHITECTURES)}, and this model is a "
            f'"{model_type}"; {REMEDY}.'
        )


def rope_settings(config: PretrainedConfig) -> dict[str, Any]:
    """Return the settings of the rotary position embedding; in Gemma 3, of the full layers."""
    settings = getattr(config, "rope_parameters", None) or {}
    return {"rope_theta": 10000.0, **settings.get("full_attention", settings)}


def _is_usual_gemma3(config: Any) -> bool:
    """Return whether a Gemma 3 has what llama.cpp knows by heart and reads from no file."""
    kinds = [
        "sliding_attention" if n % 6 else "full_attention"
        for n in range(1, config.num_hidden_layers + 1)
    ]
    sliding = config.rope_parameters.get("sliding_attention", {})
    return (
        config.layer_types == kinds
        and (sliding.get("rope_type"), sliding.get("rope_theta")) == ("default", 10000.0)
        and config.query_pre_attn_scalar == config.head_dim
        and config.attn_logit_softcapping is None
        and config.final_logit_softcapping is None
        and not getattr(config, "use_bidirectional_attention", False)
    )


def tensors(model: PreTrainedModel, weight_type: str) -> Iterator[GgufTensor]:
    """Yield the model's weights under llama.cpp's names, in its order of rows.

    Args:
        model: The model.
        weight_type: As in `write_gguf`.
    """
    import gguf

    config: Any = model.config
    architecture = gguf.MODEL_ARCH[ARCHITECTURES[config.model_type].upper()]
    names = gguf.get_tensor_name_map(architecture, config.num_hidden_layers)
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
    for name, weight in model.state_dict().items():
        if config.tie_word_embeddings and name == "lm_head.weight":
            continue  # llama.cpp uses the embedding where there is no output matrix
        stored_name = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if stored_name is None:
            raise CourseError(f"llama.cpp has no name for the tensor {name} of this model.")
        part = stored_name.split(".")[-2]
        weight = weight.detach().float().cpu()
        if config.model_type == "llama" and part in heads:
            weight = _interleaved(weight, heads[part])
        if config.model_type == GEMMA3 and part.endswith("norm"):
            weight = weight + 1  # transformers stores how far a norm's weight is from 1
        yield _quantized(stored_name, weight.numpy(), weight_type)
    factors = _rope_factors(config)
    if factors is not None:
        yield _quantized("rope_freqs.weight", factors.numpy(), "f32")


def _interleaved(weight: torch.Tensor, n_heads: int) -> torch.Tensor:
    """Order rows as in Meta's Llama, where RoPE rotates neighbors instead of halves of a head."""
    rest = weight.shape[1:]
    return weight.view(n_heads, 2, -1, *rest).transpose(1, 2).reshape(-1, *rest)


def _quantized(name: str, values: numpy.ndarray, weight_type: str) -> GgufTensor:
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, quants

    stored_type = GGMLQuantizationType[weight_type.upper()]
    if values.ndim == 1:
        stored_type = GGMLQuantizationType.F32
    elif values.shape[-1] % GGML_QUANT_SIZES[stored_type][0]:
        stored_type = GGMLQuantizationType.F16
    return GgufTensor(name, quants.quantize(values, stored_type), stored_type)


def _rope_factors(config: PretrainedConfig) -> torch.Tensor | None:
    """Return the factors that divide Llama 3.1's rotary frequencies, or None if none are needed."""
    import torch

    settings = rope_settings(config)
    if settings.get("rope_type", "default") == "default":
        return None
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    scaled, _ = ROPE_INIT_FUNCTIONS["llama3"](config, torch.device("cpu"))
    exponents = torch.arange(0, 2 * len(scaled), 2).float() / (2 * len(scaled))
    return (1.0 / settings["rope_theta"] ** exponents) / scaled


@contextlib.contextmanager
def _writer(path: Path, model: PreTrainedModel) -> Iterator[gguf.GGUFWriter]:
    import gguf

    path.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(path, ARCHITECTURES[model.config.model_type])
    try:
        yield writer
    finally:
        writer.close()


def _write_config(writer: gguf.GGUFWriter, config: Any, weight_type: str, name: str) -> None:
    import gguf

    n_heads = config.num_attention_heads
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // n_heads
    file_type = "ALL_F32" if weight_type == "f32" else f"MOSTLY_{weight_type.upper()}"
    writer.add_name(name)
    writer.add_file_type(int(gguf.LlamaFileType[file_type]))
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_vocab_size(config.vocab_size)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(n_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(head_dim)
    writer.add_value_length(head_dim)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(rope_settings(config)["rope_theta"])
    writer.add_rope_dimension_count(head_dim)
    if config.model_type == GEMMA3:
        writer.add_sliding_window(config.sliding_window)


def _write_license(writer: gguf.GGUFWriter, license_: str | None) -> None:
    if license_:
        writer.add_license(license_)
    if terms := TERMS.get(license_ or ""):
        writer.add_license_name(terms.name)
        writer.add_license_link(terms.link)
        writer.add_description(terms.notice)


def _write_vocabulary(writer: gguf.GGUFWriter, words: Vocabulary) -> None:
    writer.add_tokenizer_model(words.model)
    writer.add_tokenizer_pre(words.pre)
    writer.add_token_list(words.tokens)
    writer.add_token_types(words.types)
    if words.scores:
        writer.add_token_scores(words.scores)
    writer.add_add_space_prefix(False)
    words.special.add_to_gguf(writer, quiet=True)
