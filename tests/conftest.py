"""A throwaway tiny model and tokenizer, made in memory: no test downloads anything."""

import os

import hypothesis
import pytest

# A time per example says nothing about the code where two cores run many tests.
hypothesis.settings.register_profile("course", deadline=None)
hypothesis.settings.load_profile("course")

# Before any library of Hugging Face is imported: they read it then.
os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", TRANSFORMERS_VERBOSITY="error")
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_terminal_summary(terminalreporter):
    """How many mutants the checks killed; with pytest-xdist, in all processes."""
    passed = terminalreporter.stats.get("passed", [])
    properties = [dict(report.user_properties) for report in passed if report.when == "call"]
    table = sorted(x["mutants"] for x in properties if "mutants" in x)
    if not table:
        return
    terminalreporter.section("mutants killed by the checks")
    for name, total, left in table:
        terminalreporter.write_line(
            f"{name:34} {total - left:4} of {total:4}  {1 - left / total:6.1%}  equivalent: {left}"
        )
    total, left = (sum(row[i] for row in table) for i in (1, 2))
    terminalreporter.write_line(
        f"{'all':34} {total - left:4} of {total:4}  {1 - left / total:6.1%}"
    )


WORDS = """
What is the capital of France? Paris. Translate the following English sentence into Spanish.
Hello, how are you? Hola, ¿cómo estás? Name the sound of a cow. Moo. Say it in one word, as a list.
You are a helpful assistant. The dog's young is a puppy, and 2 + 3 = 5.
"""


def make_tokenizer(vocab_size: int = 400):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    from ift_course.data.chat_templates import CHATML, END_OF_TURN, START_OF_TURN

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=["<|endoftext|>", START_OF_TURN, END_OF_TURN],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator([WORDS] * 3, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        eos_token=END_OF_TURN,
        pad_token="<|endoftext|>",
        chat_template=CHATML,
    )


def make_model(tokenizer, *, tied: bool = True, seed: int = 0, hidden: int = 32):
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        tie_word_embeddings=tied,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return LlamaForCausalLM(config).eval()


@pytest.fixture(scope="session")
def shared_tokenizer():
    """One throwaway tokenizer for tests that leave it as it is."""
    return make_tokenizer()


@pytest.fixture
def tiny_llama():
    """(model, tokenizer): a random Llama of 40,000 weights that has never seen a word."""
    tokenizer = make_tokenizer()
    return make_model(tokenizer), tokenizer


@pytest.fixture
def wide_llama():
    """(model, tokenizer): the same with layers of whole blocks of 64, as 4-bit weights need."""
    tokenizer = make_tokenizer()
    return make_model(tokenizer, hidden=64), tokenizer


@pytest.fixture
def tiny_llama_dir(tiny_llama, tmp_path):
    """The same as a folder on disk."""
    from ift_course.models.save import save

    return save(*tiny_llama, tmp_path / "tiny-llama")


@pytest.fixture(params=["tied", "untied"])
def plain_llama(request):
    """(model, tokenizer) as of a language model that never chatted: no template, no chat tokens."""
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    known = make_tokenizer()
    text = known.backend_tokenizer.to_str().replace("<|im_", "<|unused_")
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(text), eos_token="<|endoftext|>"
    )
    return make_model(known, tied=request.param == "tied"), tokenizer


@pytest.fixture
def cow_records():
    """24 short questions of three kinds with their answers."""
    from ift_course.data.records import Record

    pairs = [
        ("What is the capital of France?", "", "Paris."),
        ("Name the sound of a cow.", "", "Moo."),
        ("Translate the following English sentence into Spanish.", "Hello, how are you?",
         "Hola, ¿cómo estás?"),
    ]  # fmt: skip
    return [Record.from_instruction(*pairs[i % 3]) for i in range(24)]
