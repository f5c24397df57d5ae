"""Int8 conversion of float models with representative data, without training."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from rnnpool_tf import RNNPoolLayer, Runtime, StreamedRuntime, convert
from rnnpool_tf._keras import keras
from rnnpool_tf.conversion import Graph, fuse_model, int8, source
from rnnpool_tf.conversion.calibration import samples
from rnnpool_tf.conversion.converter import stock_conversion
from rnnpool_tf.conversion.pool_grid import use_pool_grid
from rnnpool_tf.conversion.rnnpool_op import MATRICES, OUTPUT_QUANTIZATION, rnnpool_operators
from rnnpool_tf.conversion.streaming import split_stream
from rnnpool_tf.integer import quantize_weights
from tests.conversion.helpers import (
    SEED,
    classify,
    conv,
    image,
    images,
    layers,
    names,
    pool,
    randomized,
)

CALIBRATION = images(24)


def stem(x):
    x = layers.Conv2D(4, 3, strides=2, padding="same", use_bias=False)(x)
    return layers.ReLU(6.0)(layers.BatchNormalization()(x))


def small_pool(**arguments):
    return RNNPoolLayer(5, 6, (3, 2), (2, 1), "replicate", name="pool", **arguments)


def residual(x):
    """An inverted residual, as behind RNNPool in the paper's networks."""
    y = layers.ReLU(6.0)(layers.Conv2D(30, 1)(x))
    y = layers.ReLU(6.0)(layers.DepthwiseConv2D(3, padding="same")(y))
    return layers.Add()([x, layers.Conv2D(x.shape[-1], 1)(y)])


def network(x):
    return classify(residual(small_pool()(stem(x))))


def flattened(x):
    return layers.Dense(3)(layers.Flatten()(pool()(conv(x))))


def adjacent(x):
    return RNNPoolLayer(4, 3, (2, 2), padding="replicate", name="second")(pool()(conv(x)))


def joined(x):
    y = pool()(conv(x))
    return classify(layers.Concatenate()([y, layers.MaxPooling2D((3, 2))(conv(x))[:, :4, :6]]))


def squashed(x):
    return layers.Activation("sigmoid")(pool()(conv(x)))


# Model, and the operators of its unfused and of its fused file.
TOPOLOGIES = {
    "network": (
        network,
        ["CONV_2D", "RNNPool", "CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D", "ADD", "MEAN",
         "FULLY_CONNECTED"],
        ["ConvRNNPool", "InvertedResidual", "MEAN", "FULLY_CONNECTED"],
    ),
    "flattened": (
        flattened,
        ["CONV_2D", "RNNPool", "RESHAPE", "FULLY_CONNECTED"],
        ["ConvRNNPool", "RESHAPE", "FULLY_CONNECTED"],
    ),
    "adjacent": (
        adjacent,
        ["CONV_2D", "RNNPool", "RNNPool"],
        ["ConvRNNPool", "RNNPool"],
    ),
    "only": (lambda x: pool(padding="same")(x), ["RNNPool"], ["RNNPool"]),
    # A concatenation needs one scale for all, a sigmoid is not among what is known to take any.
    "joined": (
        joined,
        ["CONV_2D", "RNNPool", "QUANTIZE", "CONV_2D", "MAX_POOL_2D", "STRIDED_SLICE",
         "CONCATENATION", "MEAN", "FULLY_CONNECTED"],
        None,
    ),
    "without_rnnpool": (
        lambda x: classify(residual(stem(x))),
        ["CONV_2D", "CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D", "ADD", "MEAN", "FULLY_CONNECTED"],
        ["CONV_2D", "InvertedResidual", "MEAN", "FULLY_CONNECTED"],
    ),
    "squashed": (squashed, ["CONV_2D", "RNNPool", "QUANTIZE", "LOGISTIC"], None),
}  # fmt: skip


@functools.cache
def model(name: str):
    x = image()
    made = randomized(keras.Model(x, TOPOLOGIES[name][0](x)))
    for layer in made.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.moving_variance.assign(np.abs(layer.moving_variance))
    return made


@functools.cache
def unfused(name: str) -> bytes:
    return convert(model(name), calibration=CALIBRATION, fuse="none", plan="greedy")


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_everything_is_int8(name):
    data = unfused(name)
    assert sorted(names(data)) == sorted(TOPOLOGIES[name][1])
    graph = Graph.from_bytes(data)
    for tensor in range(len(graph.tensors)):
        assert graph.dtype(tensor) in (np.int8, np.int32), graph.tensor_name(tensor)
    for found in rnnpool_operators(graph):
        assert graph.quantization(int(found.operator.outputs[0])) == OUTPUT_QUANTIZATION


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_results_follow_the_float_model(name):
    x = images(40)[24:]  # not those of the calibration
    runtime = Runtime(unfused(name))
    expected = np.asarray(model(name)(x, training=False))
    error = np.abs(runtime.predict(x) - expected)
    # Weights of 8 bits, and half a step for each of up to 8 layers: measured 0.2 to 0.8 % of the
    # range on average, 1.7 % at most; a step is 0.4 %.
    assert error.mean() <= 0.016 * np.ptp(expected), f"seed {SEED}: {error.mean()}"
    assert error.max() <= 0.05 * np.ptp(expected), f"seed {SEED}: {error.max()}"


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_the_same_bytes_everywhere(name):
    fused = fuse_model(unfused(name))
    wanted = TOPOLOGIES[name][2]
    assert wanted is None or sorted(names(fused)) == sorted(wanted)
    x = images(40)
    results = []
    for engine in ({"engine": "litert", "reference_kernels": True}, {"engine": "tflm"}):
        expected, found = (
            Runtime(data, **engine).predict_quantized(x) for data in (unfused(name), fused)
        )
        np.testing.assert_array_equal(found, expected, err_msg=f"seed {SEED}, {engine}")
        results.append(expected.astype(int))
    difference = np.abs(np.subtract(*results))
    if "FULLY_CONNECTED" in names(fused):  # the engines' own kernels differ in a rare rounding
        assert difference.max() <= 1 and difference.mean() <= 0.05, f"seed {SEED}"
    else:
        assert difference.max() == 0, f"seed {SEED}"


def random_model(seed: int):
    """Any convolutions before RNNPool, any geometry; large cells, which are stored compact, too."""
    rng = np.random.default_rng([9, seed])
    value = image()
    x = value
    for _ in range(rng.integers(1, 3)):
        if rng.random() < 0.4:
            x = layers.ZeroPadding2D(int(rng.integers(1, 3)))(x)
        kind = layers.DepthwiseConv2D if rng.random() < 0.3 else layers.Conv2D
        filters = [] if kind is layers.DepthwiseConv2D else [int(rng.choice([3, 8]))]
        strides = int(rng.integers(1, 3)) if min(x.shape[1:3]) > 8 else 1
        padding, activation = rng.choice(["same", "valid"]), rng.choice(["relu", "linear"])
        size = tuple(int(n) for n in rng.integers(1, 4, 2))
        x = kind(*filters, size, strides, str(padding), activation=str(activation))(x)
    patch = tuple(int(rng.integers(1, n + 1)) for n in x.shape[1:3])
    strides = tuple(int(rng.integers(1, n + 1)) for n in patch)
    hidden = tuple(int(n) for n in rng.choice([3, 8, 48], 2))
    padding = str(rng.choice(["valid", "same", "replicate"]))
    x = RNNPoolLayer(*hidden, patch, strides, padding, name="pool")(x)
    x = residual(x) if rng.random() < 0.5 else x
    return randomized(keras.Model(value, classify(x)))


@pytest.mark.parametrize("seed", [0, 2, 3, 5], ids="seed{}".format)
def test_random_models(seed):
    drawn = random_model(seed)
    unfused_file = convert(drawn, calibration=CALIBRATION, fuse="none")
    fused, x = fuse_model(unfused_file), images(40)
    assert "QUANTIZE" not in names(unfused_file) and "ConvRNNPool" in names(fused)
    results = []
    for engine in ({"engine": "litert", "reference_kernels": True}, {"engine": "tflm"}):
        expected, found = (Runtime(d, **engine).predict_quantized(x) for d in (unfused_file, fused))
        np.testing.assert_array_equal(found, expected, err_msg=f"seed {seed}, {engine}")
        results.append(expected.astype(int))
    assert np.abs(np.subtract(*results)).max() <= 1, f"seed {seed}"  # as above
    real = np.asarray(drawn(x, training=False))
    error = np.abs(Runtime(fused, engine="tflm").predict(x) - real)
    # Random recurrent matrices of 48 units amplify roundings where trained ones do not.
    assert error.mean() <= 0.03 * np.ptp(real), f"seed {seed}: {error.mean()}"


def test_fused_by_default():
    notes = []
    data = convert(model("network"), calibration=CALIBRATION, notes=notes)
    assert sorted(names(data)) == sorted(TOPOLOGIES["network"][2])
    assert [note.kind for note in notes if note.fused] == ["stem", "block"]


def test_streamed_fronts_carry_scales_per_row():
    pair = split_stream(unfused("network"))
    x = np.random.default_rng(SEED).integers(-128, 128, images().shape).astype(np.int8)
    streamed = StreamedRuntime(pair.header.encode(), pair.body, engine="tflm")
    expected = Runtime(unfused("network"), engine="tflm").predict_quantized(x)
    np.testing.assert_array_equal(streamed.predict_quantized(x), expected, err_msg=f"seed {SEED}")


def test_matrices_are_rounded_by_row():
    graph = Graph.from_bytes(unfused("network"))
    (found,) = rnnpool_operators(graph)
    layer = model("network").get_layer("pool")
    for position, attribute in MATRICES.items():
        index = int(found.operator.inputs[position])
        steps, scales = quantize_weights(np.asarray(getattr(layer, attribute)).T, per_row=True)
        np.testing.assert_array_equal(graph.constant(index), steps, err_msg=attribute)
        np.testing.assert_array_equal(graph.scales(index), scales, err_msg=attribute)


def test_rows_of_next_to_nothing():
    """As weight decay leaves them: a scale of their own would be out of the operator's range."""
    weights = np.array([[0.5, -0.25], [1e-30, 2e-31], [0, 0]], np.float32)
    steps, scales = int8.round_rows(weights)
    np.testing.assert_array_equal(steps, [[127, -64], [0, 0], [0, 0]])
    np.testing.assert_array_equal(scales, np.float32([0.5 / 127, 1 / 127, 1 / 127]))


@functools.cache
def both_grids(name: str) -> tuple[Graph, Graph]:
    """The folded model with the QUANTIZE behind RNNPool, and without."""
    opened = source.open_source(model(name), 1)
    batches = samples(CALIBRATION, opened.inputs)
    kept = Graph.from_bytes(stock_conversion(opened, ("int8", "int8"), batches))
    int8.fold(kept, calibrated=True)
    data = kept.to_bytes()
    changed = Graph.from_bytes(data)
    use_pool_grid(changed)
    return Graph.from_bytes(data), changed


@pytest.mark.parametrize("name", ["network", "flattened"])
def test_bias_has_the_same_value_in_other_steps(name):
    kept, changed = both_grids(name)
    assert "QUANTIZE" in [kept.name_of(operator) for operator in kept.operators]
    assert "QUANTIZE" not in [changed.name_of(operator) for operator in changed.operators]
    pairs = zip(biases(kept), biases(changed), strict=True)
    different = 0
    for (old, old_scales), (new, new_scales) in pairs:
        real = old.astype(np.float64) * old_scales
        # Half a step is what rounding takes; the scales in the file are float32.
        error = np.abs(new * new_scales - real)
        assert (error <= 0.5 * new_scales + 1e-6 * np.abs(real)).all()
        different += not np.array_equal(old, new)
    assert different == 1


def biases(graph: Graph) -> list[tuple[np.ndarray, np.ndarray]]:
    weighted = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
    found = []
    for operator in graph.operators:
        if graph.name_of(operator) in weighted:
            inputs = [int(index) for index in operator.inputs]
            scales = graph.scales(inputs[2]).astype(np.float64)
            # Kernels multiply by these two; the bias must count the same steps.
            product = graph.quantization(inputs[0]).scale * graph.scales(inputs[1])
            np.testing.assert_allclose(scales, np.float64(product), rtol=1e-6)
            found.append((graph.constant(inputs[2]), scales))
    return found


@pytest.mark.parametrize("name", ["network", "flattened"])
def test_the_own_grid_is_not_worse_than_the_calibrated_one(name):
    kept, changed = both_grids(name)
    x = images(40)
    expected = np.asarray(model(name)(x, training=False))
    runtimes = [Runtime(graph.to_bytes(), reference_kernels=True) for graph in (kept, changed)]
    steps = np.abs(np.subtract(*(r.predict_quantized(x).astype(int) for r in runtimes)))
    # The QUANTIZE rounds every value of the map once more; sums of dozens of them move by steps.
    assert steps.max() <= 6 and steps.mean() <= 1, f"seed {SEED}: {steps.max()}, {steps.mean()}"
    with_quantize, without = (((r.predict(x) - expected) ** 2).mean() for r in runtimes)
    assert without <= 1.1 * with_quantize, f"seed {SEED}: {without}, {with_quantize}"


def test_a_bias_that_would_overflow_keeps_the_quantize():
    kept = Graph.from_bytes(both_grids("flattened")[0].to_bytes())
    (dense,) = [op for op in kept.operators if kept.name_of(op) == "FULLY_CONNECTED"]
    x, weights, _ = (int(index) for index in dense.inputs)
    for tensor in range(len(kept.tensors)):  # on the finer grid it counts more steps
        old = kept.quantization(tensor)
        if old == kept.quantization(x) and kept.dtype(tensor) == np.int8:
            kept.set_quantization(tensor, old._replace(scale=2 / 128))
    large = kept.add_constant("bias", np.full(3, 2**30, np.int32))
    dense.inputs = np.array([x, weights, large], np.int32)
    use_pool_grid(kept)
    assert "QUANTIZE" in [kept.name_of(operator) for operator in kept.operators]


def test_subclassed_model():
    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.first = layers.Conv2D(4, 3, padding="same", activation="relu")
            self.pooling = pool()
            self.last = layers.Dense(2)

        def call(self, x):
            return self.last(keras.layers.Flatten()(self.pooling(self.first(x))))

    net = Net()
    net(images(2))  # builds it
    randomized(net)
    data = convert(net, calibration=CALIBRATION)
    assert sorted(names(data)) == ["ConvRNNPool", "FULLY_CONNECTED", "RESHAPE"]
    real = np.asarray(net(CALIBRATION))
    error = np.abs(Runtime(data).predict(CALIBRATION) - real)
    assert error.max() <= 0.05 * np.ptp(real)  # as above


def test_two_inputs_are_told_apart():
    # The converter orders inputs by its own rule; the ranges show which data each one got.
    first, second = image(), keras.Input((5,), name="aside")
    x = layers.Concatenate()([classify(pool()(conv(first))), layers.Dense(4)(second)])
    two = randomized(keras.Model([first, second], layers.Dense(3)(x)))
    aside = np.linspace(-40, 11, 5 * 24, dtype=np.float32).reshape(24, 5)
    files = {
        convert(two, calibration=data)
        for data in ((CALIBRATION, aside), {"aside": aside, "image": CALIBRATION})
    }
    graph = Graph.from_bytes(files.pop())
    assert not files
    scales = {graph.shape(i)[1:]: graph.quantization(i).scale for i in graph.inputs}
    assert scales[(5,)] == pytest.approx(51 / 255)
    assert scales[CALIBRATION.shape[1:]] == pytest.approx(np.ptp(CALIBRATION) / 255)


def test_saved_model_folder(tmp_path):
    model("flattened").export(tmp_path / "saved")
    data = convert(tmp_path / "saved", calibration=CALIBRATION, fuse="none", plan="greedy")
    found, expected = (Runtime(d).predict_quantized(images()) for d in (data, unfused("flattened")))
    np.testing.assert_array_equal(found, expected)


def test_fixed_and_open_batch():
    expected = Runtime(unfused("flattened")).predict_quantized(images())
    for batch_size in (3, None):
        data = convert(model("flattened"), calibration=CALIBRATION[:22], batch_size=batch_size)
        found = Runtime(data).predict_quantized(images())
        # Two samples fewer may have narrowed a range; the results must still be the samples' own.
        assert np.abs(found.astype(int) - expected).max() <= 8, str(batch_size)


def test_float_inputs_and_outputs():
    types = {"inference_input_type": "float32", "inference_output_type": "float32"}
    data = convert(model("adjacent"), calibration=CALIBRATION, **types)
    assert names(data) == ["QUANTIZE", "ConvRNNPool", "RNNPool", "DEQUANTIZE"]


def test_nothing_quantises_a_float_input_that_goes_into_rnnpool():
    with pytest.raises(ValueError, match=r"input.*must be quantised.*'pool.*model's input"):
        convert(model("only"), calibration=CALIBRATION, inference_input_type="float32")


def test_nothing_is_printed(capfd):
    convert(model("only"), calibration=CALIBRATION)
    captured = capfd.readouterr()
    assert "fully_quantize" not in captured.err and not captured.out
