"""Step 1: train the float detector.

    python train.py --dataset scut_head_b.zip --epochs 30 --run runs/face_m4

Writes into the run: float.weights.h5 (the epoch with the lowest validation loss), model.json (what
the network is), history.csv and history.json (one row per epoch), tensorboard/ with the losses and
some validation pictures with what the network finds, and checkpoints/ for --resume.
"""

from __future__ import annotations

import rnnpool_tf

rnnpool_tf.use_legacy_keras()  # compress.py needs tf_keras, and both must build the same network

import common  # noqa: E402


def main(argv: list[str] | None = None) -> int:
    parser = common.parser(__doc__)
    parser.add_argument("--network", choices=common.NETWORKS, default="face_m4")
    parser.add_argument("--pooling", choices=common.POOLINGS, default="rnnpool")
    parser.add_argument(
        "--image-size",
        type=int,
        nargs=2,
        metavar=("HEIGHT", "WIDTH"),
        help="of training pictures and of the converted network (default: 240 320 for the QVGA "
        "networks, 640 640 for the others)",
    )
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--weights", help="begin with these weights (.h5) of the same network")
    common.add_training_arguments(parser, lr=0.02, warmup=1)
    arguments = parser.parse_args(argv)
    from rnnpool_tf.training import is_chief, make_strategy
    from rnnpool_tf.training.box_pictures import BoxPictures
    from rnnpool_tf.training.detection import train_detector

    strategy = make_strategy(arguments.strategy)
    qvga = arguments.network in common.QVGA_NETWORKS
    description = {
        "network": arguments.network,
        "pooling": arguments.pooling,
        "image_size": arguments.image_size or ([240, 320] if qvga else [640, 640]),
    }
    dataset = common.load_data(arguments)
    common.write_description(arguments.run, description)

    def build():
        model = common.build_model(description)
        if arguments.weights is not None:
            model.load_weights(arguments.weights)
        return model

    levels, augment, fit = common.geometry(description)
    pictures = BoxPictures(arguments.run / "tensorboard", dataset.validation[:4])
    model, _ = train_detector(
        build,
        dataset,
        levels,
        augment,
        fit,
        common.recipe(arguments, arguments.epochs),
        arguments.run,
        strategy=strategy,
        resume=arguments.resume,
        callbacks=[pictures] if is_chief(strategy) else [],
    )
    if is_chief(strategy):
        model.save_weights(arguments.run / common.FLOAT_WEIGHTS)
    return 0


if __name__ == "__main__":
    common.start(main)
