"""Which adapters a tuning run trains, and PEFT's configuration of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ift_course.errors import CourseError

if TYPE_CHECKING:
    import torch
    from peft import LoraConfig
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

ALL_LINEAR = "all-linear"


@dataclass(frozen=True)
class Adapter:
    """LoRA's settings (Hu et al., 2021).

    Attributes:
        rank: of the product that is added to each weight matrix.
        alpha: the product is scaled by alpha / rank; None makes that 2 for every rank.
        dropout: share of the adapters' inputs that is zeroed in training.
        targets: names of the adapted layers, each the end of a module's name such as "q_proj";
            None, or "all-linear", means every linear layer but the output matrix.
    """

    rank: int = 16
    alpha: float | None = None
    dropout: float = 0.0
    targets: tuple[str, ...] | None = None

    def resolve(self, model: PreTrainedModel) -> list[str]:
        """Return the names of the layers that are adapted in `model`.

        Raises:
            CourseError: the model has no linear layer of such a name, or it is one matrix with
                another layer, which the adapter would change too.
        """
        names = linear_names(model)
        if self.targets is None or self.targets == (ALL_LINEAR,):
            return names
        if missing := [name for name in self.targets if not _modules_called(model, name)]:
            raise CourseError(
                f"The model has no linear layer called {', '.join(missing)}; it has "
                f"{', '.join(names)}."
            )
        embeddings = (model.get_input_embeddings(), model.get_output_embeddings())
        for name in self.targets:
            is_embedding = any(module in embeddings for module in _modules_called(model, name))
            if is_embedding and model.config.get_text_config().tie_word_embeddings:
                raise CourseError(
                    f"{name} cannot be adapted alone: input and output embedding of this model are "
                    f"one matrix; choose among {', '.join(names)}."
                )
        return list(self.targets)

    def config(self, model: PreTrainedModel, tokens: list[int]) -> LoraConfig:
        """Return PEFT's configuration.

        Args:
            model: whose layers are adapted.
            tokens: ids whose embedding rows are trained as a whole.

        Raises:
            CourseError: as `resolve` does.
        """
        from peft import LoraConfig

        alpha: Any = 2 * self.rank if self.alpha is None else self.alpha  # PEFT takes floats, too
        return LoraConfig(
            task_type="CAUSAL_LM",
            r=self.rank,
            lora_alpha=alpha,
            lora_dropout=self.dropout,
            target_modules=self.resolve(model),
            trainable_token_indices=_embeddings(model, tokens) if tokens else None,
        )


def linear_names(model: PreTrainedModel) -> list[str]:
    """Return the last names of all linear layers but the output matrix, in the model's order.

    These are the layers that PEFT's "all-linear" means, whatever the model family calls them.
    """
    head = model.get_output_embeddings()
    names = [
        name.rpartition(".")[2]
        for name, module in model.named_modules()
        if isinstance(module, _linear_classes()) and module is not head
    ]
    return list(dict.fromkeys(names))


def adapted_layers(model: torch.nn.Module) -> dict[str, int]:
    """Count the layers that carry LoRA, by their last name."""
    from peft.tuners.lora import LoraLayer

    return dict(
        Counter(
            name.rpartition(".")[2]
            for name, module in model.named_modules()
            if isinstance(module, LoraLayer) and module.lora_A
        )
    )


def not_adapted(model: PreTrainedModel) -> list[str]:
    """Return the matrices that LoRA leaves as they are though all linear layers carry it.

    The experts of a mixture-of-experts model are an example: they are three-dimensional parameters.
    """
    from peft.tuners.lora import LoraLayer
    from torch.nn import Embedding

    embeddings = (model.get_input_embeddings(), model.get_output_embeddings())
    layers = [module for module in model.modules() if isinstance(module, LoraLayer)]
    covered = {id(p) for module in (*embeddings, *layers) if module for p in module.parameters()}
    names = []
    for path, module in model.named_modules():
        for name, parameter in module.named_parameters(recurse=False):
            is_matrix = parameter.ndim > 1 and not isinstance(module, Embedding)
            if is_matrix and id(parameter) not in covered:
                names.append(f"{path.rpartition('.')[2]}.{name}")
    return list(dict.fromkeys(names))


def _linear_classes() -> tuple[type, ...]:
    from torch.nn import Linear
    from transformers.pytorch_utils import Conv1D  # GPT-2's linear layer

    return Linear, Conv1D


def _modules_called(model: PreTrainedModel, name: str) -> list[torch.nn.Module]:
    """Return the modules that PEFT adapts when it is given this name."""
    from torch.nn import Embedding

    classes = (*_linear_classes(), Embedding)
    return [
        module
        for path, module in model.named_modules()
        if isinstance(module, classes) and (path == name or path.endswith(f".{name}"))
    ]


# Rows of special tokens this parallel, or this short beside the median row, were never trained.
MIN_COSINE, MAX_RELATIVE_NORM = 0.95, 1e-3


def undertrained_tokens(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, used: Iterable[int]
) -> list[int]:
    """Return those of the tokens `used` that are special and that the model has never met.

    LoRA freezes the embedding, so the meaning of such a token could not be learned: a base model
    would not find the end of its turn. Tokens that pretraining never showed get the same push at
    every step, away from every output, and end up parallel to each other (Land & Bartolo, 2024,
    arXiv:2405.05417, section 3), or stay the zeros they were, as Llama 3's reserved ones.

    Args:
        model: with an output embedding.
        tokenizer: its added tokens are the special ones.
        used: token ids of the training data.
    """
    head: Any = model.get_output_embeddings()
    return undertrained_rows(head.weight.detach(), tokenizer, used)


def undertrained_rows(
    matrix: torch.Tensor, tokenizer: PreTrainedTokenizerBase, used: Iterable[int]
) -> list[int]:
    """Return what `undertrained_tokens` does, from the output embedding alone.

    Args:
        matrix: the output embedding, of shape (vocabulary, hidden).
        tokenizer: its added tokens are the special ones.
        used: token ids of the training data.
    """
    import torch

    added_tokens: Any = tokenizer  # get_added_vocab is declared in its subclasses only
    special = sorted(set(added_tokens.get_added_vocab().values()))
    special = [token for token in special if token < len(matrix)]
    rows = matrix[special].float()
    lengths = rows.norm(dim=1)
    cosines = torch.nn.functional.normalize(rows) @ torch.nn.functional.normalize(rows).T
    cosines.fill_diagonal_(0)
    norms = torch.linalg.vector_norm(matrix, dim=1, dtype=torch.float32)  # no copy in float32
    is_zero = lengths < MAX_RELATIVE_NORM * norms.median()
    undertrained = (cosines > MIN_COSINE).any(dim=1) | is_zero
    used = set(used)
    flags = zip(special, undertrained.tolist(), strict=True)
    return [token for token, is_undertrained in flags if is_undertrained and token in used]


def _embeddings(model: PreTrainedModel, tokens: list[int]) -> dict[str, list[int]]:
    """Name the matrices where the tokens have rows: the input and, unless tied, the output."""
    matrices: list[Any] = [model.get_input_embeddings()]
    if not model.config.tie_word_embeddings:
        matrices.append(model.get_output_embeddings())
    names = {id(module): name.rpartition(".")[2] for name, module in model.named_modules()}
    return {names[id(module)]: tokens for module in matrices}
