"""The examples of the README and of the docstrings run as they stand."""

from __future__ import annotations

import doctest
import importlib
import re
from pathlib import Path

import numpy as np
import pytest

from rnnpool_tf._keras import keras

ROOT = Path(__file__).resolve().parents[2]
MODULES = (
    "rnnpool_tf.analysis.bounds",
    "rnnpool_tf.analysis.counts",
    "rnnpool_tf.analysis.reproduce.printed",
    "rnnpool_tf.box_decoding",
    "rnnpool_tf.c_source",
    "rnnpool_tf.conversion.int8",
    "rnnpool_tf.conversion.packed_matrix",
    "rnnpool_tf.conversion.stream_header",
    "rnnpool_tf.datasets.load",
    "rnnpool_tf.datasets.load_boxes",
    "rnnpool_tf.datasets.preprocess",
    "rnnpool_tf.datasets.probe_pictures",
    "rnnpool_tf.datasets.synthetic",
    "rnnpool_tf.datasets.synthetic_boxes",
    "rnnpool_tf.gates",
    "rnnpool_tf.geometry",
    "rnnpool_tf.layers.fastgrnn",
    "rnnpool_tf.layers.l2_normalization",
    "rnnpool_tf.layers.max_out",
    "rnnpool_tf.layers.recurrent_pool",
    "rnnpool_tf.layers.renet",
    "rnnpool_tf.layers.rnnpool",
    "rnnpool_tf.models.blocks",
    "rnnpool_tf.models.cifar10",
    "rnnpool_tf.models.densenet121",
    "rnnpool_tf.models.efficientnet_b0",
    "rnnpool_tf.models.face.detector",
    "rnnpool_tf.models.face.qvga",
    "rnnpool_tf.models.face.vga",
    "rnnpool_tf.models.face.vga_tables",
    "rnnpool_tf.models.googlenet",
    "rnnpool_tf.models.mobilenet_v1",
    "rnnpool_tf.models.mobilenet_v2",
    "rnnpool_tf.models.probe",
    "rnnpool_tf.models.resnet18",
    "rnnpool_tf.models.visual_wake_words",
    "rnnpool_tf.models.zoo",
    "rnnpool_tf.surgery.cuts",
    "rnnpool_tf.surgery.replacement",
    "rnnpool_tf.vision.anchors",
    "rnnpool_tf.vision.average_precision",
    "rnnpool_tf.vision.boxes",
    "rnnpool_tf.vision.decoding",
    "rnnpool_tf.vision.detector",
    "rnnpool_tf.vision.evaluation",
    "rnnpool_tf.vision.losses",
    "rnnpool_tf.vision.multi_scale",
)


@pytest.mark.parametrize("module", MODULES)
def test_docstring_examples(module):
    module = importlib.import_module(module)
    result = doctest.testmod(module, extraglobs={"np": np, "keras": keras})
    assert result.attempted and not result.failed


@pytest.mark.legacy_keras
def test_readme_program(tmp_path, monkeypatch, capsys):
    (program,) = re.findall(r"```python\n(import rnnpool_tf.*?)```", readme(), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    images = np.random.default_rng(0).normal(0, 0.5, (8, 96, 96, 3)).astype(np.float32)
    exec(compile(program, "README.md", "exec"), {"train_images": images, "images": images[:2]})
    assert (tmp_path / "model.tflite").stat().st_size > 1000
    assert capsys.readouterr().out.strip().split()[-1].isdigit()


def test_readme_names_existing_files():
    links = re.findall(r"\]\((?!http)([^)#]+)\)", readme())
    assert links and all((ROOT / link).exists() for link in links), links


def readme() -> str:
    return (ROOT / "README.md").read_text()
