"""Which adapters a tuning run trains, and PEFT's configuration of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from peft import LoraConfig
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

LORA_TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True)
class Adapter:
    """LoRA's settings (Hu et al., 2021).

    rank: of the product that is added to each weight matrix. alpha: the product is scaled by
    alpha / rank; None makes that 2 for every rank. dropout: share of the adapters' inputs zeroed in
    training. targets: the last names of the adapted layers; names a model does not have are left
    out, and if it has none, all linear layers are adapted.
    """

    rank: int = 16
    alpha: float | None = None
    dropout: float = 0.0
    targets: tuple[str, ...] = LORA_TARGETS

    def config(self, model: "PreTrainedModel", tokens: list[int]) -> "LoraConfig":
        """PEFT's configuration; the embedding's rows of `tokens` are trained as a whole."""
        from peft import LoraConfig

        names = {name.rpartition(".")[2] for name, _ in model.named_modules()}
        targets = [name for name in self.targets if name in names]
        return LoraConfig(
            task_type="CAUSAL_LM",
            r=self.rank,
            lora_alpha=2 * self.rank if self.alpha is None else self.alpha,
            lora_dropout=self.dropout,
            target_modules=targets or "all-linear",
            trainable_token_indices=_embeddings(model, tokens) if tokens else None,
        )


PARALLEL, ZERO = 0.95, 1e-3


def never_learned(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", used: Iterable[int]
) -> list[int]:
    """Those of the tokens `used` that are special and that the model has never met.

    LoRA freezes the embedding, so what such a token means could not be learned: a base model would
    not find the end of its turn. Tokens that pretraining never showed get the same push at every
    step, away from all that is said, and end up parallel to each other (Land & Bartolo 2024,
    arXiv:2405.05417, section 3), or stay the zeros they were, as Llama 3's reserved ones.
    """
    import torch

    special = sorted(set(tokenizer.get_added_vocab().values()))
    matrix = model.get_output_embeddings().weight.detach()
    special = [token for token in special if token < len(matrix)]
    rows = matrix[special].float()
    lengths = rows.norm(dim=1)
    alike = torch.nn.functional.normalize(rows) @ torch.nn.functional.normalize(rows).T
    alike.fill_diagonal_(0)
    unmet = (alike > PARALLEL).any(dim=1) | (lengths < ZERO * matrix.float().norm(dim=1).median())
    used = set(used)
    return [
        t for t, is_unmet in zip(special, unmet.tolist(), strict=True) if is_unmet and t in used
    ]


def _embeddings(model: "PreTrainedModel", tokens: list[int]) -> dict[str, list[int]]:
    """A token has a row in the input and, unless that is tied to it, one in the output matrix."""
    ends = [model.get_input_embeddings()]
    if not model.config.tie_word_embeddings:
        ends.append(model.get_output_embeddings())
    names = {id(module): name.rpartition(".")[2] for name, module in model.named_modules()}
    return {names[id(module)]: tokens for module in ends}
