"""Step 2: prune the trained network, then train it with int8 in mind.

    python compress.py --dataset synthetic --run runs/rnnpool --sparsity 0.5

Writes qat.h5 into the run, and the course of both trainings into pruning/ and qat/. --sparsity 0
leaves the pruning out.
"""

from __future__ import annotations

import rnnpool_tf

rnnpool_tf.use_legacy_keras()

import common  # noqa: E402

from rnnpool_tf.datasets import normalization as normalize  # noqa: E402


def main(argv: list[str] | None = None) -> int:
    parser = common.parser(__doc__)
    parser.add_argument("--sparsity", type=float, default=0.5, help="fraction of zero weights")
    parser.add_argument("--prune-epochs", type=int, default=20)
    parser.add_argument("--qat-epochs", type=int, default=20)
    common.add_training_arguments(parser, lr=0.01, warmup_epochs=0, weight_decay=4e-5, clip_norm=5)
    arguments = parser.parse_args(argv)
    from rnnpool_tf import compression
    from rnnpool_tf.datasets.pipeline import steps_per_epoch, training_pipeline
    from rnnpool_tf.training import accuracy, is_chief, make_strategy, predict, train

    strategy = make_strategy(arguments.strategy)
    description = common.read_description(arguments.run)
    normalization = description["normalization"]
    dataset = common.load_data(arguments, description)
    options = {"strategy": strategy, "resume": arguments.resume}

    def build_pruned():
        # The zeros are chosen about a hundred times in the first two thirds of the steps; the rest
        # heals the network.
        steps = (
            steps_per_epoch(dataset.train, arguments.batch_size) * arguments.prune_epochs * 2 // 3
        )
        frequency = max(1, steps // 100)
        return compression.prune(
            common.load_float_model(arguments.run),
            arguments.sparsity,
            end_step=1 + steps // frequency * frequency,
            frequency=frequency,
        )

    def build_quantized():
        calibration = training_pipeline(
            dataset.train,
            dataset.image_size,
            arguments.batch_size,
            normalize=normalization,
            crop_area=dataset.crop_area,
            seed=arguments.seed,
        )
        qat = compression.quantize(
            model, calibration.take(8), preserve_sparsity=arguments.sparsity > 0
        )
        # The int8 input covers all pixel values, whatever the calibration images have.
        compression.set_input_range(qat, *normalize(normalization).limits(qat.input_shape[-1]))
        return qat

    model = common.load_float_model(arguments.run)
    if arguments.sparsity > 0:
        pruned, _ = train(
            build_pruned,
            dataset,
            common.recipe(arguments, arguments.prune_epochs, normalization),
            arguments.run / "pruning",
            callbacks=compression.pruning_callbacks(),
            **options,
        )
        model = compression.strip_pruning(pruned)
    qat, _ = train(
        build_quantized,
        dataset,
        common.recipe(arguments, arguments.qat_epochs, normalization),
        arguments.run / "qat",
        # The converted network has fixed batch statistics; the last epochs train with them.
        callbacks=[compression.FreezeBatchNorm(arguments.qat_epochs * 2 // 3)],
        **options,
    )
    if is_chief(strategy):
        compression.save(qat, arguments.run / common.QAT_MODEL)
        logits = predict(qat, dataset.validation, normalization)
        print(f"sparsity {compression.sparsity_report(qat).sparsity:.1%}")
        print(f"QAT validation accuracy {accuracy(logits, dataset.validation.labels):.2%}")
    return 0


if __name__ == "__main__":
    common.start(main)
