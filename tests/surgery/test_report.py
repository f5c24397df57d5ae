"""What is said before training: cuts, and the figures before and after."""

from __future__ import annotations

import pytest

from rnnpool_tf._keras import keras
from rnnpool_tf.analysis import summarize_model
from rnnpool_tf.surgery import replace_with_rnnpool, suggest_spans
from tests.surgery import networks


@pytest.mark.parametrize("element_bytes", [1, 4])
def test_report_is_of_both_models(element_bytes):
    model = networks.residual()
    new = replace_with_rnnpool(model, "down_conv", "small_relu", element_bytes=element_bytes)
    before, after = (summarize_model(m, element_bytes=element_bytes) for m in (model, new.model))
    rows = {name: figures for name, *figures in new.report.rows}
    assert rows["parameters"] == [before.count.params, after.count.params]
    assert rows["MAdds per image"] == [before.count.madds_shared, after.count.madds_shared]
    assert rows["RAM, paper's convention"] == [before.paper.bytes, after.paper.bytes]
    assert rows["RAM, lower bound"] == [before.bounds.resident.bytes, after.bounds.resident.bytes]
    assert after.paper.bytes < before.paper.bytes
    assert summarize_model(new.original, element_bytes=element_bytes) == before


def test_report_as_text():
    report = replace_with_rnnpool(networks.residual(), "down_conv", "small_relu").report
    lines = str(report).splitlines()
    assert lines[0] == "replaced  'down_conv' to 'small_relu' (13 layers), 24x24x8 to 6x6x16"
    assert lines[1] == "by        RNNPool 4/4, patch 6x6, stride 4x4, padding 'replicate'"
    assert lines[3].split() == ["parameters", "3,226", "366", "0.11"]
    assert len({len(line) for line in lines[2:]}) == 1


def test_report_of_a_network_without_parameters():
    inputs = keras.Input((16, 16, 3))
    model = keras.Model(inputs, keras.layers.MaxPooling2D(4, name="pool")(inputs))
    lines = str(replace_with_rnnpool(model, "pool").report).splitlines()
    assert lines[3].split() == ["parameters", "0", "32", "–"]


def test_cuts_are_where_one_tensor_is_left():
    cuts = suggest_spans(networks.residual())
    assert [cut.end for cut in cuts if cut.end.endswith(("relu", "add", "logits"))] == [
        "stem_relu",
        "down_relu",
        "add",
        "small_relu",
        "logits",
    ]
    ends = {cut.end: cut for cut in cuts}
    assert ends["stem_relu"].start == "down_conv" and ends["stem_relu"].shape == (24, 24, 8)
    assert ends["logits"].start is None
    # Inside the block the skip connection is needed as well.
    assert not {"inner_conv", "inner_relu", "inner2_relu"} & set(ends)
    assert str(cuts).splitlines()[1].split() == ["image", "24x24x3", "stem_conv"]


def test_every_pair_of_cuts_is_a_span():
    model = networks.concatenation()
    cuts = suggest_spans(model)
    found = 0
    for position, first in enumerate(cuts):
        for last in cuts[position + 1 :]:
            if len(first.shape) == 3 and first.shape[0] > last.shape[0] and len(last.shape) == 3:
                new = replace_with_rnnpool(model, first.start, last.end, hidden1=2)
                assert new.model.output_shape == model.output_shape
                found += 1
    assert found > 10
