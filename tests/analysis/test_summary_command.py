"""`rnnpool summary` with Keras models, the zoo, comparisons, pages, pictures, and bad input."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest

from rnnpool_tf import cli
from rnnpool_tf._keras import keras
from rnnpool_tf.analysis import summarize_model
from rnnpool_tf.analysis.summary import charts
from rnnpool_tf.layers import RNNPoolLayer
from tests.deploy.tiny_model import tiny_model

RESULTS = "name,accuracy,ram_bytes,madds\nbase <1>,94.2,2408448,3e8\nsmall,94.4,250880,2.26e8\n"


def small_model(pool: bool):
    inputs = keras.Input((24, 24, 3), name="image")
    x = keras.layers.Conv2D(8, 3, 2, padding="same", activation="relu", name="stem")(inputs)
    if pool:
        x = RNNPoolLayer(4, 4, 4, 2, name="pool")(x)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.GlobalAveragePooling2D(name="average")(x)
    return keras.Model(inputs, keras.layers.Dense(2, name="logits")(x), name="small")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    names = {}
    for name, pool in (("base.keras", False), ("pooled.keras", True), ("pooled.h5", True)):
        small_model(pool).save(folder / name)
        names[name] = str(folder / name)
    (folder / "file.tflite").write_bytes(tiny_model(size=48, stem=True, block=True))
    (folder / "results.csv").write_text(RESULTS)
    return {**names, "file": str(folder / "file.tflite"), "results": str(folder / "results.csv")}


def run(capsys, *arguments) -> str:
    status = cli.main(["summary", *arguments])
    captured = capsys.readouterr()
    assert status == 0, captured.err
    return captured.out


def refused(capsys, *arguments) -> str:
    assert cli.main(["summary", *arguments]) == 1
    error = capsys.readouterr().err
    assert error.startswith("rnnpool summary: ") and "Received: " in error
    assert "Traceback" not in error
    return error


def test_layers_and_totals(files, capsys):
    text = run(capsys, files["pooled.keras"], "--no-arena")
    summary = summarize_model(small_model(True))
    listed = [line.split()[0] for line in text.splitlines()[1 : text.splitlines().index("")]]
    assert listed == ["stem", "pool", "logits"]
    assert f"{summary.count.madds_executed:,}" in text and f"{summary.paper.bytes:,}" in text
    everything = run(capsys, files["pooled.keras"], "--no-arena", "--all")
    assert all(re.search(rf"^{layer.name} ", everything, re.M) for layer in summary.layers)
    assert run(capsys, files["pooled.h5"], "--no-arena").splitlines()[:4] == text.splitlines()[:4]


@pytest.mark.keras3
def test_files_of_tf_keras(files, tmp_path):
    """The process takes the Keras of the file, and refuses to compare files of both."""
    path = tmp_path / "legacy.h5"
    script = (
        "import tf_keras as k\n"
        "i = k.Input((8, 8, 3)); m = k.Model(i, k.layers.Conv2D(2, 3, name='convolution')(i))\n"
        f"m.save({str(path)!r})"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
    command = [sys.executable, "-m", "rnnpool_tf.cli", "summary", str(path), "--no-arena"]
    environment = {key: value for key, value in os.environ.items() if key != "TF_USE_LEGACY_KERAS"}
    options = {"env": environment, "capture_output": True, "text": True, "check": False}
    done = subprocess.run(command, **options)
    assert done.returncode == 0 and "convolution  Conv2D" in done.stdout, done.stderr
    done = subprocess.run([*command, "--compare", files["base.keras"]], **options)
    assert done.returncode == 1
    assert "must be files of the same Keras" in done.stderr and "Traceback" not in done.stderr


def test_totals_have_short_names(files, capsys):
    (line,) = [
        line
        for line in run(capsys, files["file"], "--no-arena").splitlines()
        if line.startswith("  layers ")
    ]
    assert ";" not in line and "/" not in line


def test_arena_of_a_keras_model_and_of_a_file(files, capsys):
    for name in ("pooled.keras", "file"):
        text = run(capsys, files[name])
        assert re.search(r"^arena in TensorFlow Lite Micro, measured +[\d,]{5,}$", text, re.M)
    assert "arena of file: this file" in text
    assert re.search(r"^bytes of the file", text, re.M)


def test_arena_of_an_untrained_model_whose_maps_vanish(capsys, tmp_path):
    """TensorFlow Lite Micro would abort; BatchNormalization of a copy sees pictures first."""
    inputs = keras.Input((8, 8, 3))
    tiny = keras.initializers.RandomNormal(stddev=1e-9, seed=1)
    x = keras.layers.Conv2D(4, 3, padding="same", kernel_initializer=tiny)(inputs)
    x = keras.layers.BatchNormalization(epsilon=1e-24)(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    keras.Model(inputs, keras.layers.Softmax()(x)).save(tmp_path / "vanishing.keras")
    text = run(capsys, str(tmp_path / "vanishing.keras"))
    assert re.search(r"^arena in TensorFlow Lite Micro, measured +[\d,]{4,}$", text, re.M), text


def test_a_model_that_does_not_convert_says_so(capsys, tmp_path):
    inputs = keras.Input((8, 8, 3))
    x = RNNPoolLayer(4, 4, 4, trainable_zeta_nu=True)(inputs)
    keras.Model(inputs, x).save(tmp_path / "zeta.keras")
    text = run(capsys, str(tmp_path / "zeta.keras"))
    assert re.search(r"^arena of zeta: not measured: .*trainable_zeta_nu", text, re.M)


def test_json_of_two_models(files, capsys):
    arguments = (files["base.keras"], "--compare", files["pooled.keras"], "--element-bytes", "1")
    found = json.loads(run(capsys, *arguments, "--json", "--no-arena"))
    expected = summarize_model(small_model(True), element_bytes=1)
    other = found["compared_with"]
    assert found["name"] == "base" and other["name"] == "pooled"
    assert other["paper_convention"]["bytes"] == expected.paper.bytes
    assert other["madds_executed"] == expected.count.madds_executed
    assert [layer["name"] for layer in other["layers"]] == [one.name for one in expected.layers]


class Page(HTMLParser):
    """Collects tags and what they refer to; complains about tags that are not closed."""

    def __init__(self, text: str):
        super().__init__()
        self.open, self.tags, self.links, self.text = [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src", "xlink:href")]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_page_is_whole_and_alone(files, capsys, tmp_path):
    path = tmp_path / "page.html"
    run(capsys, files["base.keras"], "--compare", files["pooled.keras"], "--no-arena",
        "--html", str(path), "--results", files["results"])  # fmt: skip
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert not page.open and not page.links and "script" not in page.tags
    assert "http" not in text and "url(" not in text
    assert page.tags.count("svg") == 3
    base, pooled = (summarize_model(small_model(pool)) for pool in (False, True))
    assert page.tags.count("rect") == len(base.blocks) + len(pooled.blocks)
    assert page.tags.count("circle") == 4
    assert f"{pooled.paper.bytes:,}" in page.text
    assert "base <1>" in page.text  # escaped
    assert [path] == list(tmp_path.iterdir())


def test_picture(files, capsys, tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "memory.png"
    run(capsys, files["base.keras"], "--compare", files["pooled.keras"], "--no-arena",
        "--plot", str(path), "--results", files["results"])  # fmt: skip
    assert path.read_bytes()[:4] == b"\x89PNG"


def test_bars_are_the_blocks():
    summary = summarize_model(small_model(True))
    (panel,) = charts.memory_panels([summary])
    assert [bar.bytes for bar in panel.bars] == [4 * block.elements for block in summary.blocks]
    assert panel.bars[panel.peak].bytes == summary.paper.bytes


@pytest.mark.parametrize(
    ("largest", "expected"),
    [(1.0, 1.0), (2.297, 2.5), (29.1, 30.0), (0.3, 0.3), (960.0, 1000.0)],
)
def test_ticks_are_round_and_reach_the_largest(largest, expected):
    values = charts.ticks(largest)
    assert values[0] == 0 and values[-1] == pytest.approx(expected)
    assert 3 <= len(values) <= 8


@pytest.mark.parametrize(("low", "high"), [(3.0, 3.0), (1.0, 10.0), (0.04, 7300.0)])
def test_logarithmic_ticks_enclose_the_values(low, high):
    values = charts.log_ticks(low, high)
    assert values[0] <= low and values[-1] >= high and values[0] < values[-1]


def test_zoo_is_listed(capsys):
    lines = run(capsys, "zoo:").splitlines()
    assert any(line.startswith("zoo:mobilenet_v2_rnnpool ") for line in lines)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nothing.keras"], "zoo:NAME"),
        (["zoo:nothing"], "`rnnpool summary zoo:` lists"),
        (["{file}", "--element-bytes", "4"], "`--element-bytes` goes with a Keras model"),
        (["{base.keras}", "--element-bytes", "0"], "must be a positive integer"),
        (["{base.keras}", "--html", "none/page.html"], "`--html` must be in an existing folder"),
        (["{base.keras}", "--results", "{results}"], "`--results` goes with"),
        (["{base.keras}", "--compare", "{results}"], "none of them or damaged"),
        (["{base.keras}", "--html", "{base.keras}"], "`--html` must be a file of its own"),
        (["{base.keras}", "--results", "{results}", "--plot", "{results}"], "`--plot` must be a"),
        (["{base.keras}", "--html", "a.out", "--plot", "./a.out"], "`--plot` must be a file of"),
        (["{base.keras}", "--html", "/dev/null"], "`--html` must be an ordinary file"),
    ],
    ids=lambda value: " ".join(value[1:2]) if isinstance(value, list) else "",
)
def test_what_the_command_refuses(files, arguments, sentence, capsys):
    given = [files.get(one.strip("{}"), one) if "{" in one else one for one in arguments]
    assert sentence in refused(capsys, *given)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "with nothing"),
        ("name,accuracy\n", "must have the columns"),
        ("name,accuracy,ram_bytes,madds\n", "a row for each model"),
        ("name,accuracy,ram_bytes,madds\na,90,many,1\n", "'many' in line 2"),
        ("name,accuracy,ram_bytes,madds\na,90,1\n", "None in line 2"),
        ("name,accuracy,ram_bytes,madds\na,90,-4,1\n", "'-4' in line 2"),
    ],
)
def test_results_that_are_none(files, text, sentence, capsys, tmp_path):
    results, page = tmp_path / "results.csv", tmp_path / "page.html"
    results.write_text(text)
    arguments = [files["base.keras"], "--html", str(page), "--results", str(results)]
    assert sentence in refused(capsys, *arguments)
    assert not page.exists()
