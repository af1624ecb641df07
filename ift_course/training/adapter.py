"""Which adapters a tuning run trains, and PEFT's configuration of them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

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

    def resolve(self, model: "PreTrainedModel") -> list[str]:
        """The names of the layers that are adapted in `model`.

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
        ends = (model.get_input_embeddings(), model.get_output_embeddings())
        for name in self.targets:
            is_end = any(module in ends for module in _modules_called(model, name))
            if is_end and model.config.get_text_config().tie_word_embeddings:
                raise CourseError(
                    f"{name} cannot be adapted alone: input and output embedding of this model are "
                    f"one matrix; choose among {', '.join(names)}."
                )
        return list(self.targets)

    def config(self, model: "PreTrainedModel", tokens: list[int]) -> "LoraConfig":
        """PEFT's configuration; the embedding's rows of `tokens` are trained as a whole.

        Raises CourseError as `resolve` does.
        """
        from peft import LoraConfig

        return LoraConfig(
            task_type="CAUSAL_LM",
            r=self.rank,
            lora_alpha=2 * self.rank if self.alpha is None else self.alpha,
            lora_dropout=self.dropout,
            target_modules=self.resolve(model),
            trainable_token_indices=_embeddings(model, tokens) if tokens else None,
        )


def linear_names(model: "PreTrainedModel") -> list[str]:
    """The last names of all linear layers but the output matrix, in the model's order.

    These are the layers that PEFT's "all-linear" means, whatever their family calls them.
    """
    head = model.get_output_embeddings()
    names = [
        name.rpartition(".")[2]
        for name, module in model.named_modules()
        if isinstance(module, _linear_classes()) and module is not head
    ]
    return list(dict.fromkeys(names))


def adapted_layers(model: "torch.nn.Module") -> dict[str, int]:
    """How many layers of each name carry LoRA."""
    from peft.tuners.lora import LoraLayer

    return dict(
        Counter(
            name.rpartition(".")[2]
            for name, module in model.named_modules()
            if isinstance(module, LoraLayer) and module.lora_A
        )
    )


def not_adapted(model: "torch.nn.Module") -> list[str]:
    """The matrices that LoRA leaves as they are though all linear layers carry it.

    The experts of a mixture-of-experts model are such: they are parameters of three dimensions.
    """
    from peft.tuners.lora import LoraLayer
    from torch.nn import Embedding

    ends = (model.get_input_embeddings(), model.get_output_embeddings())
    layers = [module for module in model.modules() if isinstance(module, LoraLayer)]
    covered = {id(p) for module in (*ends, *layers) if module for p in module.parameters()}
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


def _modules_called(model: "PreTrainedModel", name: str) -> list["torch.nn.Module"]:
    """The modules that PEFT adapts when it is given this name."""
    from torch.nn import Embedding

    classes = (*_linear_classes(), Embedding)
    return [
        module
        for path, module in model.named_modules()
        if isinstance(module, classes) and (path == name or path.endswith(f".{name}"))
    ]


PARALLEL, ZERO = 0.95, 1e-3


def undertrained_tokens(
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
