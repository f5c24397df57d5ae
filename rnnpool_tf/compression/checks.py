"""What every entry of this room checks first: the Keras in use and the kind of model."""

from __future__ import annotations

from rnnpool_tf._keras import is_legacy_keras, keras, require_legacy_keras
from rnnpool_tf.layers import RNNPoolLayer


def require_model(model, feature: str) -> None:
    """Raises unless `model` is a built functional or sequential `tf_keras` model.

    Args:
        model: What the caller passed.
        feature: The operation, for the message, e.g. "quantize()".

    Raises:
        RuntimeError: `tf.keras` is Keras 3 in this process.
        ValueError: Not such a model; the message says what it is.
    """
    require_legacy_keras(feature)
    if not isinstance(model, keras.Model):
        received = f"{type(model).__module__}.{type(model).__qualname__}"
        if type(model).__module__.split(".")[0] == "keras":
            received += " (a Keras 3 object: build it with tf.keras instead of `import keras`)"
        raise ValueError(f"{feature} needs a tf_keras model. Received: {received}")
    if not isinstance(model, keras.Sequential) and not model._is_graph_network:
        raise ValueError(
            f"{feature} needs a functional or sequential model, whose layers can be seen. "
            f"Received: the subclassed model '{model.name}' of type {type(model).__qualname__}"
        )
    if not model.built:
        raise ValueError(
            f"{feature} needs a built model: give it an input shape or call model.build(). "
            f"Received: the unbuilt model '{model.name}'"
        )
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            raise ValueError(
                f"{feature} needs a flat model. Received: '{model.name}', which contains the "
                f"model '{layer.name}'; call its layers directly instead of nesting it"
            )


def is_quantized(model) -> bool:
    """Returns True when `model` was made by `quantize()` (or by tfmot's own functions).

    Safe to call with any model of either Keras.
    """
    if not is_legacy_keras() or not isinstance(model, keras.Model):
        return False
    # By name, so that asking about a float model does not import tfmot.
    return any(type(layer).__name__.startswith("QuantizeWrapper") for layer in model.layers)


def unwrap(layer):
    """Returns the layer inside a tfmot pruning or quantisation wrapper, or `layer` itself."""
    is_wrapper = hasattr(layer, "quantize_config") or hasattr(layer, "pruning_obj")
    return layer.layer if is_wrapper else layer


def rnnpool_layers(model) -> list:
    """Returns the layers of `model` that are, or wrap, an RNNPoolLayer, in model order."""
    return [layer for layer in model.layers if isinstance(unwrap(layer), RNNPoolLayer)]


def nodes_in(model, nodes) -> list:
    """Those of a layer's nodes that belong to `model`; a layer may belong to several."""
    known = {id(node) for depth in model._nodes_by_depth.values() for node in depth}
    return [node for node in nodes if id(node) in known]
