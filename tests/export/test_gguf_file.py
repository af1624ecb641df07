"""A GGUF file computes, tokenizes and answers like the model it was made from."""

import itertools
import json
import string

import pytest
import torch

from ift_course.errors import CourseError
from ift_course.export import gguf_file
from ift_course.export.export_model import ExportSource, read_back, to_gguf
from ift_course.export.gguf_file import BYTES_PER_WEIGHT, tensors, write_gguf
from ift_course.export.gguf_vocabulary import LLAMA3, end_of_answer, vocabulary
from ift_course.models.licenses import TERMS, write_card
from ift_course.models.read_gguf import read_gguf
from ift_course.training.open_model import load

gguf = pytest.importorskip("gguf")

PIECES = ("a", "Paris is.", " ", "\n", "\n\n", "  b", "\t", "12", "¿qué?", "x\n", "<|im")


def talk(one: str, two: str) -> list[dict[str, str]]:
    """A conversation in which two texts meet in both orders and at both ends of a turn."""
    return [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": one + two},
        {"role": "assistant", "content": two + one},
        {"role": "user", "content": one},
    ]


NEIGHBORS = [talk(*pair) for pair in zip(PIECES, PIECES[1:] + PIECES[:1], strict=True)]
EVERY_PAIR = [talk(*pair) for pair in itertools.product(PIECES, PIECES)]
conversations = pytest.mark.parametrize(
    "talks",
    [
        pytest.param(NEIGHBORS, id="neighbors"),
        pytest.param(EVERY_PAIR, id="every pair", marks=pytest.mark.weekly),
    ],
)


@pytest.fixture(scope="module")
def shipped():
    return load("base", dtype=torch.float32)


def conversation_ids(tokenizer, conversation):
    return tokenizer.apply_chat_template(
        conversation, add_generation_prompt=True, return_dict=False
    )


@pytest.mark.parametrize("weight_type", ["f32", "f16"])
def test_transformers_computes_what_the_rounded_model_computes(tiny_llama, tmp_path, weight_type):
    model, tokenizer = tiny_llama
    write_gguf(model, tokenizer, tmp_path / "tiny.gguf", weight_type=weight_type)
    read, _ = read_gguf(tmp_path / "tiny.gguf")
    if weight_type == "f16":
        for weight in model.parameters():
            weight.data = weight.data.half().float()
    ids = torch.arange(64).view(2, 32)
    assert torch.equal(read(ids).logits, model(ids).logits)


@pytest.mark.parametrize("weight_type", BYTES_PER_WEIGHT)
def test_every_type_reads_back_weight_by_weight(wide_llama, tmp_path, weight_type):
    source = ExportSource(*wide_llama, tmp_path)
    comparison = to_gguf(source, tmp_path / "wide.gguf", weight_type)
    tolerance = {"f32": 1e-6, "f16": 1e-3, "bf16": 1e-2, "q8_0": 3e-2, "q4_0": 0.5}
    assert comparison and comparison.same_tokens
    assert comparison.logit_difference is not None
    assert comparison.logit_difference <= tolerance[weight_type]
    stored = {tensor.name: tensor.type.name for tensor in tensors(source.model, weight_type)}
    assert stored["blk.0.attn_q.weight"] == weight_type.upper()
    assert stored["blk.0.attn_norm.weight"] == "F32"


def test_a_changed_weight_is_noticed_when_it_is_read_back(tiny_llama, tmp_path):
    model, tokenizer = tiny_llama
    path = tmp_path / "tiny.gguf"
    write_gguf(model, tokenizer, path)
    with torch.no_grad():
        model.model.layers[1].self_attn.k_proj.weight[3] += 1e-2
    with pytest.raises(CourseError, match=r"blk\.1\.attn_k\.weight is not the one"):
        read_back(ExportSource(model, tokenizer, tmp_path), path, "f16")


def test_weights_that_are_not_tied_have_an_output_of_their_own(plain_llama, tmp_path):
    model, tokenizer = plain_llama
    write_gguf(model, tokenizer, tmp_path / "plain.gguf", weight_type="f32")
    read, _ = read_gguf(tmp_path / "plain.gguf")
    assert read.config.tie_word_embeddings == model.config.tie_word_embeddings
    ids = torch.arange(32)[None]
    assert torch.equal(read(ids).logits, model(ids).logits)


@conversations
def test_conversations_give_the_course_s_own_tokenizer_the_same_ids(talks, shipped, tmp_path):
    model, tokenizer = shipped
    words = write_gguf(model, tokenizer, tmp_path / "base.gguf")
    _, read = read_gguf(tmp_path / "base.gguf")
    for turns in talks:
        assert conversation_ids(read, turns) == conversation_ids(tokenizer, turns), turns
    assert words.tokens[words.special.special_token_ids["eos"]] == "<|im_end|>"


def test_no_template_has_the_tag_that_other_programs_do_not_know(shipped, shared_tokenizer):
    for tokenizer in (shipped[1], shared_tokenizer):
        assert "{% generation %}" in tokenizer.chat_template
        words = vocabulary(tokenizer, len(tokenizer), end_of_answer(tokenizer))
        assert "generation %}" not in words.special.chat_template


@conversations
def test_llama_cpp_computes_tokenizes_and_stops_alike(talks, shipped, tmp_path):
    llama_cpp = pytest.importorskip("llama_cpp")
    model, tokenizer = shipped
    write_gguf(model, tokenizer, tmp_path / "base.gguf", weight_type="f32")
    _, read = read_gguf(tmp_path / "base.gguf")
    cpp = llama_cpp.Llama(
        str(tmp_path / "base.gguf"), n_ctx=256, n_threads=1, logits_all=True, verbose=False
    )
    for turns in talks:
        text = read.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
        ids = cpp.tokenize(text.encode(), add_bos=False, special=True)
        assert ids == conversation_ids(tokenizer, turns), turns
    cpp.eval(ids)
    ours = model(torch.tensor([ids])).logits[0].detach()
    theirs = torch.tensor(cpp.scores[: len(ids)])
    assert (ours - theirs).abs().max() / ours.abs().max() < 2e-3  # its cache has half precision
    for end in ("<|im_end|>", "<|endoftext|>"):
        token = tokenizer.convert_tokens_to_ids(end)
        assert llama_cpp.llama_vocab_is_eog(cpp._model.vocab, token)
    cpp.close()


def test_llama_cpp_scales_positions_as_llama_3_does(tmp_path, shared_tokenizer):
    llama_cpp = pytest.importorskip("llama_cpp")
    model = small(
        shared_tokenizer,
        "llama",
        rope_parameters={
            "rope_type": "llama3",
            "rope_theta": 10000.0,
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 32,
        },
    )
    write_gguf(model, shared_tokenizer, tmp_path / "long.gguf", weight_type="f32")
    cpp = llama_cpp.Llama(
        str(tmp_path / "long.gguf"), n_ctx=256, n_threads=1, logits_all=True, verbose=False
    )
    ids = torch.arange(200) % len(shared_tokenizer)
    cpp.eval(ids.tolist())
    ours = model(ids[None]).logits[0].detach()
    theirs = torch.tensor(cpp.scores[:200])
    cpp.close()
    assert (ours - theirs).abs().max() / ours.abs().max() < 2e-3
    comparison = to_gguf(ExportSource(model, shared_tokenizer, tmp_path), tmp_path / "again.gguf")
    assert comparison
    assert comparison.logit_difference is None  # transformers does not read the scaling


@pytest.mark.parametrize("family", ["qwen2", "qwen3"])
def test_the_families_of_the_gpu_profiles(tmp_path, shared_tokenizer, family):
    model = small(shared_tokenizer, family, head_dim=128)
    source = ExportSource(model, shared_tokenizer, tmp_path)
    comparison = to_gguf(source, tmp_path / "qwen.gguf", "f32")
    assert comparison and comparison.logit_difference == 0


def test_a_head_width_that_transformers_ignores_does_not_stop_the_export(
    tmp_path, shared_tokenizer
):
    model = small(shared_tokenizer, "qwen3", head_dim=32)
    source = ExportSource(model, shared_tokenizer, tmp_path)
    comparison = to_gguf(source, tmp_path / "qwen.gguf", "f32")
    assert comparison and comparison.logit_difference == 0


def small_gemma(**changes):
    """A random Gemma 3 of seven layers, and a tokenizer of pieces and bytes like its own."""
    from transformers import AutoConfig, AutoModelForCausalLM, GemmaTokenizer
    from transformers.convert_slow_tokenizer import generate_merges

    from ift_course.data.native_templates import GEMMA

    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "<start_of_turn>", "<end_of_turn>"]
    codes = [f"<0x{byte:02X}>" for byte in range(256)]
    pieces = ["▁▁", "an", "is", "▁a", "▁is", "ri", "ar", "Par", "Paris", "er", "us", "user", "\n\n"]
    vocab = {token: row for row, token in enumerate([*special, *codes, *pieces, "▁", "\n",
                                                     *string.ascii_letters, *".?"])}  # fmt: skip
    merges = generate_merges(vocab, {piece: -vocab[piece] for piece in pieces})
    tokenizer = GemmaTokenizer(vocab=vocab, merges=merges)
    tokenizer.add_special_tokens({"additional_special_tokens": special[-2:]})
    tokenizer.chat_template = GEMMA
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 7,
             "num_attention_heads": 1, "num_key_value_heads": 1, "head_dim": 256,
             "query_pre_attn_scalar": 256, "sliding_window": 8,
             "max_position_embeddings": 256}  # fmt: skip
    config = AutoConfig.for_model("gemma3_text", vocab_size=len(vocab) + 3, **sizes | changes)
    model = AutoModelForCausalLM.from_config(config).eval()
    for name, weight in model.named_parameters():
        if name.endswith("norm.weight"):
            torch.nn.init.normal_(weight, std=0.1)
    return model, tokenizer


def test_gemma_3_reads_back_with_its_windows_norms_and_conversations(tmp_path):
    source = ExportSource(*small_gemma(), tmp_path)
    write_card(tmp_path, license_="gemma", base="google/gemma-3-270m", what="A random model.")
    comparison = to_gguf(source, tmp_path / "gemma.gguf", "f32")
    assert comparison and comparison.same_tokens
    assert comparison.logit_difference is not None and comparison.logit_difference < 1e-5
    assert to_gguf(source, tmp_path / "small.gguf", "q8_0")
    fields = gguf.GGUFReader(tmp_path / "gemma.gguf").fields
    assert fields["general.license"].contents() == "gemma"
    assert fields["general.description"].contents() == TERMS["gemma"].notice
    assert (tmp_path / "gemma.NOTICE").read_text().strip() == TERMS["gemma"].notice
    model, tokenizer = read_gguf(tmp_path / "gemma.gguf")
    assert model.config.sliding_window == 8
    assert model.config.layer_types == source.model.config.layer_types
    talks = [[turn for turn in talk(*pair) if turn["role"] != "system"]
             for pair in itertools.product(PIECES, PIECES)]  # fmt: skip
    for turns in talks:
        ids = conversation_ids(source.tokenizer, turns)
        assert conversation_ids(tokenizer, turns) == ids, turns


def test_the_scores_of_gemma_s_vocabulary_merge_as_its_tokenizer_does():
    """llama.cpp merges the neighbors with the highest score; transformers does not read scores."""
    _, tokenizer = small_gemma()
    words = vocabulary(tokenizer, 400, end_of_answer(tokenizer))
    scores = dict(zip(words.tokens, words.scores, strict=True))
    for text in (
        "Paris is a user",
        "a  Paris   user",
        "banana is",
        "is\n\n\nan",
        "Parisuser ¿qué?",
    ):
        assert merged(text, scores) == tokenizer.tokenize(text), text
    assert (words.model, words.special.merges) == ("llama", [])
    types = dict(zip(words.tokens, words.types, strict=True))
    assert [types[t] for t in ("a", "<unk>", "<bos>", "<0x0A>", "[PAD399]")] == [1, 2, 3, 6, 5]


def merged(text: str, scores: dict[str, float]) -> list[str]:
    """The tokens of a text by llama.cpp's rule (llama-vocab.cpp, llm_tokenizer_spm)."""
    parts = list(text.replace(" ", "▁"))
    while True:
        pairs = [(-scores[a + b], n) for n, (a, b) in enumerate(itertools.pairwise(parts))
                 if a + b in scores]  # fmt: skip
        if not pairs:
            break
        _, first = min(pairs)
        parts[first : first + 2] = ["".join(parts[first : first + 2])]
    return [token for part in parts for token in ([part] if part in scores else
            [f"<0x{byte:02X}>" for byte in part.encode()])]  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {"layer_types": ["full_attention"] * 7},
        {"query_pre_attn_scalar": 64},
        {"final_logit_softcapping": 30.0},
        {"use_bidirectional_attention": True},
        {"rope_parameters": {
            "full_attention": {"rope_type": "default", "rope_theta": 1e6},
            "sliding_attention": {"rope_type": "default", "rope_theta": 1e5},
        }},
    ],
)  # fmt: skip
def test_what_llama_cpp_cannot_be_told_about_a_gemma_3_is_refused(tmp_path, changes):
    with pytest.raises(CourseError, match="takes for granted"):
        write_gguf(*small_gemma(**changes), tmp_path / "x.gguf")
    assert list(tmp_path.iterdir()) == []


def test_merges_in_an_order_that_no_scores_give_are_refused():
    _, tokenizer = small_gemma()
    fewer = changed(tokenizer, lambda state: state["model"]["merges"].pop())
    with pytest.raises(CourseError, match="merges tokens in an order"):
        vocabulary(fewer, 400, 2)


def test_a_file_that_cannot_be_read_back_gives_one_sentence(tiny_llama, tmp_path, monkeypatch):
    def unreadable(path, config=None):
        raise KeyError("an architecture of next year")

    monkeypatch.setattr("ift_course.export.export_model.read_gguf", unreadable)
    with pytest.raises(CourseError, match=r"cannot read it back .*--no-verify"):
        to_gguf(ExportSource(*tiny_llama, tmp_path), tmp_path / "x.gguf")
    assert not (tmp_path / "x.gguf").exists()


def small(tokenizer, family, **options):
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(0)
    config = AutoConfig.for_model(
        family,
        vocab_size=len(tokenizer) + 8,  # rows that belong to no token
        hidden_size=128 if "head_dim" in options else 32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=1 if "head_dim" in options else 4,
        num_key_value_heads=1,
        max_position_embeddings=256,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
        **options,
    )
    return AutoModelForCausalLM.from_config(config).eval()


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"model_type": "gpt2"}, 'this model is a "gpt2"; use --to hf'),
        ({"rope_parameters": {"rope_type": "yarn"}}, 'scales its positions by "yarn"'),
    ],
)
def test_other_models_are_refused_and_nothing_is_written(tiny_llama, tmp_path, changed, sentence):
    model, tokenizer = tiny_llama
    for name, value in changed.items():
        setattr(model.config, name, value)
    with pytest.raises(CourseError, match=sentence):
        write_gguf(model, tokenizer, tmp_path / "x.gguf")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda state: state["model"].update(byte_fallback=True), "is neither byte-level BPE nor"),
        (lambda state: state.update(normalizer={"type": "Lowercase"}), "no GGUF name for"),
        (lambda state: state["pre_tokenizer"].update(add_prefix_space=True), "no GGUF name for"),
        (lambda state: state.update(pre_tokenizer={"type": "Whitespace"}), "no GGUF name for"),
    ],
)
def test_a_tokenizer_that_gguf_cannot_express_is_refused(shared_tokenizer, change, sentence):
    assert vocabulary(changed(shared_tokenizer, lambda state: None), 400, 2).pre == "gpt-2"
    with pytest.raises(CourseError, match=sentence):
        vocabulary(changed(shared_tokenizer, change), 400, 2)


def test_the_word_rule_of_llama_3_has_its_name(shared_tokenizer):
    split = {"type": "Split", "pattern": {"Regex": LLAMA3}, "behavior": "Isolated", "invert": False}
    level = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}
    steps = {"type": "Sequence", "pretokenizers": [split, level | {"trim_offsets": True}]}
    llama3 = changed(shared_tokenizer, lambda state: state.update(pre_tokenizer=steps))
    assert vocabulary(llama3, 400, 2).pre == "llama-bpe"


def changed(tokenizer, change):
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    state = json.loads(tokenizer.backend_tokenizer.to_str())
    change(state)
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(json.dumps(state)))


def test_without_the_package_the_message_says_what_to_install(tiny_llama, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "gguf", None)
    with pytest.raises(CourseError, match="run: pip install gguf"):
        gguf_file.check_model(tiny_llama[0])


def test_a_full_disk_leaves_nothing_behind(tiny_llama, tmp_path, monkeypatch):
    import errno
    import os

    import gguf

    def full(self, **_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(gguf.GGUFWriter, "write_tensors_to_file", full)
    with pytest.raises(CourseError, match="There is no space left to write"):
        write_gguf(*tiny_llama, tmp_path / "x.gguf")
    assert list(tmp_path.iterdir()) == []
