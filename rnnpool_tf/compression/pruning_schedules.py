"""When `prune()` chooses the weights that become zero, as schedules of tfmot."""

from __future__ import annotations

from collections.abc import Callable

from rnnpool_tf.compression.patterns import TWO_OF_FOUR
from rnnpool_tf.compression.pruning_targets import Target, check_fraction

SCHEDULES = ("polynomial", "constant", "iht")


def schedule_maker(
    schedule: str,
    begin_step: int,
    end_step: int | None,
    initial_sparsity: float,
    frequency: int,
) -> Callable:
    """Returns a function from a target to its tfmot schedule; arguments are those of `prune()`.

    Raises:
        ValueError: An unknown schedule, or a number out of its range.
    """
    import tensorflow_model_optimization as tfmot

    constant = tfmot.sparsity.keras.ConstantSparsity
    if schedule not in SCHEDULES:
        raise ValueError(f"`schedule` must be one of {SCHEDULES}. Received: schedule={schedule!r}")
    check_fraction("initial_sparsity", initial_sparsity)
    for name, value in (("begin_step", begin_step), ("frequency", frequency)):
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"`{name}` must be an integer of 1 or more. Received: {name}={value}")
    if schedule == "iht":
        return lambda target: constant(target.sparsity, begin_step=1, frequency=1)
    if schedule == "constant":
        return lambda target: constant(target.sparsity, begin_step=begin_step, frequency=frequency)
    if not isinstance(end_step, int) or end_step <= begin_step:
        raise ValueError(
            "`end_step` must be an integer above `begin_step` for the polynomial schedule, e.g. "
            "steps per epoch times the number of pruning epochs. Received: "
            f"end_step={end_step}, begin_step={begin_step}"
        )
    frequency = min(frequency, end_step - begin_step)
    # tfmot updates at begin + k*frequency only; unless the last of these is end_step, the final
    # sparsity is never reached.
    begin_step += (end_step - begin_step) % frequency

    def polynomial(target: Target):
        if target.pattern == TWO_OF_FOUR:
            return constant(target.sparsity, begin_step, end_step, frequency)
        return tfmot.sparsity.keras.PolynomialDecay(
            min(initial_sparsity, target.sparsity),
            target.sparsity,
            begin_step,
            end_step,
            frequency=frequency,
        )

    return polynomial
