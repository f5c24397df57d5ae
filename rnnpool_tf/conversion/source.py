"""What to convert: Keras models and files of all kinds, as one traced TensorFlow function.

Everything becomes a concrete function with a fixed batch size. In its graph the calls of RNNPool
layers can still be seen (functions that carry `experimental_implements`), so this is where we
learn which operators the finished file must have.
"""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import tensorflow as tf

from rnnpool_tf._keras import is_legacy_keras, keras
from rnnpool_tf.conversion.keras_file import keras_of_file
from rnnpool_tf.conversion.rnnpool_op import OP_NAME, RNNPoolShape
from rnnpool_tf.gates import SMOOTH
from rnnpool_tf.geometry import Geometry

_SERVING = "serving_default"


@dataclass(frozen=True)
class Source:
    """A model, traced.

    Attributes:
        name: For messages.
        function: Concrete function with named tensors as arguments.
        pools: One entry per call of an RNNPool layer, in order: its layer and its shape.
        is_quantized: Whether it contains fake quantisation.
        scales: For each matrix of RNNPoolLayer, its int8 scales in the model's layers, where the
            model is there to ask.
        owner: What owns the function's variables and must live as long.
    """

    name: str
    function: object
    pools: list[tuple[str, RNNPoolShape]]
    is_quantized: bool
    scales: dict[str, list[float]] = field(default_factory=dict)
    owner: object = None

    @property
    def inputs(self) -> list[tf.TensorSpec]:
        """Its inputs, with name, shape and type."""
        return list(self.function.structured_input_signature[0])


def open_source(model, batch_size: int | None) -> Source:
    """Traces a model.

    Args:
        model: Keras model of this process's Keras, or the path of a SavedModel folder, a .keras
            or a .h5 file.
        batch_size: Batch size of the trace; None leaves it open.

    Raises:
        ValueError: Not such a model, or one that another Keras wrote. FileNotFoundError: nothing
            at this path.
    """
    if isinstance(model, (str, os.PathLike)):
        path = Path(model)
        if not path.exists():
            raise FileNotFoundError(f"there is no model to convert. Received: '{path}'")
        if path.is_dir():
            return _from_saved_model(path, str(path), batch_size)
        model = load_keras(path)
    if not isinstance(model, keras.Model):
        raise ValueError(_not_a_model(model))
    return _from_keras(model, batch_size)


@contextlib.contextmanager
def exported(source: Source) -> Iterator[str]:
    """Yields the path of a temporary SavedModel with the source's function as its signature."""
    module = tf.Module()
    module.tracked = list(source.function.variables)
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures={_SERVING: source.function})
        yield folder


def load_keras(path: Path):
    """The Keras model in a .keras or .h5 file, quantisation-aware or not; ValueError if none is."""
    written_by, running = keras_of_file(path), 2 if is_legacy_keras() else 3
    if written_by is not None and written_by != running:
        setting = "TF_USE_LEGACY_KERAS=1" if running == 3 else "TF_USE_LEGACY_KERAS=0"
        raise ValueError(
            f"the model was saved by Keras {written_by} and this process runs Keras {running}: set "
            f"{setting} in the environment before TensorFlow is imported. Received: '{path}'"
        )
    if is_legacy_keras() and path.suffix != ".keras":
        from rnnpool_tf.compression import quantize_scope

        scope = quantize_scope()
    else:
        scope = contextlib.nullcontext()
    from rnnpool_tf import layers  # noqa: F401 - registers RNNPoolLayer with Keras

    try:
        with scope:
            return keras.models.load_model(path, compile=False)
    except Exception as error:  # Keras fails in many ways on a damaged or foreign file
        raise ValueError(
            "the model cannot be loaded. One with Lambda or layers of your own is to be loaded in "
            "Python and given to `rnnpool_tf.convert` or `rnnpool_tf.analysis.summarize_model`; a "
            "quantisation-aware one must be saved by `rnnpool_tf.compression.save` as .h5 or "
            f"SavedModel. Received: '{path}' "
            f"({type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''})"
        ) from error


def _not_a_model(model) -> str:
    kind = f"{type(model).__module__}.{type(model).__qualname__}"
    if kind.startswith("keras."):
        return (
            "`model` must be a model of this process's Keras, which is tf_keras because of "
            f"TF_USE_LEGACY_KERAS=1. Received: the Keras 3 object {kind}"
        )
    if kind.startswith("tf_keras."):
        return (
            "`model` must be a model of this process's Keras, which is Keras 3: set "
            "TF_USE_LEGACY_KERAS=1 before TensorFlow is imported. "
            f"Received: the tf_keras object {kind}"
        )
    return f"`model` must be a Keras model or the path of one. Received: {kind}"


def _from_keras(model, batch_size: int | None) -> Source:
    structure = _input_structure(model)
    if structure is None:  # a subclassed Keras 3 model knows its inputs inside export() only
        with tempfile.TemporaryDirectory() as folder:
            with contextlib.redirect_stdout(io.StringIO()):
                model.export(folder)
            return _from_saved_model(Path(folder), model.name, batch_size)
    leaves = tf.nest.flatten(structure)
    names = [_argument_name(leaf, index) for index, leaf in enumerate(leaves)]

    def call(*arguments):
        return model(tf.nest.pack_sequence_as(structure, arguments), training=False)

    source = _trace(call, leaves, names, model.name, batch_size)
    return replace(source, scales=_scales(model), owner=model)


def _input_structure(model):
    """The model's inputs in the structure it is called with; None if only export() knows them."""
    if not model.built:
        raise ValueError(
            "`model` must be built: call it once, or give it an input shape. "
            f"Received: the unbuilt model '{model.name}'"
        )
    if isinstance(model, keras.Sequential):
        return model.inputs[0]
    if getattr(model, "_is_graph_network", False) or hasattr(model, "_inputs_struct"):
        return model.input
    return model.save_spec()[0][0] if is_legacy_keras() else None


def _argument_name(leaf, index: int) -> str:
    name = getattr(leaf, "name", None) or f"input_{index}"
    return name.split(":")[0].replace("/", "_")


def _from_saved_model(path: Path, name: str, batch_size: int | None) -> Source:
    try:
        loaded = tf.saved_model.load(str(path))
    except Exception as error:  # from missing files to undecodable protocol buffers
        raise ValueError(
            f"the folder must hold a SavedModel. Received: '{path}' ({type(error).__name__})"
        ) from error
    if _SERVING not in loaded.signatures:
        raise ValueError(
            f"the SavedModel must have the signature '{_SERVING}'. "
            f"Received: '{path}' with {sorted(loaded.signatures)}"
        )
    signature = loaded.signatures[_SERVING]
    specs = signature.structured_input_signature[1]

    def call(*arguments):
        return signature(**dict(zip(specs, arguments, strict=True)))

    source = _trace(call, list(specs.values()), list(specs), name, batch_size)
    return replace(source, owner=loaded)


def _trace(call: Callable, leaves, names, name: str, batch_size: int | None) -> Source:
    specs = []
    for leaf, argument in zip(leaves, names, strict=True):
        shape = tuple(leaf.shape)
        specs.append(tf.TensorSpec((batch_size, *shape[1:]), leaf.dtype, name=argument))
    function = tf.function(call, input_signature=specs, autograph=False).get_concrete_function()
    graph = function.graph.as_graph_def()
    functions = {entry.signature.name: entry for entry in graph.library.function}
    pools = list(_pool_calls(graph.node, functions))
    nodes = [*graph.node, *(node for entry in functions.values() for node in entry.node_def)]
    is_quantized = any(node.op.startswith("FakeQuant") for node in nodes)
    return Source(name, function, pools, is_quantized)


def _pool_calls(nodes, functions) -> Iterator[tuple[str, RNNPoolShape]]:
    """Finds calls of annotated functions, through any depth of function calls."""
    for node in nodes:
        for attribute in node.attr.values():
            called = functions.get(attribute.func.name)
            if called is None:
                continue
            implements = called.attr["_implements"].func
            if implements.name == OP_NAME:
                layer = _layer_of(node.name)
                _require_float32(layer, called.signature.input_arg[0].type)
                yield layer, _shape_of(called, implements.attr)
            else:
                yield from _pool_calls(called.node_def, functions)


def _layer_of(node_name: str) -> str:
    # "model/pool/PartitionedCall": the layer is the scope around the call.
    path = node_name.split("/")
    return path[-2] if len(path) > 1 else path[-1]


def _require_float32(layer: str, data_type: int) -> None:
    dtype = tf.as_dtype(data_type)
    if dtype != tf.float32:
        raise ValueError(
            "an RNNPool layer must compute in float32 to be converted: build the model again "
            "without mixed precision and copy the weights. "
            f"Received: '{layer}', which computes in {dtype.name}"
        )


def _shape_of(called, options) -> RNNPoolShape:
    geometry = Geometry(
        (options["pool_height"].i, options["pool_width"].i),
        (options["stride_height"].i, options["stride_width"].i),
        options["padding"].s.decode(),
    )
    arguments = [
        [dim.size for dim in called.arg_attr[index].attr["_output_shapes"].list.shape[0].dim]
        for index in range(len(called.signature.input_arg))
    ]
    return RNNPoolShape(
        geometry,
        arguments[1][1],
        arguments[1][0],
        arguments[5][0],
        len(arguments) == 10,
        options["gates"].s.decode() if "gates" in options else SMOOTH,
    )


def _scales(model) -> dict[str, list[float]]:
    from rnnpool_tf.compression import is_quantized, weight_scales

    if not is_quantized(model):
        return {}
    try:
        layers = weight_scales(model)
    except ValueError:  # a matrix of zeros has no scale; the others show theirs by their values
        return {}
    scales: dict[str, list[float]] = {}
    for matrices in layers.values():
        for attribute, scale in matrices.items():
            scales.setdefault(attribute, []).append(float(scale))
    return scales
