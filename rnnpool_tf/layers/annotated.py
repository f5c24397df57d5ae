"""The forward pass as one TensorFlow function that TFLite's converter turns into one custom op.

The converter replaces a function that carries `experimental_implements` with the attribute
`tfl_fusable_op` by a custom operator of the given name: its arguments become the operator's
inputs, the attributes its options (a flexbuffer map). Weights must therefore be arguments, never
captured variables, and attributes must be integers, floats or strings.
"""

from __future__ import annotations

import functools

import tensorflow as tf

from rnnpool_tf.gates import SMOOTH
from rnnpool_tf.geometry import Geometry
from rnnpool_tf.layers import sweeps

OP_NAME = "RNNPool"
OP_VERSION = 1
GATES_VERSION = 2  # the first with the option `gates`


def rnnpool(
    x: tf.Tensor,
    rnn1: sweeps.CellWeights,
    rnn2: sweeps.CellWeights,
    geometry: Geometry,
    gates: str = SMOOTH,
) -> tf.Tensor:
    """`sweeps.rnnpool` wrapped so that it converts to the custom operator `RNNPool`.

    The operator's inputs are, in this order: the map; kernel, recurrent kernel, gate bias and
    update bias of RNN1; the same of RNN2; and, when ζ and ν are trained, a (2, 2) tensor
    ((ζ1, ν1), (ζ2, ν2)). Smooth gates are the absence of the option `gates`, so that operators
    with them are written as they were before there were others.
    """
    inputs = [x, *rnn1[:4], *rnn2[:4]]
    if rnn1.zeta is not None:
        inputs.append(tf.stack([tf.stack(rnn1[4:]), tf.stack(rnn2[4:])]))
    output = _annotated(geometry, gates)(*inputs)
    size = geometry.output_size(x.shape[1], x.shape[2])
    output.set_shape((x.shape[0], *size, 4 * rnn2.kernel.shape[0]))
    return output


@functools.cache
def _annotated(geometry: Geometry, gates: str):
    attributes = {
        "pool_height": geometry.pool_size[0],
        "pool_width": geometry.pool_size[1],
        "stride_height": geometry.strides[0],
        "stride_width": geometry.strides[1],
        "padding": geometry.padding,
        "version": OP_VERSION,
    }
    if gates != SMOOTH:
        attributes |= {"gates": gates, "version": GATES_VERSION}

    @tf.function(experimental_implements=_signature(attributes), autograph=False)
    def rnnpool_op(x, *weights):
        scalars1 = scalars2 = ()
        if len(weights) == 9:
            scalars1, scalars2 = (tf.unstack(row) for row in tf.unstack(weights[8]))
        rnn1 = sweeps.CellWeights(*weights[:4], *scalars1)
        rnn2 = sweeps.CellWeights(*weights[4:8], *scalars2)
        return sweeps.rnnpool(x, rnn1, rnn2, geometry, gates)

    return rnnpool_op


def _signature(attributes: dict[str, int | str]) -> str:
    """A NameAttrList in protobuf text format, the only form that the converter fuses."""
    parts = [f'name: "{OP_NAME}"', 'attr { key: "tfl_fusable_op" value { b: true } }']
    for key, value in attributes.items():
        field = f"i: {value}" if isinstance(value, int) else f's: "{value}"'
        parts.append(f'attr {{ key: "{key}" value {{ {field} }} }}')
    return " ".join(parts)
