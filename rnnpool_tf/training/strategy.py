"""Which devices a training runs on: one `tf.distribute` strategy per word."""

from __future__ import annotations

import json
import os

import tensorflow as tf

STRATEGIES = ("none", "mirrored", "multi-worker")


def make_strategy(name: str = "none") -> tf.distribute.Strategy:
    """The strategy called `name`.

    * `"none"`: this process's default device.
    * `"mirrored"`: every GPU of this machine, or its CPU when there is none.
    * `"multi-worker"`: the machines listed in the environment variable `TF_CONFIG`; start the
      same program on each of them. Call this before any other TensorFlow operation.

    Raises:
        ValueError: Another word, or no usable `TF_CONFIG`.

    Example:

    >>> make_strategy("none").num_replicas_in_sync
    1
    """
    if name == "none":
        return tf.distribute.get_strategy()
    if name == "mirrored":
        return tf.distribute.MirroredStrategy()
    if name == "multi-worker":
        _check_tf_config(os.environ.get("TF_CONFIG"))
        return tf.distribute.MultiWorkerMirroredStrategy()
    raise ValueError(f"`strategy` must be one of {STRATEGIES}. Received: strategy={name!r}")


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process is the one that writes logs, histories and models."""
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.task_type:
        return True
    return resolver.task_type == "chief" or (
        resolver.task_type == "worker"
        and resolver.task_id == 0
        and not resolver.cluster_spec().as_dict().get("chief")
    )


def _check_tf_config(text: str | None) -> None:
    wanted = (
        "strategy multi-worker must find TF_CONFIG in the environment, such as "
        '\'{"cluster": {"worker": ["host1:2222", "host2:2222"]}, '
        '"task": {"type": "worker", "index": 0}}\'.'
    )
    try:
        config = json.loads(text or "")
        addresses = config["cluster"][config["task"]["type"]]
        addresses[int(config["task"]["index"])]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise ValueError(f"{wanted} Received: TF_CONFIG={text!r}") from error
