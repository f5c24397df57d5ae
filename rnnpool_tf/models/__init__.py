"""Networks of the RNNPool paper."""

from rnnpool_tf.models.edgeml import load_edgeml_state_dict
from rnnpool_tf.models.visual_wake_words import visual_wake_words

__all__ = ["load_edgeml_state_dict", "visual_wake_words"]
