"""How all probes are trained."""

from __future__ import annotations

from dataclasses import dataclass

from rnnpool_tf._keras import keras
from rnnpool_tf.training import Recipe


@dataclass(frozen=True)
class ProbeRecipe(Recipe):
    """Adam: through the long sequences of a whole picture it learns many times faster than SGD.

    `momentum` and `weight_decay` have no meaning here.
    """

    batch_size: int = 64
    learning_rate: float = 0.01
    warmup_epochs: float = 0.5
    clip_norm: float = 1.0

    def optimizer(self, steps_per_epoch: int) -> keras.optimizers.Optimizer:
        return keras.optimizers.Adam(self.schedule(steps_per_epoch), global_clipnorm=self.clip_norm)
