"""Int8 conversion of quantisation-aware models: the fold, and results."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from rnnpool_tf import RNNPoolLayer, Runtime, compression, convert
from rnnpool_tf._keras import keras
from rnnpool_tf.conversion import Graph, rnnpool_operators, source
from rnnpool_tf.conversion.converter import stock_conversion
from rnnpool_tf.conversion.flatbuffer import Quantization, input_indices
from rnnpool_tf.conversion.int8 import fold
from rnnpool_tf.conversion.rnnpool_op import MATRICES, OUTPUT_QUANTIZATION
from rnnpool_tf.integer import IntegerCell, rnnpool_int8
from tests.conversion.helpers import (
    SEED,
    classify,
    conv,
    image,
    images,
    layers,
    names,
    one_pool,
    pool,
    randomized,
)

pytestmark = pytest.mark.legacy_keras


def middle(x):
    return classify(conv(pool()(conv(x))))


def piecewise_linear(x):
    return classify(conv(pool(gates="piecewise_linear")(conv(x))))


def only(x):
    return pool(padding="same")(x)


def adjacent(x):
    return RNNPoolLayer(4, 3, (2, 2), padding="replicate", name="second")(pool()(conv(x)))


def reshaped_around(x):
    x = layers.Reshape((14, 13, 4))(conv(x))
    return layers.Dense(3)(layers.Flatten()(pool()(x)))


def several_readers(x):
    x = pool()(conv(x))
    return classify(layers.Add()([conv(x, 24), x]))


def input_shared(x):
    x = conv(x)
    return layers.Add()([classify(pool()(x)), classify(x)])


# Model, and the operators of its int8 file.
TOPOLOGIES = {
    "middle": (middle, ["CONV_2D", "RNNPool", "CONV_2D", "MEAN", "FULLY_CONNECTED"]),
    "piecewise_linear": (
        piecewise_linear,
        ["CONV_2D", "RNNPool", "CONV_2D", "MEAN", "FULLY_CONNECTED"],
    ),
    "only": (only, ["RNNPool"]),
    "adjacent": (adjacent, ["CONV_2D", "RNNPool", "RNNPool"]),
    "reshaped_around": (
        reshaped_around,
        ["CONV_2D", "RESHAPE", "RNNPool", "RESHAPE", "FULLY_CONNECTED"],
    ),
    "several_readers": (
        several_readers,
        ["CONV_2D", "RNNPool", "CONV_2D", "ADD", "MEAN", "FULLY_CONNECTED"],
    ),
    "input_shared": (
        input_shared,
        ["CONV_2D", "MEAN", "FULLY_CONNECTED", "RNNPool", "MEAN", "FULLY_CONNECTED", "ADD"],
    ),
}


def quantized(build):
    x = image()
    return compression.quantize(randomized(keras.Model(x, build(x))), calibration=images(8))


@pytest.fixture(scope="module")
def qat():
    """Quantised models by name, built once."""
    built = {}

    def get(name: str):
        if name not in built:
            built[name] = quantized(TOPOLOGIES[name][0])
        return built[name]

    return get


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_every_tensor_is_int8_and_results_follow_qat(name, qat):
    data = convert(qat(name), fuse="none")
    assert sorted(names(data)) == sorted(TOPOLOGIES[name][1])
    graph = Graph.from_bytes(data)
    for tensor in range(len(graph.tensors)):
        assert graph.dtype(tensor) in (np.int8, np.int32), graph.tensor_name(tensor)

    runtime = Runtime(data)
    expected = qat(name)(images(), training=False).numpy()
    steps = np.abs(runtime.predict(images()) - expected) / runtime.output_details[0].scale
    # int8 layers round to nearest, fake quantisation in float: a step per layer, now and then.
    assert steps.max() <= 4 and steps.mean() <= 0.5, f"seed {SEED}: {steps.max()}, {steps.mean()}"


@pytest.mark.parametrize("name", ["middle", "piecewise_linear"])
def test_fused_by_default_with_the_same_results(qat, name):
    notes = []
    data = convert(qat(name), notes=notes)
    assert sorted(names(data)) == ["CONV_2D", "ConvRNNPool", "FULLY_CONNECTED", "MEAN"]
    assert [(note.kind, note.fused) for note in notes] == [("stem", True), ("mean", False)]
    unfused = convert(qat(name), fuse="none")
    expected, found = (
        Runtime(file, reference_kernels=True).predict_quantized(images())
        for file in (unfused, data)
    )
    np.testing.assert_array_equal(found, expected, err_msg=f"seed {SEED}")


@pytest.mark.parametrize("input_type, output_type", [("float32", "int8"), ("int8", "float32")])
def test_float_inputs_and_outputs(input_type, output_type, qat):
    data = convert(qat("only"), inference_input_type=input_type, inference_output_type=output_type)
    before = ["QUANTIZE"] if input_type == "float32" else []
    after = ["DEQUANTIZE"] if output_type == "float32" else []
    assert names(data) == [*before, "RNNPool", *after]
    graph = Graph.from_bytes(data)
    assert graph.dtype(graph.inputs[0]) == input_type
    assert graph.dtype(graph.outputs[0]) == output_type


def test_integers_are_those_of_the_quantised_layer(qat):
    graph = Graph.from_bytes(convert(qat("middle"), fuse="none"))
    (found,) = rnnpool_operators(graph)
    values = compression.int8_weights(qat("middle"))["pool"]
    scales = compression.weight_scales(qat("middle"))["pool"]
    for position, attribute in MATRICES.items():
        index = int(found.operator.inputs[position])
        np.testing.assert_array_equal(graph.constant(index), values[attribute].T)
        assert graph.quantization(index) == Quantization(float(scales[attribute]), 0)
    layer = qat("middle").get_layer("quant_pool").layer
    for position, bias in ((3, layer.bias_gate1), (8, layer.bias_update2)):
        steps = graph.constant(int(found.operator.inputs[position]))
        np.testing.assert_array_equal(steps, np.round(bias.numpy().astype(np.float64) * 2**26))
    assert graph.quantization(int(found.operator.outputs[0])) == OUTPUT_QUANTIZATION


def test_the_file_computes_what_the_integer_model_computes(qat):
    data = convert(qat("only"))
    graph = Graph.from_bytes(data)
    (found,) = rnnpool_operators(graph)

    def cell(first):
        indices = [int(index) for index in found.operator.inputs[first : first + 4]]
        kernel, recurrent, *biases = (graph.constant(index) for index in indices)
        scales = [graph.quantization(index).scale for index in indices[:2]]
        return IntegerCell(kernel, scales[0], recurrent, scales[1], *biases)

    pixels = graph.quantization(graph.inputs[0])
    shape = (4, *graph.shape(graph.inputs[0])[1:])
    x = np.random.default_rng(SEED).integers(-128, 128, shape, np.int8)
    expected = rnnpool_int8(x, *pixels, cell(1), cell(5), found.shape.geometry)
    computed = Runtime(data).predict_quantized(x)
    np.testing.assert_array_equal(computed, expected, err_msg=f"seed {SEED}")


@pytest.mark.parametrize("kind", ["h5", "saved_model"])
def test_files(kind, qat, tmp_path):
    # From a SavedModel the scales are found from the weights alone: they must be the same.
    path = compression.save(qat("middle"), tmp_path / ("m.h5" if kind == "h5" else "folder"))
    expected = Graph.from_bytes(convert(qat("middle"), fuse="none"))
    found = Graph.from_bytes(convert(path, fuse="none"))
    for graph in (expected, found):
        (graph.pool,) = rnnpool_operators(graph)
    for a, b in zip(expected.pool.operator.inputs[1:], found.pool.operator.inputs[1:], strict=True):
        np.testing.assert_array_equal(expected.constant(int(a)), found.constant(int(b)))
        np.testing.assert_allclose(  # an ulp of float32
            expected.quantization(int(a)).scale, found.quantization(int(b)).scale, rtol=1.2e-7
        )


def annotated_concatenation():
    """tfmot fake-quantises behind a Concatenate only, so RNNPool's output reaches it in float."""
    import tensorflow_model_optimization as tfmot

    from rnnpool_tf.compression.configs import RNNPoolQuantizeConfig

    annotate = tfmot.quantization.keras.quantize_annotate_layer
    x = image()
    y = annotate(layers.Conv2D(4, 1))(x)
    a = annotate(pool(), RNNPoolQuantizeConfig())(y)
    b = annotate(layers.Conv2D(8, (4, 3), strides=(3, 2), name="beside"))(y)
    z = annotate(layers.Concatenate(name="joined"))([a, b])
    model = randomized(keras.Model(x, annotate(layers.Conv2D(3, 1))(z)))
    with compression.quantize_scope():
        model = tfmot.quantization.keras.quantize_apply(model)
    compression.refresh_weight_ranges(model)
    for layer in (model.layers[1], model.get_layer("quant_joined")):  # the input's and the join's
        for variable in layer.weights:
            if variable.name.endswith(("min:0", "max:0")):  # as training would move them
                variable.assign(-3.0 if "min" in variable.name else 4.0)
    return model


def test_concatenation_with_another_scale():
    model = annotated_concatenation()
    data = convert(model)
    graph = Graph.from_bytes(data)
    assert "DEQUANTIZE" not in names(data)
    (join,) = [op for op in graph.operators if graph.name_of(op) == "CONCATENATION"]
    scales = {graph.quantization(i) for i in [*input_indices(join), int(join.outputs[0])]}
    assert len(scales) == 1, "int8 CONCATENATION needs one scale for all"
    assert scales != {OUTPUT_QUANTIZATION}
    runtime = Runtime(data)
    steps = np.abs(runtime.predict(images()) - model(images(), training=False).numpy())
    # Two roundings more than training saw: RNNPool's output and its move to the joint scale.
    assert steps.max() <= 4 * runtime.output_details[0].scale, f"seed {SEED}"


def stock(model) -> Graph:
    """What the stock converter makes of a model, before the fold."""
    return Graph.from_bytes(stock_conversion(source.open_source(model, 1), ("int8", "int8")))


def swap(graph: Graph, first: str, second: str) -> None:
    """Swaps two operators that follow each other, one of them a RESHAPE, the other a change of
    type: `between` has the shape of one end and the type of the other."""
    kinds = [graph.name_of(op) for op in graph.operators]
    at = next(i for i in range(len(kinds)) if kinds[i : i + 2] == [first, second])
    a, b = graph.operators[at : at + 2]
    start, end = int(a.inputs[0]), int(b.outputs[0])
    shaped, typed = (end, start) if second == "RESHAPE" else (start, end)
    between = graph.add_tensor(
        "between", graph.shape(shaped), graph.dtype(typed), graph.quantization(typed)
    )
    b.inputs = np.array([start, *b.inputs[1:]], np.int32)
    b.outputs = np.array([between], np.int32)
    a.inputs = np.array([between, *a.inputs[1:]], np.int32)
    a.outputs = np.array([end], np.int32)
    graph.operators[at : at + 2] = [b, a]


def test_looks_through_operators_that_only_move_values(qat):
    # The same model with RESHAPE on the float side of DEQUANTIZE and QUANTIZE.
    graph = stock(qat("reshaped_around"))
    swap(graph, "RESHAPE", "DEQUANTIZE")
    swap(graph, "QUANTIZE", "RESHAPE")
    kinds = [graph.name_of(op) for op in graph.operators]
    assert kinds[1:6] == ["DEQUANTIZE", "RESHAPE", "RNNPool", "RESHAPE", "QUANTIZE"]
    fold(graph)
    data = graph.to_bytes()
    assert names(data) == TOPOLOGIES["reshaped_around"][1]
    expected = Runtime(convert(qat("reshaped_around"))).predict_quantized(images())
    np.testing.assert_array_equal(Runtime(data).predict_quantized(images()), expected)


def test_trained_zeta_nu_is_refused():
    x = image()
    y = tf.quantization.fake_quant_with_min_max_args(x, -3, 3)
    with pytest.raises(ValueError, match=r"trainable_zeta_nu=False.*Received: 'pool'"):
        convert(keras.Model(x, pool(trainable_zeta_nu=True)(y)))


def test_float_input_is_refused():
    x = image()
    y = tf.quantization.fake_quant_with_min_max_args(pool()(x), -1, 127 / 128)
    with pytest.raises(ValueError, match=r"input.*must be quantised.*'pool'.*is float"):
        convert(keras.Model(x, y), inference_input_type="float32", inference_output_type="float32")


def test_float_reader_is_refused():
    x = image()
    y = tf.quantization.fake_quant_with_min_max_args(x, -3, 3)
    layer = pool()
    z = layers.Conv2D(2, 1)(layer(y))
    on_grid(layer)
    with pytest.raises(ValueError, match=r"must be quantised.*'pool', read by a float CONV_2D"):
        convert(keras.Model(x, z), inference_input_type="float32", inference_output_type="float32")


def test_weights_off_the_grid_are_refused():
    x = image()
    y = tf.quantization.fake_quant_with_min_max_args(x, -3, 3)
    z = tf.quantization.fake_quant_with_min_max_args(pool()(y), -1, 127 / 128)
    with pytest.raises(ValueError, match=r"`kernel1` of the RNNPool layer 'pool'.*int8 grid"):
        convert(randomized(keras.Model(x, z)))


def test_bias_out_of_range_is_refused():
    x = image()
    layer = pool()
    y = layer(tf.quantization.fake_quant_with_min_max_args(x, -3, 3))
    z = tf.quantization.fake_quant_with_min_max_args(y, -1, 127 / 128)
    on_grid(layer)
    layer.bias_gate2.assign(np.full(6, 40.0, np.float32))
    with pytest.raises(ValueError, match=r"`bias_gate2` of the RNNPool layer 'pool'.*below 32"):
        convert(keras.Model(x, z))


def on_grid(layer) -> None:
    """Gives the matrices of a layer values on an int8 grid."""
    for attribute in MATRICES.values():
        weight = getattr(layer, attribute)
        steps = np.random.default_rng(SEED).integers(-127, 128, weight.shape)
        weight.assign((steps * np.float32(0.004)).astype(np.float32))


def test_float_conversion_of_a_qat_model_is_refused(qat):
    with pytest.raises(ValueError, match=r"needs the float model.*quantize=False"):
        convert(qat("only"), quantize=False)


def test_qat_model_is_left_as_it_was(qat):
    model = qat("only")
    before = [weight.numpy() for weight in model.weights]
    convert(model)
    for weight, old in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), old, err_msg=weight.name)


def test_float_model_is_not_taken_for_int8():
    with pytest.raises(ValueError, match=r"needs a quantisation-aware model.*quantize=True"):
        convert(one_pool(), quantize=True)
