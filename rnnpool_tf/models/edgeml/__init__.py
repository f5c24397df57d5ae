"""Parameters trained with EdgeML's PyTorch code, for the networks of this package."""

from rnnpool_tf.models.edgeml.loading import load_edgeml_state_dict

__all__ = ["load_edgeml_state_dict"]
