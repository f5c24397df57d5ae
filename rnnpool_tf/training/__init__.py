"""Training on one machine or several: recipe, loop, checkpoints, history, strategies."""

from rnnpool_tf.training.loop import accuracy, predict, train
from rnnpool_tf.training.recipe import Recipe
from rnnpool_tf.training.strategy import STRATEGIES, is_chief, make_strategy

__all__ = ["STRATEGIES", "Recipe", "accuracy", "is_chief", "make_strategy", "predict", "train"]
