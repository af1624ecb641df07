"""The tokenizer of the course's world: byte-level BPE, small enough for a cheap output layer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ift_course.data.chat_templates import CHATML, END_OF_TURN, START_OF_TURN

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

END_OF_TEXT = "<|endoftext|>"
PAD = "<|pad|>"


def train_tokenizer(texts: Iterable[str], vocab_size: int) -> PreTrainedTokenizerFast:
    """Learn byte-pair merges from texts.

    Sennrich et al. 2016, arXiv:1508.07909, section 3.2, on bytes instead of characters as in GPT-2.

    Args:
        texts: The documents to learn from; any text can be encoded afterwards.
        vocab_size: The number of tokens, including the four special tokens and the 256 bytes.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    # As in GPT-2, Llama 3 and Qwen, a word has one token after a space and another at the start of
    # a line. The base model must therefore meet the words of an answer in both places: the corpus
    # has tables, cards and lines of their own.
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[END_OF_TEXT, PAD, START_OF_TURN, END_OF_TURN],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(texts, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        eos_token=END_OF_TEXT,
        pad_token=PAD,
        additional_special_tokens=[START_OF_TURN, END_OF_TURN],
        clean_up_tokenization_spaces=False,
        # For readers with transformers 4, which would add token_type_ids that generate refuses.
        model_input_names=["input_ids", "attention_mask"],
        model_max_length=1024,
    )
    tokenizer.chat_template = CHATML
    return tokenizer
