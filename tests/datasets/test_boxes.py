"""Pictures with boxes from a JSON file, in a folder and in a zip; generated heads."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from rnnpool_tf.datasets.boxes import BoxExample, load_boxes_json
from rnnpool_tf.datasets.load_boxes import load_boxes
from rnnpool_tf.datasets.synthetic_boxes import HEIGHT, SIDES, WIDTH, synthetic_boxes

pytestmark = pytest.mark.keras_free

ROWS = [
    {"file": "a.png", "split": "train", "boxes_xywh": [[1, 2, 3, 4], [5, 5, 0, 5]], "width": 9},
    {"file": "sub/b.png", "split_made": "val", "boxes_xywh": [[0, 0, 2.5, 1]]},
    {"file": "c.png", "split": "test", "boxes_xywh": []},
]


def encoded(colour: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (9, 7), (colour, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


def written(path, rows, kind: str):
    """A folder or zip with the pictures and this annotations.json."""
    text = rows if isinstance(rows, str) else json.dumps(rows)
    files = {"annotations.json": text.encode()}
    files |= {row["file"]: encoded(10 * i) for i, row in enumerate(ROWS)}
    if kind == "zip":
        with zipfile.ZipFile(path / "made.zip", "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return path / "made.zip"
    for name, content in files.items():
        (path / "made" / name).parent.mkdir(parents=True, exist_ok=True)
        (path / "made" / name).write_bytes(content)
    return path / "made"


@pytest.mark.parametrize("kind", ["zip", "folder"])
@pytest.mark.parametrize("load", [load_boxes_json, load_boxes])
def test_pictures_and_boxes(tmp_path, kind, load):
    dataset = load(written(tmp_path, ROWS, kind))
    (train,), (first, second) = dataset.train, dataset.validation
    assert dataset.name == "made"
    assert train.boxes.tolist() == [[1, 2, 4, 6]] and train.ignored.tolist() == [False]
    assert first.boxes.tolist() == [[0, 0, 2.5, 1]] and second.boxes.shape == (0, 4)
    for example, colour in ((train, 0), (first, 10), (second, 20)):
        assert example.image().shape == (7, 9, 3) and example.image()[0, 0].tolist() == [
            colour,
            0,
            0,
        ]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("[", "annotations.json must be JSON"),
        ([ROWS[0], 7], "Received: entry 1 of .*: 7"),
        ({"file": "a.png"}, "entry 0"),
        ([{"file": 3, "split": "train", "boxes_xywh": []}], "entry 0"),
        ([{"file": "a.png", "split": "other", "boxes_xywh": []}], "entry 0"),
        ([{"file": "a.png", "split": ["train"], "boxes_xywh": []}], "entry 0"),
        ([{"file": "a.png", "boxes_xywh": []}], "entry 0"),
        ([{"file": "a.png", "split": "train", "boxes_xywh": [[1, 2, 3]]}], "entry 0"),
        ([{"file": "a.png", "split": "train", "boxes_xywh": [["x", 2, 3, 4]]}], "entry 0"),
    ],
)
def test_malformed_annotations(tmp_path, rows, message):
    with pytest.raises(ValueError, match=message):
        load_boxes_json(written(tmp_path, rows, "folder"))


@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_a_missing_picture_is_named(tmp_path, kind):
    rows = [*ROWS, {"file": "none.png", "split": "train", "boxes_xywh": []}]
    with pytest.raises(ValueError, match=r"must be there\. Received: entry 3 .* 'none\.png'"):
        load_boxes_json(written(tmp_path, rows, kind))


def test_sources_without_annotations(tmp_path):
    with pytest.raises(ValueError, match=r"`source` must hold annotations\.json"):
        load_boxes_json(tmp_path)
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    with pytest.raises(ValueError, match=r"`source` must hold annotations\.json"):
        load_boxes_json(tmp_path / "empty.zip")
    (tmp_path / "text.zip").write_text("no zip")
    for name in ("text.zip", "absent"):
        with pytest.raises(ValueError, match="`source` must be an existing folder or zip"):
            load_boxes_json(tmp_path / name)


def test_boxes_without_area_are_dropped_with_their_flags():
    boxes = [[0, 0, 1, 1], [2, 2, 2, 5], [np.nan, 0, 1, 1], [3, 3, 1, 9], [5, 5, 6, 6]]
    example = BoxExample("x", bytes, boxes, [True, True, False, True, False])
    assert example.boxes.tolist() == [[0, 0, 1, 1], [5, 5, 6, 6]]
    assert example.ignored.tolist() == [True, False]


def test_a_picture_that_cannot_be_decoded_is_named():
    with pytest.raises(ValueError, match=r"must be readable\. Received: 'broken'"):
        BoxExample("broken", lambda: b"no picture", []).image()


def test_flags_that_do_not_go_with_the_boxes():
    with pytest.raises(ValueError, match=r"each of the 1 boxes of 'x'\. Received: shape \(2,\)"):
        BoxExample("x", bytes, [[0, 0, 1, 1]], [True, False])


def test_generated_heads():
    dataset = load_boxes("synthetic:12:3", seed=4)
    assert (len(dataset.train), len(dataset.validation)) == (12, 3)
    for example in dataset.train:
        assert example.image().shape == (HEIGHT, WIDTH, 3)
        assert 1 <= len(example.boxes) <= 6
        assert (example.boxes >= 0).all() and (example.boxes <= [WIDTH, HEIGHT] * 2).all()
        longest = (example.boxes[:, 2:] - example.boxes[:, :2]).max(1)
        # Coordinates are float32.
        assert (longest > SIDES[0] - 1e-3).all() and (longest < SIDES[1] + 1e-3).all()


def test_seed_and_index_decide_a_generated_picture():
    few, many = synthetic_boxes(1, 1, seed=5), synthetic_boxes(2, 1, seed=5)
    other = synthetic_boxes(1, 1, seed=6)
    assert few.train[0].read() == many.train[0].read() != other.train[0].read()
    assert few.validation[0].read() == many.train[1].read() != many.validation[0].read()
    with pytest.raises(ValueError, match="`validation` must be at least 1 picture"):
        synthetic_boxes(1, 0)
