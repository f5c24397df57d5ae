"""WIDER FACE's protocol against plain loops; subsets from .mat and JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest

from rnnpool_tf.vision import wider_evaluation
from rnnpool_tf.vision.wider_evaluation import WiderSubset, load_wider_subset, wider_curve

pytestmark = pytest.mark.keras_free

EVENTS = {"0--Parade": ["a", "b", "c"], "1--Dancing": ["d", "e"]}
NAMES = [f"{event}/{file}.jpg" for event, files in EVENTS.items() for file in files]


def scene(seed: int) -> tuple[dict[str, np.ndarray], WiderSubset, dict[str, list[int]]]:
    """Detections, the subset, and its indices from 1."""
    print(f"seed {seed}")
    rng = np.random.default_rng(seed)
    faces, wanted, detections, indices = {}, {}, {}, {}
    for name in NAMES:
        corner = rng.integers(0, 80, (rng.integers(1, 7), 2))
        boxes = np.concatenate((corner, corner + rng.integers(0, 25, corner.shape)), 1)
        faces[name] = boxes.astype(np.float64)
        wanted[name] = rng.uniform(size=len(boxes)) < 0.6
        indices[name] = (np.flatnonzero(wanted[name]) + 1).tolist()
        near = np.repeat(boxes, 3, 0) + rng.normal(0, 3, (3 * len(boxes), 4))
        scores = rng.uniform(0.1, 0.7, (len(near), 1))
        detections[name] = np.concatenate((scores, near), 1)
    return detections, WiderSubset(faces, wanted), indices


def slow_curve(detections, subset) -> tuple[list[float], list[float]]:
    """Recall and precision at 1,000 thresholds, detection by detection."""
    lowest = min(rows[:, 0].min() for rows in detections.values())
    highest = max(rows[:, 0].max() for rows in detections.values())
    counted, hits = np.zeros(1000, int), np.zeros(1000, int)
    thresholds = [1 - t / 1000 for t in range(1, 1001)]
    for name, rows in detections.items():
        found = set()
        for score, x1, y1, x2, y2 in sorted(rows.tolist(), reverse=True):
            overlaps = []
            for a1, b1, a2, b2 in subset.faces[name]:
                width = max(min(x2, a2) - max(x1, a1) + 1, 0)
                height = max(min(y2, b2) - max(y1, b1) + 1, 0)
                areas = (x2 - x1 + 1) * (y2 - y1 + 1) + (a2 - a1 + 1) * (b2 - b1 + 1)
                overlaps.append(width * height / (areas - width * height))
            best = int(np.argmax(overlaps))
            hit = False
            if overlaps[best] >= 0.5:
                if not subset.wanted[name][best]:
                    continue
                hit = best not in found
                found.add(best)
            reached = (score - lowest) / (highest - lowest) >= np.array(thresholds)
            counted += reached
            hits += reached & hit
    faces = sum(int(mask.sum()) for mask in subset.wanted.values())
    precision = [h / n if n else 1.0 for h, n in zip(hits, counted, strict=True)]
    return (hits / faces).tolist(), precision


@pytest.mark.parametrize("seed", range(4))
def test_plain_loops(seed):
    detections, subset, _ = scene(seed)
    curve = wider_curve(detections, subset)
    recall, precision = slow_curve(detections, subset)
    np.testing.assert_array_equal(curve.recall, recall)
    np.testing.assert_array_equal(curve.precision, precision)
    assert 0 < curve.average_precision < 1
    lowest = min(rows[:, 0].min() for rows in detections.values())
    assert curve.scores[-1] == pytest.approx(lowest)


def test_scores_of_any_unit_give_the_same_curve():
    detections, subset, _ = scene(5)
    logits = {name: rows * (20, 1, 1, 1, 1) - (7, 0, 0, 0, 0) for name, rows in detections.items()}
    curve, other = (wider_curve(one, subset) for one in (detections, logits))
    # A score may fall on the other side of a threshold by rounding.
    assert np.mean(curve.recall != other.recall) < 0.01
    np.testing.assert_allclose(other.scores, curve.scores * 20 - 7)


def test_pictures_with_few_faces_only():
    detections, subset, _ = scene(6)
    few = [
        name
        for name in NAMES
        if (np.ptp(subset.faces[name].reshape(-1, 2, 2), 1) > 0).all(1).sum() <= 3
    ]
    assert 0 < len(few) < len(NAMES)
    part = WiderSubset(*({name: kept[name] for name in few} for kept in subset))
    expected = wider_curve({name: detections[name] for name in few}, part)
    curve = wider_curve(detections, subset, most_faces=3)
    np.testing.assert_array_equal(curve.recall, expected.recall)
    np.testing.assert_array_equal(curve.precision, expected.precision)


def test_missing_pictures_and_rows_that_are_not_finite():
    detections, subset, _ = scene(7)
    name = NAMES[0]
    with_nan = detections | {name: np.full((2, 5), np.nan)}
    without = {key: rows for key, rows in detections.items() if key != name}
    a, b = (wider_curve(one, subset).average_precision for one in (with_nan, without))
    assert a == b > 0
    assert wider_curve({}, subset).average_precision == 0


def test_one_score_for_all():
    detections, subset, _ = scene(8)
    flat = {
        name: np.concatenate((rows[:, :1] * 0 + 3, rows[:, 1:]), 1)
        for name, rows in detections.items()
    }
    curve = wider_curve(flat, subset)
    assert curve.recall[-1] > 0 and curve.scores[-1] == 3


@pytest.mark.parametrize(
    ("detections", "message"),
    [
        ({"a.jpg": np.zeros((0, 5))}, "event/name.jpg. Received: 'a.jpg' and 0 more"),
        ({NAMES[0]: np.zeros((1, 4))}, r"shape \(N, 5\)"),
    ],
)
def test_bad_detections(detections, message):
    with pytest.raises(ValueError, match=message):
        wider_curve(detections, scene(0)[1])


def cells(values) -> np.ndarray:
    """A column of MATLAB cells."""
    column = np.empty((len(values), 1), object)
    for row, value in enumerate(values):
        column[row, 0] = value
    return column


def written_mat(path, subset, indices):
    savemat = pytest.importorskip("scipy.io", reason="needs scipy to write a .mat").savemat

    def by_event(values, of):
        return cells(
            [
                cells([of(values[f"{event}/{file}.jpg"]) for file in EVENTS[event]])
                for event in EVENTS
            ]
        )

    content = {
        "event_list": cells(list(EVENTS)),
        "file_list": cells([cells(files) for files in EVENTS.values()]),
        "face_bbx_list": by_event(
            subset.faces,
            lambda boxes: np.concatenate((boxes[:, :2], boxes[:, 2:] - boxes[:, :2]), 1),
        ),
        "gt_list": by_event(indices, lambda rows: np.array(rows, np.uint8).reshape(-1, 1)),
    }
    savemat(path, content)
    return path


def written_json(folder, subset, indices):
    """The two files: indices as JSON, faces as WIDER's text."""
    lines = []
    for name, boxes in subset.faces.items():
        lines += [name, str(len(boxes))]
        for x1, y1, x2, y2 in boxes:
            lines.append(f"{x1:g} {y1:g} {x2 - x1:g} {y2 - y1:g} 0 0 0 0 0 0 ")
    (folder / "annotations.txt").write_text("\n".join(lines) + "\n")
    (folder / "hard.json").write_text(json.dumps({k: rows for k, rows in indices.items() if rows}))
    return folder / "hard.json", folder / "annotations.txt"


@pytest.mark.parametrize("kind", ["mat", "json"])
def test_subset_files(tmp_path, kind):
    _, subset, indices = scene(9)
    if kind == "mat":
        loaded = load_wider_subset(written_mat(tmp_path / "wider_hard_val.mat", subset, indices))
    else:
        loaded = load_wider_subset(*written_json(tmp_path, subset, indices))
    assert list(loaded.faces) == NAMES
    for name in NAMES:
        np.testing.assert_array_equal(loaded.faces[name], subset.faces[name])
        np.testing.assert_array_equal(loaded.wanted[name], subset.wanted[name])


def test_scipy_is_named_where_it_is_missing(tmp_path, monkeypatch):
    (tmp_path / "easy.mat").write_bytes(b"")
    monkeypatch.setattr(wider_evaluation.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RuntimeError, match="pip install scipy"):
        load_wider_subset(tmp_path / "easy.mat")


@pytest.mark.parametrize("content", ["[", "[]", '{"a": 3}', '{"a": ["1"]}'])
def test_malformed_json(tmp_path, content):
    (tmp_path / "a.json").write_text(content)
    (tmp_path / "annotations.txt").write_text("")
    with pytest.raises(ValueError, match="must be a JSON object of lists of integers"):
        load_wider_subset(tmp_path / "a.json", tmp_path / "annotations.txt")


@pytest.mark.parametrize("rows", [{"x/y.jpg": [1]}, {NAMES[0]: [0]}, {NAMES[0]: [99]}])
def test_indices_that_are_no_face(tmp_path, rows):
    path, annotations = written_json(tmp_path, scene(0)[1], {})
    path.write_text(json.dumps(rows))
    with pytest.raises(ValueError, match="every index must be that of an annotated face"):
        load_wider_subset(path, annotations)


def test_other_files(tmp_path):
    with pytest.raises(ValueError, match="must be an existing"):
        load_wider_subset(tmp_path / "absent.mat")
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(ValueError, match="`annotations` must be given"):
        load_wider_subset(tmp_path / "a.json")


@pytest.mark.parametrize("content", [b"", b"no mat file", bytes(200), {"gt_list": 3}])
def test_malformed_mat(tmp_path, content):
    scipy_io = pytest.importorskip("scipy.io", reason="needs scipy to read a .mat")
    if isinstance(content, dict):
        scipy_io.savemat(tmp_path / "a.mat", content)
    else:
        (tmp_path / "a.mat").write_bytes(content)
    with pytest.raises(ValueError, match=r"must be a \.mat of WIDER's evaluation tools"):
        load_wider_subset(tmp_path / "a.mat")
