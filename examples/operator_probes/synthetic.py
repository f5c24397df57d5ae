"""Can one RNNPool operator tell lines and shapes apart? (Appendix C.1 of the paper.)

    python synthetic.py                               # all four tasks, with a convolution before
    python synthetic.py --tasks lines-32 --without-convolution
    python synthetic.py --tasks lines-32 --plot scaling.png

Every picture goes through one RNNPool operator that sees all of it, with the hidden sizes of the
paper's Table 7, and a Dense layer. Counted is how many test pictures have every label right. The
pictures are generated; a training that was stopped goes on where it was, and finished figures are
kept beside it.

--plot draws the operator's output vectors for the test pictures of lines in two dimensions
(multi-dimensional scaling, the paper's Figure 4); for two classes also those of pictures with rows
and columns in random order, which hold the same pixels but no lines.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from recipe import ProbeRecipe

from rnnpool_tf._keras import keras
from rnnpool_tf.conversion.atomic_files import write_files
from rnnpool_tf.datasets import normalization
from rnnpool_tf.datasets.pipeline import steps_per_epoch
from rnnpool_tf.datasets.probe_pictures import (
    ProbePictures,
    line_pictures,
    many_line_pictures,
    shape_pictures,
)
from rnnpool_tf.models.probe import operator_probe
from rnnpool_tf.training.fitting import fit

STEM_FILTERS = 8
WATCHED = 500


@dataclass(frozen=True)
class Task:
    """A row of the paper's Table 7: pictures, and (h1, h2) with and without a convolution."""

    draw: object
    size: int
    one_label: bool
    with_convolution: tuple[int, int]
    without_convolution: tuple[int, int]


TASKS = {
    "lines-32": Task(line_pictures, 32, True, (4, 16), (16, 32)),
    "many-lines-32": Task(many_line_pictures, 32, False, (8, 8), (32, 32)),
    "many-lines-64": Task(many_line_pictures, 64, False, (8, 16), (32, 32)),
    "shapes-64": Task(shape_pictures, 64, False, (8, 16), (32, 32)),
}


def main(argv: list[str] | None = None) -> int:
    arguments = parser().parse_args(argv)
    results = []
    for name in arguments.tasks:
        task = TASKS[name]
        kind = "plain" if arguments.without_convolution else "convolution"
        hidden = (
            task.without_convolution if arguments.without_convolution else task.with_convolution
        )
        hidden = tuple(arguments.hidden or hidden)
        folder = arguments.output / f"{name}-{kind}-{hidden[0]}-{hidden[1]}-seed{arguments.seed}"
        results.append(result(name, hidden, arguments, folder))
    print(table(results))
    if arguments.plot:
        draw_scaling(arguments, folder, hidden)
    return 0


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--tasks", choices=list(TASKS), nargs="+", default=list(TASKS))
    made.add_argument("--without-convolution", action="store_true", help="no stem before RNNPool")
    made.add_argument("--hidden", type=int, nargs=2, metavar=("H1", "H2"), help="other sizes")
    made.add_argument("--output", type=Path, default=Path("runs/synthetic"))
    made.add_argument("--train-images", type=int, default=20_000)
    made.add_argument("--test-images", type=int, default=1_000)
    made.add_argument("--epochs", type=int, default=20)
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--plot", type=Path, help="PNG file; for the last of the tasks")
    return made


def result(name: str, hidden: tuple[int, int], arguments, folder: Path) -> dict:
    """What a network reaches: as it was measured before, or trained and measured now."""
    path = folder / "result.json"
    if not path.exists():
        measured = run(name, hidden, arguments, folder)
        write_files({path: f"{json.dumps(measured, indent=1)}\n".encode()})
    return json.loads(path.read_text())


def run(name: str, hidden: tuple[int, int], arguments, folder: Path) -> dict:
    """Trains one network and measures it on pictures that it has not seen."""
    task = TASKS[name]
    print(f"{name}, hidden {hidden}: drawing pictures", flush=True)
    seen = task.draw(arguments.train_images, task.size, seed=arguments.seed)
    test = unseen(task, arguments)
    recipe = ProbeRecipe(epochs=arguments.epochs, seed=arguments.seed)
    steps = steps_per_epoch(seen, recipe.batch_size)
    # What the training reports along the way it measures on pictures that it knows.
    watched = tf.data.Dataset.from_tensor_slices(
        (scaled(seen.images[:WATCHED]), seen.labels[:WATCHED])
    ).batch(recipe.batch_size)
    model, rows = fit(
        lambda: build(task, hidden, arguments.without_convolution),
        lambda _: {"loss": loss(task), "metrics": [all_right(task)]},
        lambda _, batch, first_epoch, shard: batches(seen, batch, arguments.seed, first_epoch),
        lambda _: watched,
        steps,
        recipe,
        folder,
        resume=True,
    )
    model.save_weights(folder / "probe.weights.h5")
    logits = model.predict(scaled(test.images), batch_size=256, verbose=0)
    right = all_right(task)(test.labels, logits).numpy()
    return {
        "task": name,
        "convolution": not arguments.without_convolution,
        "hidden": hidden,
        "right": int(right.sum()),
        "of": len(test),
        "train_images": len(seen),
        "epochs": recipe.epochs,
        "train_minutes": round(sum(row["seconds"] for row in rows) / 60, 1),
        "seed": arguments.seed,
    }


def build(task: Task, hidden: tuple[int, int], without_convolution: bool) -> keras.Model:
    classes = len(task.draw(1, task.size).classes)
    return operator_probe(
        (task.size, task.size, 1),
        classes,
        hidden1=hidden[0],
        hidden2=hidden[1],
        stem_filters=0 if without_convolution else STEM_FILTERS,
    )


def unseen(task: Task, arguments) -> ProbePictures:
    return task.draw(
        arguments.test_images, task.size, seed=arguments.seed, first=arguments.train_images
    )


def batches(pictures: ProbePictures, size: int, seed: int, first_epoch: int) -> tf.data.Dataset:
    """Endless shuffled batches; epoch e depends on (seed, e) alone."""

    def generate():
        epoch = first_epoch
        while True:
            order = np.random.default_rng((seed, epoch)).permutation(len(pictures))
            for start in range(0, len(order) - size + 1, size):
                rows = order[start : start + size]
                yield scaled(pictures.images[rows]), pictures.labels[rows]
            epoch += 1

    signature = (
        tf.TensorSpec((size, *pictures.images.shape[1:]), tf.float32),
        tf.TensorSpec((size, pictures.labels.shape[1]), tf.float32),
    )
    return tf.data.Dataset.from_generator(generate, output_signature=signature).prefetch(2)


def scaled(images: np.ndarray) -> np.ndarray:
    return normalization("symmetric")(images)


def loss(task: Task) -> keras.losses.Loss:
    if task.one_label:
        return keras.losses.CategoricalCrossentropy(from_logits=True)
    return keras.losses.BinaryCrossentropy(from_logits=True)


def all_right(task: Task):
    """A metric: 1 for a picture whose every label is right, else 0."""

    def correct(labels, logits):
        if task.one_label:
            return tf.cast(tf.equal(tf.argmax(labels, -1), tf.argmax(logits, -1)), tf.float32)
        right = tf.equal(tf.greater(labels, 0.5), tf.greater(logits, 0.0))
        return tf.cast(tf.reduce_all(right, axis=-1), tf.float32)

    return correct


def table(results: list[dict]) -> str:
    lines = [
        "| task | before RNNPool | h1, h2 | all labels right | minutes |",
        "|---|---|---|---|---|",
    ]
    for row in results:
        stem = f"{STEM_FILTERS} filters" if row["convolution"] else "nothing"
        h1, h2 = row["hidden"]
        share = row["right"] / row["of"]
        lines.append(
            f"| {row['task']} | {stem} | {h1}, {h2} | {row['right']:,} of {row['of']:,} "
            f"({share:.1%}) | {row['train_minutes']:g} |"
        )
    return "\n".join(lines)


def draw_scaling(arguments, folder: Path, hidden: tuple[int, int]) -> None:
    """The picture of the last task's operator outputs."""
    from figures import plot_scaling

    task = TASKS[arguments.tasks[-1]]
    if not task.one_label:
        raise ValueError(f"`--plot` is for lines-32. Received: {arguments.tasks[-1]}")
    model = build(task, hidden, arguments.without_convolution)
    model.load_weights(folder / "probe.weights.h5")
    vectors = keras.Model(model.input, model.get_layer("flatten").output)
    test = unseen(task, arguments)
    chosen = np.arange(min(500, len(test)))
    labels = np.argmax(test.labels[chosen], axis=1)
    images = test.images[chosen]
    mixed, rng = {}, np.random.default_rng(arguments.seed)
    for name in ("80°", "100°"):
        of_class = images[labels == test.classes.index(name)]
        mixed[name] = np.stack([permuted(image, rng) for image in of_class])
    plot_scaling(
        vectors.predict(scaled(images), verbose=0),
        labels,
        test.classes,
        {name: vectors.predict(scaled(rows), verbose=0) for name, rows in mixed.items()},
        arguments.plot,
    )


def permuted(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return image[rng.permutation(len(image))][:, rng.permutation(image.shape[1])]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ValueError, OSError, RuntimeError) as error:
        sys.exit(f"error: {error}")
