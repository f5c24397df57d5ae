"""tfmot's pruning wrapper for RNNPoolLayer, with a sparsity and pattern of its own for each matrix.

Importing this module imports tfmot and therefore needs `tf_keras`.
"""

from __future__ import annotations

import tensorflow as tf
import tensorflow_model_optimization as tfmot
from tensorflow_model_optimization.python.core.sparsity.keras import (
    pruning_impl,
    pruning_wrapper,
)

from rnnpool_tf._keras import keras
from rnnpool_tf.compression.patterns import (
    PAIRS,
    TWO_OF_FOUR,
    UNSTRUCTURED,
    pair_magnitudes,
    spread_pairs,
    two_of_four_mask,
)

_SCHEDULES = {
    "ConstantSparsity": tfmot.sparsity.keras.ConstantSparsity,
    "PolynomialDecay": tfmot.sparsity.keras.PolynomialDecay,
}


class _PatternPruning(pruning_impl.Pruning):
    """tfmot's magnitude pruning of one weight, with the patterns of `patterns`.

    tfmot's own blocks are for matrices only, and its m:n sparsity ignores the schedule.
    """

    def __init__(self, pattern, **kwargs):
        self._pattern = pattern
        super().__init__(**kwargs)

    def _maybe_update_block_mask(self, weights):
        if self._pattern == PAIRS:
            threshold, mask = self._update_mask(pair_magnitudes(weights))
            return threshold, spread_pairs(mask, weights.shape[-2])
        if self._pattern == TWO_OF_FOUR:
            # There is no threshold; the variable only informs.
            return tf.zeros((), weights.dtype), two_of_four_mask(weights)
        return self._update_mask(weights)


class _PruningGroup:
    """Several tfmot `Pruning` objects behind the interface of one."""

    def __init__(self, members: list[pruning_impl.Pruning]):
        self._members = members

    def conditional_mask_update(self):
        return tf.group([member.conditional_mask_update() for member in self._members])

    def weight_mask_op(self):
        return tf.group([member.weight_mask_op() for member in self._members])


@keras.utils.register_keras_serializable(package="rnnpool_tf")
class PruneMatrices(pruning_wrapper.PruneLowMagnitude):
    """Prunes named weights of a layer, each by its own schedule and in its own pattern.

    tfmot's own wrapper has one schedule per layer and knows neither RNNPoolLayer nor the kernels
    of DepthwiseConv2D.

    Args:
        layer: The layer to wrap.
        schedules: `{attribute name: tfmot PruningSchedule}`; attributes left out stay dense.
        patterns: `{attribute name: pattern}`; attributes left out have "1x1".
    """

    def __init__(self, layer, schedules, patterns=None, **kwargs):
        self._schedules = dict(schedules)
        self._patterns = dict.fromkeys(self._schedules, UNSTRUCTURED) | (patterns or {})
        # tfmot asks the layer; answering for it here keeps tfmot out of the layer's own code.
        layer.get_prunable_weights = lambda: [getattr(layer, name) for name in self._schedules]
        super().__init__(layer, **kwargs)

    def build(self, input_shape):
        # Not tfmot's own: it names all masks of a layer alike, which HDF5 refuses to save.
        keras.layers.Wrapper.build(self, input_shape)
        self.prunable_weights = self.layer.get_prunable_weights()
        self.pruning_vars = [
            (
                weight,
                self._add_state(f"{name}_mask", "ones", weight.shape, tf.float32),
                self._add_state(f"{name}_threshold", "zeros", (), tf.float32),
            )
            for name, weight in zip(self._schedules, self.prunable_weights, strict=True)
        ]
        # -1 tells UpdatePruningStep that training has not begun.
        self.pruning_step = self._add_state(
            "pruning_step", keras.initializers.Constant(-1), (), tf.int64
        )
        self.pruning_obj = _PruningGroup(
            [
                _PatternPruning(
                    self._patterns[name],
                    training_step_fn=lambda: self.pruning_step,
                    pruning_vars=[variables],
                    pruning_schedule=schedule,
                    block_size=(1, 1),
                    block_pooling_type="AVG",
                )
                for variables, (name, schedule) in zip(
                    self.pruning_vars, self._schedules.items(), strict=True
                )
            ]
        )

    def _add_state(self, name, initializer, shape, dtype):
        floating = dtype.is_floating
        return self.add_weight(
            name,
            shape=shape,
            initializer=initializer,
            dtype=dtype,
            trainable=False,
            aggregation=tf.VariableAggregation.MEAN if floating else tf.VariableAggregation.NONE,
        )

    def get_config(self):
        config = super().get_config()
        for unused in ("pruning_schedule", "block_size", "block_pooling_type"):
            del config[unused]
        config["schedules"] = {name: s.get_config() for name, s in self._schedules.items()}
        config["patterns"] = dict(self._patterns)
        return config

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        schedules = {
            name: _SCHEDULES[serialized["class_name"]].from_config(serialized["config"])
            for name, serialized in config.pop("schedules").items()
        }
        layer = keras.layers.deserialize(config.pop("layer"))
        return cls(layer, schedules, **config)


CUSTOM_OBJECTS = {
    "PruneLowMagnitude": pruning_wrapper.PruneLowMagnitude,
    "PruneMatrices": PruneMatrices,
}
