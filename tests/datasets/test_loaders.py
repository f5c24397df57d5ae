"""Zips, folders, COCO: what is loaded, with which label, into which part; and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from rnnpool_tf.datasets import load_dataset
from rnnpool_tf.datasets.coco import load_coco, visual_wake_words_labels
from rnnpool_tf.datasets.folder import load_folder
from tests.datasets.sources import labels_of, write_coco, write_folder, write_zip, zip_rows

pytestmark = pytest.mark.keras_free


def check(dataset, train: int, validation: int, size: int = 16) -> None:
    """Sizes, shapes, and labels that belong to their pictures."""
    assert (len(dataset.train), len(dataset.validation)) == (train, validation)
    assert dataset.train.images.shape == (train, size * 3 // 2, size * 3 // 2, 3)
    assert dataset.validation.images.shape == (validation, size, size, 3)
    for part in (dataset.train, dataset.validation):
        np.testing.assert_array_equal(labels_of(part.images), part.labels)
        np.testing.assert_allclose(part.aspects, 20 / 16)


def test_zip_split_by_its_table(tmp_path):
    path = write_zip(tmp_path / "a.zip", zip_rows(train=3, validation=2))
    check(load_dataset(str(path), 16, cache=tmp_path / "cache"), train=6, validation=4)


@pytest.mark.parametrize("form", ["list", "commas", "folder"])
def test_several_zips_together(tmp_path, form):
    zips = tmp_path / "zips"
    zips.mkdir()
    paths = [write_zip(zips / f"{n}.zip", zip_rows(prefix=n)) for n in ("a", "b")]
    spec = {"list": paths, "commas": ",".join(map(str, paths)), "folder": zips}[form]
    check(load_dataset(spec, 16, cache=tmp_path / "cache"), train=12, validation=4)


def test_grey_has_one_channel(tmp_path):
    path = write_zip(tmp_path / "a.zip", zip_rows())
    dataset = load_dataset(path, 16, channels=1, cache=tmp_path / "cache")
    assert dataset.channels == 1
    # Luma of (200, 0, 0) and (0, 0, 200) by ITU-R 601, as Pillow computes it.
    values = {int(x) for x in np.unique(dataset.validation.images)}
    assert values == {round(200 * 0.299), round(200 * 0.114)}


def test_cache_is_used_and_follows_the_pictures(tmp_path, monkeypatch):
    cache, path = tmp_path / "cache", tmp_path / "a.zip"
    first = load_dataset(write_zip(path, zip_rows()), 16, cache=cache)
    files = sorted(cache.iterdir())
    assert not [file for file in files if file.suffix == ".tmp"]
    with monkeypatch.context() as patch:

        def no_decoding(*_):
            raise AssertionError("decoded again")

        patch.setattr("rnnpool_tf.datasets.examples._open", no_decoding)
        again = load_dataset(path, 16, cache=cache)
    np.testing.assert_array_equal(first.train.images, again.train.images)
    # The same names with the labels, and so the pictures, exchanged.
    rows = [(file, str(1 - int(label)), split) for file, label, split in zip_rows()]
    changed = load_dataset(write_zip(path, rows), 16, cache=cache)
    check(changed, train=6, validation=2)


def test_broken_picture_leaves_no_cache(tmp_path):
    root = write_folder(tmp_path / "data", {"person": 4, "no_person": 4})
    (root / "person" / "picture0.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"must be readable\. Received: person/picture0\.png"):
        load_folder(root, 16, cache=tmp_path / "cache")
    assert not [file for file in (tmp_path / "cache").iterdir() if file.suffix == ".tmp"]


@pytest.mark.parametrize("negative", ["no_person", "notperson", "non_person"])
def test_folder_holds_out_a_fifth(tmp_path, negative):
    root = write_folder(tmp_path / "data", {"person": 10, negative: 5})
    dataset = load_dataset(root, 16, cache=tmp_path / "cache")
    check(dataset, train=12, validation=3)
    again = load_folder(root, 16, cache=tmp_path / "other")
    assert dataset.validation.names == again.validation.names


def test_folder_with_its_own_split(tmp_path):
    counts = {"train/person": 3, "train/no_person": 4, "val/person": 2, "val/no_person": 1}
    root = write_folder(tmp_path / "data", counts)
    check(load_dataset(str(root), 16, cache=tmp_path / "cache"), train=7, validation=3)


# A picture has 320 pixels, so the rule's threshold of 0.5 % is an area of 1.6.
COCO = {
    1: [("person", 200.0)],
    2: [("person", 1.5)],
    3: [("dog", 200.0)],
    4: [],
    5: [("dog", 50.0), ("person", 1.7)],
    6: [("person", 1.6)],
    7: [("person", 1.0), ("person", 1.0)],
}
PERSON = {1, 5}


def test_visual_wake_words_rule(tmp_path):
    _, instances = write_coco(tmp_path, COCO)
    labels = visual_wake_words_labels(json.loads(instances.read_text()))
    assert {key for key, (_, label) in labels.items() if label} == PERSON
    assert set(labels) == set(COCO)


def test_coco_with_validation_ids(tmp_path):
    images, instances = write_coco(tmp_path, COCO)
    ids = tmp_path / "minival.txt"
    ids.write_text("1\n2\n")
    dataset = load_dataset(f"coco:{images}:{instances}:{ids}", 16, cache=tmp_path / "cache")
    check(dataset, train=5, validation=2)
    assert sorted(dataset.validation.names) == ["000000000001.png", "000000000002.png"]


def test_coco_holds_out_some_and_skips_absent_pictures(tmp_path):
    images, instances = write_coco(tmp_path, COCO)
    (images / f"{3:012}.png").unlink()
    dataset = load_coco(images, instances, None, 16, cache=tmp_path / "cache")
    check(dataset, train=4, validation=2)


def bad_sources(tmp_path):
    """{case of BAD_SOURCES: (spec, part of the message)}"""
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.zip").write_text("no zip")
    write_folder(tmp_path / "one_class", {"person": 3})
    write_folder(tmp_path / "no_files", {"person": 3, "no_person": 0})
    write_zip(tmp_path / "label.zip", [("a.png", "7", "train")])
    write_zip(tmp_path / "absent.zip", zip_rows(), files=["train0_0.png"])
    write_zip(tmp_path / "no_val.zip", zip_rows(validation=0))
    write_zip(tmp_path / "only_person.zip", [r for r in zip_rows() if r[1] == "1"])
    images, _ = write_coco(tmp_path, COCO)
    (tmp_path / "list.json").write_text("[1]")
    return {
        "missing": (tmp_path / "nowhere", "an existing zip or an existing folder. Received: "),
        "empty folder": (tmp_path / "empty", "without no_person"),
        "one class": (tmp_path / "one_class", "without no_person"),
        "class without files": (tmp_path / "no_files", "none in "),
        "not a zip": (tmp_path / "text.zip", "must be a zip file. Received: "),
        "label 7": (tmp_path / "label.zip", "label='7'"),
        "file not in zip": (tmp_path / "absent.zip", "file='train0_1.png'"),
        "no validation": (tmp_path / "no_val.zip", "must have validation images"),
        "one label": (tmp_path / "only_person.zip", "must show several classes"),
        "several, one missing": (f"{tmp_path}/a.zip,{tmp_path}/b.zip", "an existing zip file"),
        "coco without json": (f"coco:{images}", "must be 'coco:IMAGES:INSTANCES.json'"),
        "coco folder missing": ("coco:/nowhere:x.json", "must be an existing folder"),
        "coco json missing": (f"coco:{images}:/nowhere.json", "must be a JSON file"),
        "coco json is a list": (f"coco:{images}:{tmp_path}/list.json", "COCO instance annotations"),
        "synthetic count": ("synthetic:many", "'synthetic:TRAIN:VALIDATION'"),
        "synthetic too few": ("synthetic:1:2", "`train` must be at least 2"),
    }


BAD_SOURCES = (
    "missing",
    "empty folder",
    "one class",
    "class without files",
    "not a zip",
    "label 7",
    "file not in zip",
    "no validation",
    "one label",
    "several, one missing",
    "coco without json",
    "coco folder missing",
    "coco json missing",
    "coco json is a list",
    "synthetic count",
    "synthetic too few",
)


@pytest.mark.parametrize("case", BAD_SOURCES)
def test_bad_source_is_named(tmp_path, case):
    spec, message = bad_sources(tmp_path)[case]
    with pytest.raises(ValueError) as caught:
        load_dataset(spec, 16, cache=tmp_path / "cache")
    assert message in str(caught.value)
    assert "Received: " in str(caught.value)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"image_size": 4}, "image_size=4"), ({"channels": 2}, "channels=2")],
    ids=["size 4", "2 channels"],
)
def test_bad_geometry_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        load_dataset("synthetic:2:2", **arguments)


def test_real_person_zip(shared_dir, tmp_path):
    path = shared_dir / "data" / "person" / "person_coco_open.zip"
    if not path.exists():
        pytest.skip("needs person_coco_open.zip in ../shared/data/person, which is absent")
    dataset = load_dataset(path, 32, cache=tmp_path)
    # The table's own counts.
    assert (len(dataset.train), int(dataset.train.labels.sum())) == (1546, 854)
    assert (len(dataset.validation), int(dataset.validation.labels.sum())) == (374, 200)
    # Photographs: neither black nor flat.
    assert dataset.validation.images.std((1, 2, 3)).min() > 1
