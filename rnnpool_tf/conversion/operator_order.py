"""The execution order of the operators that keeps the fewest bytes alive at once.

TensorFlow's converter orders operators by the graph it was given, where branches that end in
outputs (detection heads, say) tend to come last: every map they read stays alive until then. An
interpreter runs whatever order the file has, as long as nothing is read before it is written; so
the order is free memory.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

from rnnpool_tf.conversion.buffers import InPlaceRule
from rnnpool_tf.conversion.flatbuffer import Graph, input_indices, schema
from rnnpool_tf.conversion.in_place import in_place_offset
from rnnpool_tf.conversion.scratch import UnknownScratchError, scratch_bytes

# Sets of operators that the search visits at most; if that is too few the order stays. Detectors
# with six levels need some hundred.
_LARGEST_SEARCH = 30_000
# What they do is more than writing their outputs, so their order is part of their meaning.
_STATEFUL = ("ASSIGN_VARIABLE", "CALL_ONCE", "IF", "READ_VARIABLE", "VAR_HANDLE", "WHILE")


@dataclass(frozen=True)
class OrderReport:
    """What reordering did.

    Attributes:
        before: Largest number of bytes alive during any operator, in the order that was found.
        after: The same now.
        moved: Whether the order is another.
    """

    before: int
    after: int
    moved: bool


def reorder(graph: Graph, in_place: InPlaceRule = in_place_offset) -> OrderReport:
    """Puts the operators of `graph` into the order with the smallest peak of live bytes.

    The search is exact: each set of operators done is visited by its best way. Among orders of
    equal peak it prefers those that keep less alive on the way. Scratch memory counts while its
    operator runs, constants do not count.

    Args:
        graph: Changed in place.
        in_place: Where outputs may overlap their first input, if nobody reads that afterwards.

    Returns:
        The peaks. A model with stateful operators, or with too many branches to search, keeps its
        order.

    Example:

    >>> graph = Graph.from_bytes(Path("face.tflite").read_bytes())
    >>> reorder(graph)
    OrderReport(before=345600, after=307200, moved=True)
    """
    search = _Search(graph, in_place)
    found = search.cost(range(len(graph.operators)))
    best = None if _is_stateful(graph) else search.best_order()
    if best is None or search.cost(best) >= found:
        return OrderReport(found[0], found[0], False)
    graph.subgraph.operators = [graph.operators[index] for index in best]
    return OrderReport(found[0], search.cost(best)[0], True)


def _is_stateful(graph: Graph) -> bool:
    names = {graph.name_of(operator) for operator in graph.operators}
    return bool(names.intersection(_STATEFUL)) or any(t.isVariable for t in graph.tensors)


class _Search:
    """Costs of orders; a set of operators is a bit mask of their positions in the file."""

    def __init__(self, graph: Graph, in_place: InPlaceRule):
        self.graph = graph
        producer = {
            int(output): index
            for index, operator in enumerate(graph.operators)
            for output in operator.outputs
        }
        self.reads: list[list[int]] = []
        self.writes: list[list[int]] = []
        self.needs: list[int] = []  # masks of the operators whose outputs an operator reads
        self.readers: dict[int, int] = {}  # tensor: mask of its readers
        for index, operator in enumerate(graph.operators):
            inputs = dict.fromkeys(input_indices(operator))
            computed = [t for t in inputs if t in producer or t in graph.inputs]
            self.reads.append(computed)
            self.writes.append([int(output) for output in operator.outputs])
            self.needs.append(_mask(producer[t] for t in computed if t in producer))
            for tensor in computed:
                self.readers[tensor] = self.readers.get(tensor, 0) | 1 << index
        self.bytes = {t: self._bytes(t) for t in {*producer, *graph.inputs}}
        self.kept = set(graph.outputs)
        self.scratch = [_scratch(graph, operator) for operator in graph.operators]
        offsets = [in_place(graph, operator) for operator in graph.operators]
        self.shared = [self._shared(index, offset) for index, offset in enumerate(offsets)]
        # Inputs that nobody reads are gone when the first operator runs.
        self.start = sum(self.bytes[t] for t in graph.inputs if t in self.readers or t in self.kept)

    def step(self, done: int, live: int, index: int) -> tuple[int, int]:
        """Bytes in use while an operator runs, and those alive after it."""
        live += sum(self.bytes[tensor] for tensor in self.writes[index])
        use = live + self.scratch[index]
        done |= 1 << index
        if self.shared[index] and self._is_free(int(self.reads[index][0]), done):
            use -= self.shared[index]
        for tensor in (*self.reads[index], *self.writes[index]):
            if self._is_free(tensor, done):
                live -= self.bytes[tensor]
        return use, live

    def cost(self, order) -> tuple[int, int]:
        """Peak and sum of the bytes in use, of a whole order."""
        done, live, peak, total = 0, self.start, 0, 0
        for index in order:
            use, live = self.step(done, live, index)
            done, peak, total = done | 1 << index, max(peak, use), total + use
        return peak, total

    def best_order(self) -> list[int] | None:
        """Dijkstra's algorithm with the peak in the role of the distance; None: too many states."""
        everything = (1 << len(self.needs)) - 1
        least = max((self._least(index) for index in range(len(self.needs))), default=0)
        queue = [(least, 0, 0, self.start)]  # peak, sum, done, live
        known = {0: (least, 0)}
        last: dict[int, int] = {}
        visits = 0
        while queue and visits < _LARGEST_SEARCH:
            visits += 1
            peak, total, done, live = heapq.heappop(queue)
            if done == everything:
                return self._way(last, done)
            if known[done] < (peak, total):
                continue
            for index, use, after in self._next_steps(peak, done, live):
                state, cost = done | 1 << index, (max(peak, use), total + use)
                if state not in known or cost < known[state]:
                    known[state], last[state] = cost, index
                    heapq.heappush(queue, (*cost, state, after))
        return None

    def _least(self, index: int) -> int:
        """What an operator has in use in any order, even with nothing else alive."""
        tensors = (*self.reads[index], *self.writes[index])
        return sum(self.bytes[t] for t in tensors) + self.scratch[index] - self.shared[index]

    def _next_steps(self, peak: int, done: int, live: int) -> list[tuple[int, int, int]]:
        """The operators worth trying next, with what `step` says of them."""
        steps = []
        for index, needs in enumerate(self.needs):
            if done >> index & 1 or needs & ~done:
                continue
            use, after = self.step(done, live, index)
            if use <= peak and after <= live:
                # Free of charge, and whatever follows finds no more alive than without it: no
                # order that postpones it has a smaller peak.
                return [(index, use, after)]
            steps.append((index, use, after))
        return steps

    def _way(self, last: dict[int, int], done: int) -> list[int]:
        order = []
        while done:
            order.append(last[done])
            done ^= 1 << last[done]
        return order[::-1]

    def _is_free(self, tensor: int, done: int) -> bool:
        return tensor not in self.kept and not self.readers.get(tensor, 0) & ~done

    def _shared(self, index: int, offset: int | None) -> int:
        """Bytes that the output may share with the first input."""
        if offset is None or not self.reads[index]:
            return 0
        x, y = self.bytes[self.reads[index][0]], self.bytes[self.writes[index][0]]
        return max(0, x + y - (max(x, offset + y) - min(0, offset)))

    def _bytes(self, tensor: int) -> int:
        return self.graph.bytes_of(tensor) or 0  # handles of variables and strings do not count


def _scratch(graph: Graph, operator: schema.OperatorT) -> int:
    try:
        return sum(scratch_bytes(graph, operator))
    except UnknownScratchError:
        return 0


def _mask(indices) -> int:
    mask = 0
    for index in indices:
        mask |= 1 << index
    return mask
