"""WIDER FACE from a made set in its layout, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from rnnpool_tf.datasets.load_boxes import load_boxes
from rnnpool_tf.datasets.wider_face import load_wider_face, read_wider_annotations

pytestmark = pytest.mark.keras_free

TRAIN = """0--Parade/0_Parade_1.jpg
3
10 20 30 40 0 0 0 0 0 0 
5 6 0 9 2 0 0 0 0 0 
50 60 7 8 2 0 0 1 0 0 
1--Handshaking/1_Handshaking_2.jpg
0
0 0 0 0 0 0 0 0 0 0 
1--Handshaking/1_Handshaking_3.jpg
1
-2 1 8 9 1 0 0 0 2 0 
"""  # noqa: W291 (the official files have a space at the end of a line)
VALIDATION = """2--Demonstration/2_Demonstration_4.jpg
1
1 2 3 4 0 0 0 0 0 0
"""


@pytest.fixture
def folder(tmp_path):
    lists = tmp_path / "wider_face_split"
    lists.mkdir()
    for split, text in (("train", TRAIN), ("val", VALIDATION)):
        (lists / f"wider_face_{split}_bbx_gt.txt").write_text(text)
        for name in text.splitlines():
            if name.endswith(".jpg"):
                path = tmp_path / f"WIDER_{split}" / "images" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.new("RGB", (100, 80), (200, 100, 50)).save(path)
    return tmp_path


def test_pictures_and_boxes(folder):
    dataset = load_wider_face(folder)
    first, second, third = dataset.train
    assert first.name == "0--Parade/0_Parade_1.jpg"
    # The box of width 0 is gone, the invalid one stays and is ignored by evaluation.
    assert first.boxes.tolist() == [[10, 20, 40, 60], [50, 60, 57, 68]]
    assert first.ignored.tolist() == [False, True]
    assert len(second.boxes) == 0 and third.boxes.tolist() == [[-2, 1, 6, 10]]
    assert first.image().shape == (80, 100, 3)
    (validation,) = dataset.validation
    assert validation.boxes.tolist() == [[1, 2, 4, 6]]


def test_no_picture_is_read_before_it_is_asked_for(folder):
    path = folder / "WIDER_val" / "images" / "2--Demonstration" / "2_Demonstration_4.jpg"
    path.write_bytes(b"no picture")
    (example,) = load_wider_face(folder).validation
    with pytest.raises(ValueError, match=r"2_Demonstration_4\.jpg"):
        example.image()


def test_annotations_keep_every_line(folder):
    annotations = read_wider_annotations(folder / "wider_face_split/wider_face_train_bbx_gt.txt")
    assert annotations[0].boxes.tolist() == [[10, 20, 30, 40], [5, 6, 0, 9], [50, 60, 7, 8]]
    assert [len(one.boxes) for one in annotations] == [3, 0, 1]


def test_a_missing_line_of_zeros_is_no_error(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("a/1.jpg\n0\na/2.jpg\n1\n1 2 3 4 0 0 0 0 0 0\n\n")
    assert [len(one.boxes) for one in read_wider_annotations(path)] == [0, 1]


def test_the_word_of_load_boxes(folder):
    dataset = load_boxes(f"wider:{folder}")
    assert [len(example.boxes) for example in dataset.train] == [2, 0, 1]
    assert str(dataset).endswith(
        "3 training images with 3 boxes and 1 validation images with 1 boxes"
    )


def test_a_missing_picture_is_named(folder):
    (folder / "WIDER_train" / "images" / "0--Parade" / "0_Parade_1.jpg").unlink()
    with pytest.raises(ValueError, match=r"train_bbx_gt\.txt must exist.*0_Parade_1\.jpg"):
        load_wider_face(folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1\n", r"line 1 of .*list.txt must be the name of a .jpg file. Received: '1'"),
        ("a.jpg\n", r"line 2 .* the number of faces of a.jpg. Received: the end of the file"),
        ("a.jpg\n-1\n", r"line 2 .* the number of faces of a.jpg. Received: '-1'"),
        ("a.jpg\n1\n1 2 3\n", r"line 3 .* 10 numbers of a face of a.jpg. Received: '1 2 3'"),
        ("a.jpg\n1\n1 2 3 x 0 0 0 0 0 0\n", "line 3 .* 10 numbers"),
        ("a.jpg\n2\n1 2 3 4 0 0 0 0 0 0\n", "line 4 .* 10 numbers .* the end of the file"),
        ("a.jpg\n99999999999\n", "line 3 .* 10 numbers .* the end of the file"),
        ("a.jpg\n0\n0 0 0 0 0 0 0 0 0 0\n0 0 0 0 0 0 0 0 0 0\n", "line 4 .* a .jpg file"),
    ],
)
def test_malformed_lists(tmp_path, text, message):
    path = tmp_path / "list.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_wider_annotations(path)


def test_a_folder_without_lists(tmp_path):
    with pytest.raises(ValueError, match="`path` must be an annotation file of WIDER FACE"):
        load_wider_face(tmp_path)


@pytest.mark.parametrize(
    "spec",
    ["wider:", "scut", "wider", "synthetic:3", "synthetic:a:2", "synthetic:3:2:1", "no/such"],
)
def test_other_words_are_refused(spec):
    with pytest.raises(ValueError, match=f"`spec` must be 'synthetic', .* Received: '{spec}'"):
        load_boxes(spec)


def test_boxes_are_float32(folder):
    assert load_wider_face(folder).train[0].boxes.dtype == np.float32
