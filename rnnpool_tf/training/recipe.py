"""The numbers of a training run, and the optimiser they describe."""

from __future__ import annotations

from dataclasses import dataclass

from rnnpool_tf._keras import keras


@dataclass(frozen=True)
class Recipe:
    """SGD with momentum and a cosine learning rate, as the RNNPool paper trains.

    The paper's Visual Wake Words values (Saha et al., 2020, appendix G, and EdgeML's script): 150
    epochs, batch 256, learning rate 0.05, momentum 0.9, weight decay 4e-5, no warm-up.

    Args:
        epochs: Passes over the training images.
        batch_size: Images per step, over all devices.
        learning_rate: Where the cosine begins.
        momentum: Of SGD.
        weight_decay: Meant as in the paper: this times the weight is added to its gradient.
        label_smoothing: Part of a label that is spread over all classes, from 0 to 1.
        warmup_epochs: Time in which the rate rises from 0 before the cosine.
        clip_norm: Largest length of the whole gradient; None leaves it alone.
        seed: Of weights, order and crops.
        normalization: Name in `rnnpool_tf.datasets.NORMALIZATIONS`.

    Raises:
        ValueError: A number outside its range.

    Example:

    >>> Recipe(epochs=10, batch_size=32).optimizer(steps_per_epoch=100).momentum
    0.9
    """

    epochs: int = 150
    batch_size: int = 64
    learning_rate: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 4e-5
    label_smoothing: float = 0.0
    warmup_epochs: float = 0.0
    clip_norm: float | None = None
    seed: int = 0
    normalization: str = "symmetric"

    def __post_init__(self) -> None:
        for field in ("epochs", "batch_size"):
            if getattr(self, field) < 1:
                raise ValueError(
                    f"`{field}` must be at least 1. Received: {field}={getattr(self, field)}"
                )
        if not self.learning_rate > 0:
            raise ValueError(
                f"`learning_rate` must be positive. Received: learning_rate={self.learning_rate}"
            )
        if self.clip_norm is not None and not self.clip_norm > 0:
            raise ValueError(
                f"`clip_norm` must be positive or None. Received: clip_norm={self.clip_norm}"
            )
        if not 0 <= self.momentum < 1:
            raise ValueError(f"`momentum` must be in [0, 1). Received: momentum={self.momentum}")
        if not 0 <= self.warmup_epochs < self.epochs:
            raise ValueError(
                f"`warmup_epochs` must be at least 0 and below `epochs`. "
                f"Received: warmup_epochs={self.warmup_epochs}, epochs={self.epochs}"
            )

    def schedule(self, steps_per_epoch: int) -> keras.optimizers.schedules.LearningRateSchedule:
        """The rate: up in the warm-up, then along a cosine to zero, changing at every step."""
        warmup = round(self.warmup_epochs * steps_per_epoch)
        steps = self.epochs * steps_per_epoch - warmup
        if warmup:
            return keras.optimizers.schedules.CosineDecay(
                0.0, steps, warmup_target=self.learning_rate, warmup_steps=warmup
            )
        return keras.optimizers.schedules.CosineDecay(self.learning_rate, steps)

    def optimizer(self, steps_per_epoch: int) -> keras.optimizers.Optimizer:
        """A fresh optimiser with this schedule."""
        # Keras takes the decay out of the weight directly, past the momentum. A decay that enters
        # through the gradient is amplified by momentum, in the long run by 1 / (1 - momentum).
        decay = self.weight_decay / (1 - self.momentum)
        return keras.optimizers.SGD(
            self.schedule(steps_per_epoch),
            momentum=self.momentum,
            weight_decay=decay or None,
            global_clipnorm=self.clip_norm,
        )

    def loss(self) -> keras.losses.Loss:
        """Softmax cross-entropy on logits against one-hot labels."""
        return keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=self.label_smoothing
        )
