"""A model as one GGUF file: what llama.cpp, and the programs built on it, read."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ift_course.disk import disk_errors
from ift_course.errors import CourseError
from ift_course.export.gguf_vocabulary import Vocabulary, end_of_answer, vocabulary

if TYPE_CHECKING:
    import gguf
    import numpy
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# transformers' model_type → llama.cpp's architecture.
ARCHITECTURES = {"llama": "llama", "qwen2": "qwen2", "qwen3": "qwen3"}
# Bytes a weight takes: the blocks of 32 of q8_0 and q4_0 have a scale of two bytes each.
TYPES = {"f32": 4.0, "bf16": 2.0, "f16": 2.0, "q8_0": 34 / 32, "q4_0": 18 / 32}


def write_gguf(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    path: str | Path,
    *,
    kind: str = "f16",
    name: str = "",
) -> Vocabulary:
    """Write model, tokenizer and chat template as one GGUF file; returns the vocabulary in it.

    Every matrix is stored as `kind`, one of TYPES, but f16 where its rows are no multiple of the
    32 weights of a block; vectors, as of the norms, are float32. The file appears whole or not at
    all. Format: github.com/ggml-org/ggml, docs/gguf.md.

    Raises CourseError for an architecture or a tokenizer that this cannot write, and for a disk
    that is full.
    """
    path = Path(path)
    check(model)
    rows = model.get_input_embeddings().num_embeddings
    words = vocabulary(tokenizer, rows, end_of_answer(tokenizer))
    staged = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with disk_errors(path), _writer(staged, model) as writer:
            _write_config(writer, model.config, kind, name)
            _write_vocabulary(writer, words)
            for tensor in tensors(model, kind):
                writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.kind)
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.write_tensors_to_file()
        os.replace(staged, path)
    finally:
        staged.unlink(missing_ok=True)
    return words


REMEDY = "use --to hf, and llama.cpp's own convert_hf_to_gguf.py on the folder it makes"


def check(model: "PreTrainedModel") -> None:
    """Raise CourseError when `gguf` is missing or the model is of a kind it is not written for."""
    check_type(model.config.model_type)
    scaling = rope(model.config).get("rope_type", "default")
    if scaling not in ("default", "llama3"):
        raise CourseError(
            f'The model stretches its positions by "{scaling}", which ift export cannot write as '
            f"GGUF; {REMEDY}."
        )


def check_type(model_type: str | None) -> None:
    """Raise CourseError when `gguf` is missing or no file is written for this `model_type`."""
    try:
        import gguf  # noqa: F401
    except ImportError:
        raise CourseError("GGUF needs one more package; run: pip install gguf") from None
    if model_type not in ARCHITECTURES:
        raise CourseError(
            f"ift export writes GGUF for {', '.join(ARCHITECTURES)}, and this model is a "
            f'"{model_type}"; {REMEDY}.'
        )


def rope(config) -> dict:
    """Rotary settings; transformers brings older folders' names into this form."""
    return {"rope_theta": 10000.0, **(getattr(config, "rope_parameters", None) or {})}


@dataclass(frozen=True)
class Tensor:
    """One tensor as it is stored; `data` is what `gguf.quants.quantize` gives for `kind`."""

    name: str
    data: "numpy.ndarray"
    kind: "gguf.GGMLQuantizationType"


def tensors(model: "PreTrainedModel", kind: str) -> Iterator[Tensor]:
    """The model's weights under llama.cpp's names, in its order of rows, rounded to `kind`."""
    import gguf

    config = model.config
    arch = gguf.MODEL_ARCH[ARCHITECTURES[config.model_type].upper()]
    names = gguf.get_tensor_name_map(arch, config.num_hidden_layers)
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
    tied = config.tie_word_embeddings
    for name, weight in model.state_dict().items():
        if tied and name == "lm_head.weight":
            continue  # llama.cpp takes the embeddings where there is no output
        stored = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if stored is None:
            raise CourseError(f"llama.cpp has no name for the tensor {name} of this model.")
        part = stored.split(".")[-2]
        weight = weight.detach().float().cpu()
        if config.model_type == "llama" and part in heads:
            weight = _interleaved(weight, heads[part])
        yield _rounded(stored, weight.numpy(), kind)
    factors = _rope_factors(config)
    if factors is not None:
        yield _rounded("rope_freqs.weight", factors.numpy(), "f32")


def _interleaved(weight: "torch.Tensor", heads: int) -> "torch.Tensor":
    """Rows as Meta's Llama has them: RoPE turns neighbors there, halves of a head here."""
    rest = weight.shape[1:]
    return weight.view(heads, 2, -1, *rest).transpose(1, 2).reshape(-1, *rest)


def _rounded(name: str, values: "numpy.ndarray", kind: str) -> Tensor:
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, quants

    wanted = GGMLQuantizationType[kind.upper()]
    if values.ndim == 1:
        wanted = GGMLQuantizationType.F32
    elif values.shape[-1] % GGML_QUANT_SIZES[wanted][0]:
        wanted = GGMLQuantizationType.F16
    return Tensor(name, quants.quantize(values, wanted), wanted)


def _rope_factors(config) -> "torch.Tensor | None":
    """Llama 3.1's stretched rotary frequencies, as factors they are divided by, or None."""
    import torch

    if rope(config).get("rope_type", "default") == "default":
        return None
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    stretched, _ = ROPE_INIT_FUNCTIONS["llama3"](config, torch.device("cpu"))
    exponents = torch.arange(0, 2 * len(stretched), 2).float() / (2 * len(stretched))
    return (1.0 / rope(config)["rope_theta"] ** exponents) / stretched


@contextlib.contextmanager
def _writer(path: Path, model: "PreTrainedModel") -> "Iterator[gguf.GGUFWriter]":
    import gguf

    path.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(path, ARCHITECTURES[model.config.model_type])
    try:
        yield writer
    finally:
        writer.close()


def _write_config(writer: "gguf.GGUFWriter", config, kind: str, name: str) -> None:
    import gguf

    heads = config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // heads
    writer.add_name(name)
    writer.add_file_type(int(gguf.LlamaFileType["MOSTLY_" + kind.upper() if kind != "f32"
                                                else "ALL_F32"]))  # fmt: skip
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_vocab_size(config.vocab_size)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(width)
    writer.add_value_length(width)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(rope(config)["rope_theta"])
    writer.add_rope_dimension_count(width)


def _write_vocabulary(writer: "gguf.GGUFWriter", words: Vocabulary) -> None:
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(words.pre)
    writer.add_token_list(words.tokens)
    writer.add_token_types(words.types)
    writer.add_token_merges(words.merges)
    writer.add_add_bos_token(words.add_bos)
    writer.add_add_space_prefix(False)
    for name, token in words.special.items():
        getattr(writer, f"add_{name}_token_id")(token)
    if words.template:
        writer.add_chat_template(words.template)
