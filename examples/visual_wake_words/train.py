"""Step 1: train the float network.

    python train.py --dataset synthetic --epochs 20 --run runs/rnnpool

Writes into the run: float.weights.h5, saved_model/, model.json (what the network is), history.csv
and history.json (one row per epoch), tensorboard/, and checkpoints/ for --resume.
"""

from __future__ import annotations

import rnnpool_tf

rnnpool_tf.use_legacy_keras()  # compress.py needs tf_keras, and both must build the same network

import common  # noqa: E402


def main(argv: list[str] | None = None) -> int:
    parser = common.parser(__doc__)
    common.add_model_arguments(parser)
    parser.add_argument("--epochs", type=int, default=100)
    common.add_training_arguments(parser, lr=0.05, warmup_epochs=2, weight_decay=2e-4, clip_norm=0)
    arguments = parser.parse_args(argv)
    from rnnpool_tf.training import accuracy, is_chief, make_strategy, predict, train

    strategy = make_strategy(arguments.strategy)
    recipe = common.recipe(arguments, arguments.epochs, arguments.normalization)
    description = common.describe(arguments)
    dataset = common.load_data(arguments, description)
    common.write_description(arguments.run, description)
    model, _ = train(
        lambda: common.build_model(description),
        dataset,
        recipe,
        arguments.run,
        strategy=strategy,
        resume=arguments.resume,
    )
    if is_chief(strategy):
        model.save_weights(arguments.run / common.FLOAT_WEIGHTS)
        model.save(arguments.run / "saved_model", include_optimizer=False)
        logits = predict(model, dataset.validation, arguments.normalization)
        print(f"float validation accuracy {accuracy(logits, dataset.validation.labels):.2%}")
    return 0


if __name__ == "__main__":
    common.start(main)
