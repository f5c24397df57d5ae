"""Step 2: prune RNNPool as the paper's M4 detector, then train with int8 in mind.

    python compress.py --dataset scut_head_b.zip --run runs/face_m4 --sparse

Writes qat.h5 into the run, and the course of both trainings into pruning/ and qat/. Without
--sparse nothing is pruned. --sparse keeps half of RNN1's input matrix and three tenths of the other
three matrices, chosen anew after every step (Saha et al., 2020, §5.2).
"""

from __future__ import annotations

import rnnpool_tf

rnnpool_tf.use_legacy_keras()

import common  # noqa: E402


def main(argv: list[str] | None = None) -> int:
    parser = common.parser(__doc__)
    parser.add_argument("--sparse", action="store_true", help="prune RNNPool's matrices")
    parser.add_argument("--prune-epochs", type=int, default=5)
    parser.add_argument("--qat-epochs", type=int, default=5)
    common.add_training_arguments(parser, lr=0.005, warmup=0)
    arguments = parser.parse_args(argv)
    from rnnpool_tf import compression
    from rnnpool_tf.datasets import normalization
    from rnnpool_tf.datasets.box_pipeline import fitted_images
    from rnnpool_tf.models import detection_levels, join_levels
    from rnnpool_tf.training import is_chief, make_strategy
    from rnnpool_tf.training.detection import train_detector

    strategy = make_strategy(arguments.strategy)
    description = common.read_description(arguments.run)
    dataset = common.load_data(arguments)
    levels, augment, fit = common.geometry(description)

    def train(build, epochs, folder, callbacks=()):
        return train_detector(
            build,
            dataset,
            levels,
            augment,
            fit,
            common.recipe(arguments, epochs),
            arguments.run / folder,
            strategy=strategy,
            resume=arguments.resume,
            callbacks=callbacks,
        )[0]

    def build_pruned():
        model = common.load_float_model(arguments.run)
        return compression.prune(model, 0.0, schedule="iht", rnnpool_sparsity="paper")

    def build_quantized():
        # Quantised are the maps of each level, as they will be converted; what joins them for the
        # loss is no part of the network.
        qat = compression.quantize(
            detection_levels(model),
            fitted_images(dataset.train, fit, arguments.batch_size).take(8),
            preserve_sparsity=arguments.sparse,
        )
        # The int8 input covers all pixel values, whatever the calibration images have.
        limits = normalization("faces").limits(qat.input_shape[-1])
        compression.set_input_range(qat, *limits)
        quantized.append(qat)
        return join_levels(qat)

    quantized = []
    model = common.load_float_model(arguments.run)
    if arguments.sparse:
        callbacks = compression.pruning_callbacks()
        pruned = train(build_pruned, arguments.prune_epochs, "pruning", callbacks)
        model = compression.strip_pruning(pruned)
    train(build_quantized, arguments.qat_epochs, "qat")
    if is_chief(strategy):
        compression.save(quantized[0], arguments.run / common.QAT_MODEL)
        print(f"sparsity {compression.sparsity_report(quantized[0]).sparsity:.1%}")
    return 0


if __name__ == "__main__":
    common.start(main)
