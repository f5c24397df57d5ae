"""`rnnpool detect`: pictures in, pictures or boxes out, and what it refuses."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

import rnnpool_tf
from rnnpool_tf._keras import keras
from rnnpool_tf.cli import main
from rnnpool_tf.models import face_m4
from rnnpool_tf.vision.detector import Detector

SEED = 20261201


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder with a detector and two pictures; the detector finds something everywhere."""
    folder = tmp_path_factory.mktemp("detect")
    keras.utils.set_random_seed(SEED)
    (folder / "face.tflite").write_bytes(rnnpool_tf.convert(face_m4((48, 64, 1))))
    rng = np.random.default_rng(SEED)
    for name in ("one.png", "two.jpg"):
        Image.fromarray(rng.integers(0, 256, (60, 90, 3), np.uint8)).save(folder / name)
    return folder


def detect(*arguments) -> int:
    return main(["detect", *map(str, arguments)])


def test_draws_what_the_detector_finds(files, tmp_path, capsys):
    model = files / "face.tflite"
    target = tmp_path / "found.png"
    assert detect(files / "one.png", "--model", model, "-o", target, "--threshold", 0.4) == 0
    rows = Detector(model, score_threshold=0.4)(np.asarray(Image.open(files / "one.png")))
    assert len(rows) > 0
    assert f"{len(rows)} found" in capsys.readouterr().out
    drawn, original = (np.asarray(Image.open(path)) for path in (target, files / "one.png"))
    assert drawn.shape == original.shape
    assert (drawn != original).any()


def test_boxes_as_json_and_no_picture(files, capsys):
    before = sorted(files.iterdir())
    assert detect(files / "one.png", "--model", files / "face.tflite", "--json") == 0
    (report,) = json.loads(capsys.readouterr().out)
    assert (report["width"], report["height"]) == (90, 60)
    assert all(len(box["x1y1x2y2"]) == 4 and box["score"] > 0.5 for box in report["boxes"])
    assert sorted(files.iterdir()) == before


def test_several_pictures_into_a_folder(files, tmp_path):
    folder = tmp_path / "new"
    pictures = (files / "one.png", files / "two.jpg")
    assert detect(*pictures, "--model", files / "face.tflite", "-o", f"{folder}/") == 0
    assert sorted(path.name for path in folder.iterdir()) == [
        "one_detected.png",
        "two_detected.png",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["one.png", "--model", "none.tflite"], "`--model` must be an existing file"),
        (["face.tflite", "--model", "face.tflite"], "a picture must be readable"),
        (["none.png", "--model", "face.tflite"], "No such file or directory. Received: "),
        (["one.png", "--model", "face.tflite", "--threshold", "1"], "`--threshold` must be"),
        (["one.png", "--model", "face.tflite", "-o", "x.gif"], "`--output` must end in .png or"),
        (["one.png", "--model", "face.tflite", "-o", "one.png"], "must not be the picture itself"),
        (["one.png", "two.jpg", "--model", "face.tflite", "-o", "x.png"], "must be a folder for"),
        (["one.png", "--model", "face.tflite", "-o", "x.png", "--json"], "must not be given with"),
        (["one.png", "--model", "one.png"], "`model` must be a SavedModel folder, a .keras"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_refused(files, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(files)
    before = sorted(files.iterdir())
    assert detect(*arguments) == 1
    assert message in capsys.readouterr().err
    assert sorted(files.iterdir()) == before
