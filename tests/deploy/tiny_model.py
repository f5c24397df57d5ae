"""A small int8 classifier with an RNNPool operator, written with the flatbuffer schema."""

from __future__ import annotations

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import flexbuffers

from rnnpool_tf.gates import SMOOTH

SIZE = 24
HIDDEN = 4


class _Graph:
    def __init__(self):
        self.buffers = [schema.BufferT()]
        self.tensors, self.operators, self.codes = [], [], []

    def tensor(self, name, shape, kind, scale=None, zero_point=0, data=None, dimension=0):
        quantization = None
        if scale is not None:
            quantization = schema.QuantizationParametersT()
            quantization.scale = np.atleast_1d(scale).astype(np.float32)
            quantization.zeroPoint = np.full(np.size(scale), zero_point, np.int64)
            quantization.quantizedDimension = dimension
        buffer = 0
        if data is not None:
            buffer = len(self.buffers)
            self.buffers.append(schema.BufferT())
            self.buffers[-1].data = np.frombuffer(data.tobytes(), np.uint8)
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type = name, list(shape), kind
        tensor.buffer, tensor.quantization = buffer, quantization
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def operator(self, builtin, inputs, outputs, options=None, options_type=0, custom=None):
        code = schema.OperatorCodeT()
        code.builtinCode = builtin
        code.deprecatedBuiltinCode = min(builtin, 127)
        code.customCode, code.version = custom and custom[0], 1
        self.codes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self.codes) - 1
        operator.inputs, operator.outputs = inputs, outputs
        operator.builtinOptions, operator.builtinOptionsType = options, options_type
        if custom:
            operator.customOptions = np.frombuffer(bytes(custom[1]), np.uint8)
        self.operators.append(operator)

    def pack(self, inputs, outputs):
        graph = schema.SubGraphT()
        graph.tensors, graph.operators = self.tensors, self.operators
        graph.inputs, graph.outputs = inputs, outputs
        model = schema.ModelT()
        model.version, model.subgraphs = 3, [graph]
        model.operatorCodes, model.buffers = self.codes, self.buffers
        builder = flatbuffers.Builder(1 << 16)
        builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())


def tiny_model(
    *,
    channels: int = 3,
    size: int = SIZE,
    labels: int = 2,
    custom: str = "RNNPool",
    quantized: bool = True,
    stem: bool = False,
    block: int = 0,
    gates: str = SMOOTH,
    detector: bool = False,
    seed: int = 7,
) -> bytes:
    """image -> RNNPool 8x8 stride 8 -> RESHAPE -> FULLY_CONNECTED -> scores.

    With a stem, a convolution 3x3 comes before RNNPool; `block` is the number of inverted residuals
    of stride 1 after it. A detector ends in loc and conf of four levels, as the QVGA networks do.
    """
    rng = np.random.default_rng(seed)
    kinds, graph = schema.TensorType, _Graph()
    real = kinds.INT8 if quantized else kinds.FLOAT32

    def activation(name, shape, scale, zero_point=0):
        quantization = (scale, zero_point) if quantized else ()
        return graph.tensor(name, shape, real, *quantization)

    def weight(name, shape, scale):
        values = rng.integers(-127, 128, shape)
        if quantized:
            return graph.tensor(name, shape, real, scale, 0, values.astype(np.int8))
        return graph.tensor(name, shape, real, data=(values * scale).astype(np.float32))

    def bias(name, shape, scale):
        values = rng.uniform(-1, 1, shape)
        if quantized:
            whole = np.round(values / scale).astype(np.int32)
            return graph.tensor(name, shape, kinds.INT32, scale, 0, whole)
        return graph.tensor(name, shape, real, data=values.astype(np.float32))

    def convolution(name, x, shape, outputs, kernel=3, depthwise=False, stride=1, linear=None):
        """Padding SAME, ReLU6 unless `linear`, its output's scale, is given; returns the output."""
        filters = [1, kernel, kernel, outputs] if depthwise else [outputs, kernel, kernel, shape[3]]
        scales = rng.uniform(0.002, 0.004, outputs)
        scale = graph.tensors[x].quantization.scale[0]
        constants = [
            graph.tensor(
                f"{name}_weights", filters, kinds.INT8, scales, 0,
                rng.integers(-127, 128, filters).astype(np.int8), 3 if depthwise else 0,
            ),
            graph.tensor(
                f"{name}_bias", [outputs], kinds.INT32, scales * scale, 0,
                np.round(rng.uniform(0, 1, outputs) / (scales * scale)).astype(np.int32),
            ),
        ]  # fmt: skip
        kind = "DepthwiseConv2DOptions" if depthwise else "Conv2DOptions"
        options = getattr(schema, f"{kind}T")()
        options.padding, options.strideH, options.strideW = schema.Padding.SAME, stride, stride
        options.dilationHFactor = options.dilationWFactor = options.depthMultiplier = 1
        if linear is None:
            options.fusedActivationFunction = schema.ActivationFunctionType.RELU6
        builtin = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"
        size = [shape[0], -(-shape[1] // stride), -(-shape[2] // stride), outputs]
        output = activation(name, size, *((6 / 255, -128) if linear is None else (linear, 3)))
        graph.operator(
            getattr(schema.BuiltinOperator, builtin), [x, *constants], [output], options,
            getattr(schema.BuiltinOptions, kind),
        )  # fmt: skip
        return output

    image = activation("image", [1, size, size, channels], 1 / 128)
    pooled_from, features_in = image, channels
    if stem:
        pooled_from = convolution("stem", image, [1, size, size, channels], 5)
        features_in = 5
    pooled_side = size // 8
    pooled = activation("pooled", [1, pooled_side, pooled_side, 4 * HIDDEN], 1 / 128)
    cells = []
    for cell, inputs in ((1, features_in), (2, HIDDEN)):
        cells += [
            weight(f"kernel{cell}", [HIDDEN, inputs], 0.01),
            weight(f"recurrent_kernel{cell}", [HIDDEN, HIDDEN], 0.01),
            bias(f"bias_gate{cell}", [HIDDEN], 2.0**-26),
            bias(f"bias_update{cell}", [HIDDEN], 2.0**-26),
        ]
    options = {
        "pool_height": 8, "pool_width": 8, "stride_height": 8, "stride_width": 8,
        "padding": "valid", "version": 1,
    }  # fmt: skip
    if gates != SMOOTH:
        options |= {"version": 2, "gates": gates}
    graph.operator(
        schema.BuiltinOperator.CUSTOM,
        [pooled_from, *cells],
        [pooled],
        custom=(custom, flexbuffers.Dumps(options)),
    )

    features_from, features = pooled, pooled_side**2 * 4 * HIDDEN
    shape, wide = ([1, pooled_side, pooled_side, size] for size in (4 * HIDDEN, 24))
    for number in range(block):
        expanded = convolution(f"expand{number}", features_from, shape, 24, kernel=1)
        filtered = convolution(f"depthwise{number}", expanded, wide, 24, depthwise=True)
        features_from = convolution(f"project{number}", filtered, wide, 4 * HIDDEN, kernel=1)
    if detector:
        x, shape = features_from, [1, pooled_side, pooled_side, 4 * HIDDEN]
        outputs = []
        for level in range(4):
            if level == 2:
                x = convolution("down", x, shape, 4 * HIDDEN, stride=2)
                shape = [1, -(-pooled_side // 2), -(-pooled_side // 2), 4 * HIDDEN]
            for name, values, scale in (("loc", 4, 0.03), ("conf", 2, 0.05)):
                # Levels differ in their scales.
                scale *= 1 + level / 8
                outputs.append(convolution(f"{name}{level}", x, shape, values, linear=scale))
        return graph.pack([image], outputs)
    flat = activation("flat", [1, features], 1 / 128)
    new_shape = graph.tensor("shape", [2], kinds.INT32, data=np.array([1, features], np.int32))
    reshape = schema.ReshapeOptionsT()
    reshape.newShape = [1, features]
    graph.operator(
        schema.BuiltinOperator.RESHAPE, [features_from, new_shape], [flat], reshape,
        schema.BuiltinOptions.ReshapeOptions,
    )  # fmt: skip

    scores = activation("scores", [1, labels], 0.05, 3)
    graph.operator(
        schema.BuiltinOperator.FULLY_CONNECTED,
        [flat, weight("dense", [labels, features], 0.01), bias("dense_bias", [labels], 0.01 / 128)],
        [scores],
        schema.FullyConnectedOptionsT(),
        schema.BuiltinOptions.FullyConnectedOptions,
    )
    return graph.pack([image], [scores])
