"""Each mistake gets a sentence that names it and what was received."""

from __future__ import annotations

import pytest

from rnnpool_tf import compression
from rnnpool_tf._keras import keras
from rnnpool_tf.layers import RNNPoolLayer
from tests.compression.helpers import small_model

legacy = pytest.mark.legacy_keras


@pytest.mark.keras3
@pytest.mark.parametrize(
    "call",
    [
        lambda m: compression.quantize(m),
        lambda m: compression.prune(m),
        lambda m: compression.strip_pruning(m),
        lambda m: compression.pruning_callbacks(),
        lambda m: compression.sparsity_report(m),
        lambda m: compression.quantize_scope(),
        lambda m: compression.weight_scales(m),
        lambda m: compression.refresh_weight_ranges(m),
        lambda m: compression.set_input_range(m, -1, 1),
        lambda m: compression.save(m, "model.h5"),
        lambda m: compression.load("model.h5"),
        lambda m: compression.freeze_batch_norm(m),
        lambda m: compression.FreezeBatchNorm(1),
    ],
    ids=[
        "quantize",
        "prune",
        "strip_pruning",
        "pruning_callbacks",
        "sparsity_report",
        "quantize_scope",
        "weight_scales",
        "refresh_weight_ranges",
        "set_input_range",
        "save",
        "load",
        "freeze_batch_norm",
        "FreezeBatchNorm",
    ],
)
def test_keras_3_is_refused_with_the_cure(call):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    with pytest.raises(RuntimeError, match=r"TF_USE_LEGACY_KERAS=1.*Keras 3"):
        call(model)


@pytest.mark.keras3
def test_asking_a_keras_3_model_whether_it_is_quantised():
    assert not compression.is_quantized(keras.Sequential([keras.Input((4,))]))


@legacy
@pytest.mark.parametrize(
    "call", [compression.quantize, compression.prune], ids=lambda f: f.__name__
)
class TestModels:
    def test_not_a_model(self, call):
        with pytest.raises(ValueError, match=r"tf_keras model\. Received: builtins\.str"):
            call("model.h5")

    def test_a_model_of_keras_3_in_a_process_of_tf_keras(self, call):
        keras3 = pytest.importorskip("keras")
        model = keras3.Sequential([keras3.Input((4,)), keras3.layers.Dense(2)])
        with pytest.raises(ValueError, match=r"Received: keras\..*Keras 3 object"):
            call(model)

    def test_subclassed(self, call):
        class Own(keras.Model):
            def call(self, inputs):
                return inputs

        with pytest.raises(ValueError, match=r"functional or sequential.*of type .*Own"):
            call(Own())

    def test_unbuilt(self, call):
        with pytest.raises(ValueError, match="built model"):
            call(keras.Sequential([keras.layers.Dense(2)], name="vague"))

    def test_nested(self, call):
        inner = keras.Sequential([keras.layers.Dense(2, input_shape=(4,))], name="inner")
        with pytest.raises(ValueError, match=r"'inner'.*instead of nesting"):
            call(keras.Sequential([keras.Input((4,)), inner]))

    def test_already_quantised(self, call):
        with pytest.raises(ValueError, match="already quantised"):
            call(compression.quantize(small_model()))

    def test_already_wrapped_for_pruning(self, call):
        with pytest.raises(ValueError, match=r"call strip_pruning\(\) first.*Received: 'prune_"):
            call(compression.prune(small_model(), schedule="constant"))


@legacy
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sparsity": 1.0}, r"`sparsity`.*< 1.*sparsity=1\.0"),
        ({"sparsity": -0.1}, r"sparsity=-0\.1"),
        ({"sparsity": "half"}, r"sparsity='half'"),
        ({"schedule": "cubic"}, r"`schedule` must be one of.*schedule='cubic'"),
        ({"schedule": "polynomial"}, r"`end_step` must be.*end_step=None"),
        ({"end_step": 5, "begin_step": 5}, r"end_step=5, begin_step=5"),
        ({"end_step": 5, "begin_step": 0}, r"`begin_step`.*begin_step=0"),
        ({"end_step": 5, "frequency": 0}, r"`frequency`.*frequency=0"),
        ({"rnnpool_sparsity": "papre"}, r"rnnpool_sparsity='papre'"),
        ({"rnnpool_sparsity": {"kernel3": 0.5}}, r"'kernel3'"),
        ({"rnnpool_sparsity": {"kernel1": 2}}, r"rnnpool_sparsity\['kernel1'\]=2"),
        ({"layer_sparsity": {"nobody": 0.5}}, r"name layers of 'small'.*'nobody'"),
        ({"layer_sparsity": {"add": 0.5}}, r"'add', a Add"),
        ({"pattern": "2x2"}, r"`pattern` must be one of.*pattern='2x2'"),
        ({"layer_pattern": {"pool": 4}}, r"layer_pattern\['pool'\]=4"),
        ({"layer_pattern": {"nobody": "1x2"}}, r"name layers of 'small'.*'nobody'"),
        ({"layer_pattern": {"add": "1x2"}}, r"`layer_pattern`.*'add', a Add"),
        ({"layer_pattern": {"depthwise": "1x2"}}, r"'1x1' for a DepthwiseConv2D.*'depthwise'"),
        ({"pattern": "2:4", "sparsity": 0.7}, r"sparsity of 0\.5.*Received: 0\.7 for 'pool'"),
        (
            {"pattern": "2:4", "rnnpool_sparsity": "paper"},
            r"another pattern in `layer_pattern`.*Received: 0\.7 for 'pool'",
        ),
        ({"sparsity": 0.0}, r"nothing to prune in 'small'"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_pruning_options(options, message):
    options = {"end_step": 5, **options} if options.get("schedule") != "polynomial" else options
    with pytest.raises(ValueError, match=message):
        compression.prune(small_model(), **options)


@legacy
@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (lambda: keras.layers.Rescaling(1 / 255, name="odd"), r"cannot quantise.*'odd' \(Resc"),
        (lambda: keras.layers.BatchNormalization(name="odd"), r"directly after Conv2D.*'odd'"),
        (
            lambda: RNNPoolLayer(4, 4, 2, trainable_zeta_nu=True, name="odd"),
            r"trainable_zeta_nu=False.*'odd'",
        ),
        (
            lambda: keras.layers.Conv2D(2, 1, dtype="mixed_float16", name="odd"),
            r"mixed precision.*'odd'.*float16",
        ),
    ],
    ids=["preprocessing", "lone_batch_norm", "zeta_nu", "mixed_precision"],
)
def test_layers_that_cannot_be_quantised(layer, message):
    model = keras.Sequential([keras.layers.Input((8, 8, 3)), layer()], name="strange")
    with pytest.raises(ValueError, match=message):
        compression.quantize(model)


@legacy
@pytest.mark.parametrize(
    ("calibration", "message"),
    [([], "at least one batch"), (3, "array of inputs or an iterable.*Received: int")],
    ids=["empty", "number"],
)
def test_calibration(calibration, message):
    with pytest.raises(ValueError, match=message):
        compression.quantize(small_model(), calibration=calibration)


@legacy
def test_float_model_has_no_scales():
    with pytest.raises(ValueError, match=r"made by quantize\(\)\. Received: 'small'"):
        compression.weight_scales(small_model())


@legacy
@pytest.mark.parametrize(("low", "high"), [(0.5, 1), (-1, -0.5), (0, 0)])
def test_input_range_without_zero(low, high):
    with pytest.raises(ValueError, match=f"zero must be within.*low={low}, high={high}"):
        compression.set_input_range(compression.quantize(small_model()), low, high)


@legacy
def test_strip_pruning_of_a_plain_model():
    with pytest.raises(ValueError, match=r"made by prune\(\)\. Received: 'small'"):
        compression.strip_pruning(small_model())


@legacy
def test_negative_epoch():
    with pytest.raises(ValueError, match="epoch=-1"):
        compression.FreezeBatchNorm(-1)


@legacy
def test_rnnpool_in_front_of_a_concatenation():
    image = keras.Input((8, 8, 2))
    pooled = RNNPoolLayer(2, 2, 4, name="pool")(image)
    other = keras.layers.MaxPooling2D(4)(image)
    model = keras.Model(image, keras.layers.Concatenate()([pooled, other]))
    with pytest.raises(ValueError, match=r"cannot join the output.*Received: 'pool'"):
        compression.quantize(model)
