"""Keras layers: RNNPool and the FastGRNN cell it is made of."""

from rnnpool_tf.layers.fastgrnn import FastGRNN, FastGRNNCell
from rnnpool_tf.layers.rnnpool import RNNPoolLayer

__all__ = ["FastGRNN", "FastGRNNCell", "RNNPoolLayer"]
