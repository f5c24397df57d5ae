"""Labelled pictures from several kinds of sources, as arrays and tf.data pipelines.

`load_dataset` takes a word, a folder, zips, CIFAR-10 or COCO; `preprocess` holds the one
definition of how a picture becomes the network's input; `pipeline` (the only module here that
needs TensorFlow) feeds training.
"""

from rnnpool_tf.datasets.examples import Examples, ImageDataset
from rnnpool_tf.datasets.load import load_dataset
from rnnpool_tf.datasets.preprocess import NORMALIZATIONS, Normalization, normalization

__all__ = [
    "NORMALIZATIONS",
    "Examples",
    "ImageDataset",
    "Normalization",
    "load_dataset",
    "normalization",
]
