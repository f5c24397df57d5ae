"""Counting: parameters and multiply-accumulates of Keras models."""

from rnnpool_tf.analysis.counts import LayerCount, ModelCount, count

__all__ = ["LayerCount", "ModelCount", "count"]
