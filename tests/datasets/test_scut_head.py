"""SCUT-HEAD from a made set in its layout, and what is refused."""

from __future__ import annotations

import pytest
from PIL import Image

from rnnpool_tf.datasets.load_boxes import load_boxes
from rnnpool_tf.datasets.scut_head import load_scut_head

pytestmark = pytest.mark.keras_free

HEADS = {
    "PartB_00000": [(10, 20, 30, 40, 0), (1, 2, 1, 9, 0), (5, 5, 9.5, 9, 1)],
    "PartB_00001": [],
    "PartB_00002": [(3, 4, 5, 6, 0)],
}


def annotation(heads) -> str:
    objects = (
        f"<object><name>person</name><difficult>{difficult}</difficult><bndbox><xmin>{x1}</xmin>"
        f"<ymin>{y1}</ymin><xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox></object>"
        for x1, y1, x2, y2, difficult in heads
    )
    return f"<annotation>{''.join(objects)}</annotation>"


@pytest.fixture(params=[("trainval", "test"), ("train", "val")], ids="/".join)
def folder(tmp_path, request):
    for part in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (tmp_path / part).mkdir(parents=True)
    for name, heads in HEADS.items():
        (tmp_path / "Annotations" / f"{name}.xml").write_text(annotation(heads))
        Image.new("RGB", (64, 48)).save(tmp_path / "JPEGImages" / f"{name}.jpg")
    names = list(HEADS)
    for split, part in zip(request.param, (names[:2], names[2:]), strict=True):
        (tmp_path / "ImageSets" / "Main" / f"{split}.txt").write_text("\n".join(part) + "\n")
    return tmp_path


def test_pictures_and_boxes(folder):
    dataset = load_boxes(f"scut:{folder}")
    first, second = dataset.train
    assert first.name == "PartB_00000.jpg" and first.image().shape == (48, 64, 3)
    assert first.boxes.tolist() == [[10, 20, 30, 40], [5, 5, 9.5, 9]]
    assert first.ignored.tolist() == [False, True]
    assert second.boxes.shape == (0, 4)
    assert [example.boxes.tolist() for example in dataset.validation] == [[[3, 4, 5, 6]]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no xml", "every annotation must be XML .*PartB_00000.xml"),
        ("<annotation><object/></annotation>", "with a bndbox"),
        (annotation([("x", 2, 3, 4, 0)]), "could not convert"),
        (annotation([(1, 2, 3, 4, "maybe")]), "invalid literal"),
    ],
)
def test_malformed_annotations(folder, text, message):
    (folder / "Annotations" / "PartB_00000.xml").write_text(text)
    with pytest.raises(ValueError, match=message):
        load_scut_head(folder)


@pytest.mark.parametrize("part", ["Annotations/PartB_00001.xml", "JPEGImages/PartB_00001.jpg"])
def test_missing_files_are_named(folder, part):
    (folder / part).unlink()
    with pytest.raises(ValueError, match=part.split("/")[1]):
        load_scut_head(folder)


def test_a_folder_without_lists(tmp_path):
    with pytest.raises(ValueError, match=r"ImageSets/Main with trainval\.txt and test\.txt"):
        load_scut_head(tmp_path)
