"""Keras layers: RNNPool and the FastGRNN cell it is made of, what it is compared with, and what
its detectors need."""

from rnnpool_tf.layers.fastgrnn import FastGRNN, FastGRNNCell
from rnnpool_tf.layers.l2_normalization import L2Normalization
from rnnpool_tf.layers.max_out import MaxOutBackground
from rnnpool_tf.layers.recurrent_pool import RecurrentPoolLayer
from rnnpool_tf.layers.renet import ReNetLayer
from rnnpool_tf.layers.rnnpool import RNNPoolLayer

__all__ = [
    "FastGRNN",
    "FastGRNNCell",
    "L2Normalization",
    "MaxOutBackground",
    "RNNPoolLayer",
    "ReNetLayer",
    "RecurrentPoolLayer",
]
