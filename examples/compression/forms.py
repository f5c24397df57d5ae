"""Trains the forms of a network that the study compares; what is there already is not redone.

| form | made of | by |
|---|---|---|
| float | fresh weights | training |
| qat | float | quantisation-aware training |
| pruned | float | training while half of the weights become zero |
| pruned_qat | pruned | quantisation-aware training that keeps the zeros |
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from experiments import Experiment

from rnnpool_tf import compression
from rnnpool_tf.datasets import ImageDataset, normalization
from rnnpool_tf.datasets.pipeline import steps_per_epoch, training_pipeline
from rnnpool_tf.training import train

FORMS = ("float", "qat", "pruned", "pruned_qat")
NORMALIZATION = "symmetric"
CALIBRATION_BATCHES = 8


class Trainer:
    """The forms of one experiment with one seed, in `folder`.

    Args:
        experiment: Network and recipes.
        dataset: Its pictures.
        folder: Gets `form.h5` and, in folders of their own, histories and checkpoints.
        seed: Of everything random.
        gates: Of the RNNPool layer.
    """

    def __init__(
        self, experiment: Experiment, dataset: ImageDataset, folder: Path, seed: int, gates: str
    ):
        self.experiment = experiment
        self.dataset = dataset
        self.folder = folder
        self.seed = seed
        self.gates = gates

    def model(self, form: str):
        """The trained model of a form: loaded, or trained, or trained on from a checkpoint."""
        path = self.folder / f"{form}.h5"
        if not path.exists():
            print(f"== {path}", flush=True)
            compression.save(getattr(self, f"_train_{form}")(), path)
        return compression.load(path, compile=False)

    def calibration(self):
        """Training batches, augmented, to find the ranges of activations with."""
        return self._batches(self.experiment.fine_tuning.batch_size).take(CALIBRATION_BATCHES)

    def _train_float(self):
        return self._train(
            "float", lambda: self.experiment.build(self.gates), self.experiment.training
        )

    def _train_qat(self):
        model = self.model("float")
        return self._fine_tune("qat", lambda: self._quantized(model, preserve_sparsity=False))

    def _train_pruned(self):
        model, recipe = self.model("float"), self.experiment.pruning
        # Weights are chosen about a hundred times in the first two thirds; the rest heals.
        steps = steps_per_epoch(self.dataset.train, recipe.batch_size) * recipe.epochs * 2 // 3
        frequency = max(1, steps // 100)

        def build():
            return compression.prune(
                model,
                self.experiment.sparsity,
                end_step=1 + steps // frequency * frequency,
                frequency=frequency,
            )

        pruned = self._train("pruned", build, recipe, compression.pruning_callbacks())
        return compression.strip_pruning(pruned)

    def _train_pruned_qat(self):
        model = self.model("pruned")
        return self._fine_tune("pruned_qat", lambda: self._quantized(model, preserve_sparsity=True))

    def _quantized(self, model, preserve_sparsity: bool):
        qat = compression.quantize(model, self.calibration(), preserve_sparsity=preserve_sparsity)
        channels = self.dataset.channels
        compression.set_input_range(qat, *normalization(NORMALIZATION).limits(channels))
        return qat

    def _fine_tune(self, form: str, build):
        epoch = self.experiment.frozen_from
        frozen = [] if epoch is None else [compression.FreezeBatchNorm(epoch)]
        return self._train(form, build, self.experiment.fine_tuning, frozen)

    def _train(self, form: str, build, recipe, callbacks=()):
        model, _ = train(
            build,
            self.dataset,
            replace(recipe, seed=self.seed, normalization=NORMALIZATION),
            self.folder / form,
            resume=True,
            callbacks=callbacks,
        )
        return model

    def _batches(self, batch_size: int):
        return training_pipeline(
            self.dataset.train,
            self.dataset.image_size,
            batch_size,
            normalize=NORMALIZATION,
            crop_area=self.dataset.crop_area,
            seed=self.seed,
            num_classes=len(self.dataset.classes),
        )
