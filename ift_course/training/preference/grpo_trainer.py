"""TRL's GRPOTrainer, quiet. Imported only when training starts."""

from collections.abc import Callable

from transformers import TrainerCallback
from trl import GRPOTrainer

from ift_course.training.preference.trainers import Quiet


class GroupTrainer(Quiet, GRPOTrainer):
    """GRPOTrainer with a learning rate and a log that say nothing on the screen."""


class OnStep(TrainerCallback):
    """Shows the policy to a function before the first step and after each."""

    def __init__(self, call: Callable):
        self.call = call

    def on_train_begin(self, args, state, control, model=None, **kwargs):
        self.call(0, model)

    def on_step_end(self, args, state, control, model=None, **kwargs):
        self.call(state.global_step, model)
        model.train()
