"""Which adapters a tuning run trains, and PEFT's configuration of them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from peft import LoraConfig
    from transformers import PreTrainedModel

LORA_TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True)
class Adapter:
    """LoRA's settings (Hu et al., 2021).

    rank: of the product that is added to each weight matrix. alpha: the product is scaled by
    alpha / rank; None makes that 2 for every rank, so that one learning rate serves all. dropout:
    share of the adapters' inputs zeroed in training. targets: the last names of the adapted layers;
    names a model does not have are left out, and if it has none, all linear layers are adapted.
    """

    rank: int = 16
    alpha: float | None = None
    dropout: float = 0.0
    targets: tuple[str, ...] = LORA_TARGETS

    def config(self, model: "PreTrainedModel", new_tokens: list[int]) -> "LoraConfig":
        """PEFT's configuration; the rows of `new_tokens` are trained as a whole."""
        from peft import LoraConfig

        names = {name.rpartition(".")[2] for name, _ in model.named_modules()}
        targets = [name for name in self.targets if name in names]
        return LoraConfig(
            task_type="CAUSAL_LM",
            r=self.rank,
            lora_alpha=2 * self.rank if self.alpha is None else self.alpha,
            lora_dropout=self.dropout,
            target_modules=targets or "all-linear",
            trainable_token_indices=_embeddings(model, new_tokens) if new_tokens else None,
        )


def _embeddings(model: "PreTrainedModel", tokens: list[int]) -> dict[str, list[int]]:
    """New tokens have untrained rows, in the input and, unless tied to it, the output matrix."""
    ends = [model.get_input_embeddings()]
    if not model.config.tie_word_embeddings:
        ends.append(model.get_output_embeddings())
    names = {id(module): name.rpartition(".")[2] for name, module in model.named_modules()}
    return {names[id(module)]: tokens for module in ends}
