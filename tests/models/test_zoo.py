"""Every classifier of the paper: counts, structure, and the one interface."""

from __future__ import annotations

import inspect
import json

import numpy as np
import pytest

from rnnpool_tf._keras import keras
from rnnpool_tf.analysis import count
from rnnpool_tf.models import NETWORKS, build
from rnnpool_tf.models.replacements import REPLACEMENTS
from rnnpool_tf.models.zoo import BUILDERS

# Parameters with 10 classes (Visual Wake Words 2, MobileNetV1 1000), and multiply-accumulates with
# W·x of RNNPool once per pixel, at 224×224.
COUNTS = {
    "visual_wake_words": (286_946, 48_322_480),
    "visual_wake_words_rnnpool": (281_902, 37_236_016),
    "visual_wake_words_final": (332_070, 50_472_880),
    "visual_wake_words_average": (281_930, 31_595_056),
    "visual_wake_words_strided_conv": (290_890, 38_619_696),
    "visual_wake_words_renet": (300_426, 45_845_040),
    "mobilenet_v2": (2_236_682, 299_507_072),
    "mobilenet_v2_final": (2_954_766, 333_913_472),
    "mobilenet_v2_rnnpool": (2_216_686, 240_861_056),
    "mobilenet_v2_rnnpool_final": (2_934_770, 275_267_456),
    "mobilenet_v2_renet": (2_338_986, 310_621_056),
    "mobilenet_v2_strided_conv": (2_289_194, 272_085_888),
    "mobilenet_v1": (4_231_976, 568_740_352),
    "mobilenet_v1_rnnpool": (4_117_644, 417_042_944),
    "resnet18": (11_181_642, 1_813_566_464),
    "resnet18_rnnpool": (10_513_358, 1_097_176_064),
    "efficientnet_b0": (4_020_358, 384_547_552),
    "efficientnet_b0_rnnpool": (3_992_910, 322_465_568),
    "densenet121": (6_964_106, 2_833_147_904),
    "densenet121_rnnpool": (5_603_726, 1_246_959_616),
}
# The golden counts are of straightforward execution.
GOLDEN = {
    "vww_rnnpool_224": ("visual_wake_words_rnnpool", {}),
    "vww_2rnnpool_224": ("visual_wake_words_rnnpool_final", {}),
    "mobilenetv2_rnnpool_1000": ("mobilenet_v2_rnnpool", {}),
    "mobilenetv1_rnnpool_1000": ("mobilenet_v1_rnnpool", {}),
}


@pytest.mark.parametrize("name", COUNTS)
def test_counts(name):
    arguments = {} if name.startswith(("visual", "mobilenet_v1")) else {"num_classes": 10}
    counted = count(build(name, **arguments))
    assert (counted.params, counted.madds_shared) == COUNTS[name]


@pytest.mark.parametrize("golden_name", GOLDEN)
def test_golden_counts(shared_dir, golden_name):
    expected = json.loads((shared_dir / "golden" / "counts.json").read_text())[golden_name]
    name, arguments = GOLDEN[golden_name]
    counted = count(build(name, **arguments))
    found = (counted.weights, counted.batch_norm, counted.bias, counted.madds, counted.params)
    assert found == tuple(expected[key] for key in ("weights", "bn", "bias", "madds", "params"))


def test_two_rnnpools_have_no_dropout():
    layers = build("visual_wake_words_rnnpool_final", input_shape=(96, 96, 3)).layers
    assert not any(isinstance(layer, keras.layers.Dropout) for layer in layers)
    assert tuple(layers[-2].output.shape[1:]) == (320,)


def test_auxiliary_classifiers_explain_the_papers_parameters():
    model = build("googlenet", num_classes=10, auxiliary=True)
    assert [tuple(shape) for shape in model.output_shape] == [(None, 10)] * 3
    assert count(model).params == 9_960_638  # 9.96M in Table 1


@pytest.mark.parametrize(
    ("name", "map_shape"),
    [
        ("visual_wake_words_rnnpool", (28, 28, 32)),
        ("mobilenet_v2_renet", (28, 28, 64)),
        ("mobilenet_v2_rnnpool_deeper", (14, 14, 64)),
        ("mobilenet_v1_rnnpool", (28, 28, 64)),
        ("efficientnet_b0_rnnpool", (28, 28, 64)),
        ("resnet18_rnnpool", (28, 28, 128)),
        ("googlenet_rnnpool", (28, 28, 128)),
    ],
)
def test_map_behind_the_pooling(name, map_shape):
    assert tuple(build(name).get_layer("pool").output.shape[1:]) == map_shape


def test_short_densenet():
    model = build("densenet121_rnnpool_intermediate_short", input_shape=(96, 96, 3))
    assert model.get_layer("dense3_10").output.shape[-1] == 576
    assert "dense3_11" not in {layer.name for layer in model.layers}
    pools = {layer.name for layer in model.layers if type(layer).__name__ == "RNNPoolLayer"}
    assert pools == {"pool", "transition2", "transition3", "final_pool"}


def test_one_interface():
    first, *others = (inspect.signature(builder).parameters for builder in BUILDERS.values())
    common = {"input_shape", "num_classes", "pooling", "final_pooling", "hidden", "pool_size"}
    common |= {"dropout", "padding", "batch_norm_momentum", "trainable_zeta_nu", "gates"}
    assert all(common <= set(parameters) for parameters in (first, *others))
    assert {row.family for row in REPLACEMENTS.values()} == set(BUILDERS)


def test_every_network_is_described_and_arguments_are_known():
    assert len({network.description for network in NETWORKS.values()}) == len(NETWORKS)
    for name, network in NETWORKS.items():
        assert name.startswith(network.family)
        assert set(network.arguments) <= set(network.builder.__kwdefaults__), name


def test_an_output_for_a_picture():
    model = build("resnet18_rnnpool", input_shape=(64, 96, 1), num_classes=3)
    assert np.isfinite(np.asarray(model(np.zeros((2, 64, 96, 1), np.float32)))).all()


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("resnet50", {}, "`name` must be one of"),
        ("resnet18", {"width": 2}, "arguments of 'resnet18' must be among"),
        ("resnet18", {"pooling": "median"}, "`pooling` must be one of"),
        ("resnet18", {"final_pooling": "max"}, "`final_pooling` must be one of"),
        ("resnet18", {"hidden": 8}, "must be None where `pooling` is 'none'"),
        ("resnet18_rnnpool", {"hidden": 0}, "`hidden` must be a positive integer"),
        ("mobilenet_v2", {"replace": "all"}, "`replace` must be one of"),
        ("densenet121", {"dropped_layers": (24, 0)}, "`dropped_layers` must be two counts"),
        ("densenet121", {"transition_pooling": "max"}, "`transition_pooling` must be one of"),
        (["resnet18"], {}, "`name` must be one of"),
        ("mobilenet_v2", {"width": 0}, "`width` must be a number above 0"),
        ("mobilenet_v2", {"width": "wide"}, "`width` must be a number above 0"),
        ("mobilenet_v2", {"stem_filters": 0}, "`stem_filters` must be a positive integer"),
        ("mobilenet_v2", {"last_filters": 2.5}, "`last_filters` must be a positive integer"),
        ("mobilenet_v2", {"num_classes": "10"}, "`num_classes` must be a positive integer"),
        ("mobilenet_v2", {"dropout": 1.5}, "`dropout` must be a number from 0 to below 1"),
        ("mobilenet_v2", {"batch_norm_momentum": None}, "`batch_norm_momentum` must be a number"),
        ("mobilenet_v2", {"trainable_zeta_nu": "x"}, "`trainable_zeta_nu` must be True or False"),
        ("googlenet", {"auxiliary": "x"}, "`auxiliary` must be True or False"),
        ("googlenet", {"large_kernel": 0}, "`large_kernel` must be a positive integer"),
        ("resnet18", {"input_shape": 64}, "`input_shape` must be"),
        ("resnet18", {"input_shape": None}, "`input_shape` must be"),
        ("resnet18", {"input_shape": (64, 64)}, "`input_shape` must be"),
        ("resnet18", {"input_shape": (64, 64, None)}, "`input_shape` must be"),
        ("resnet18", {"input_shape": (0, 64, 3)}, "`input_shape` must be"),
    ],
)
def test_bad_arguments(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        build(name, **{"input_shape": (64, 64, 3), **arguments})
