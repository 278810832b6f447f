"""The commands that give a session another network: nodes and layers more or less, another order, another formula.

`kanlab.session.Session` has them all; each is one entry of its history.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence

import torch

from kanlab.engine.eliminate import Removal
from kanlab.engine.fit import Data
from kanlab.history import Command, Entry
from kanlab.kan import KAN, Dataset
from kanlab.symbolic.names import identifiers
from kanlab.symbolic.search import Progress


class Shaping(ABC):
    """What a session can do to the shape of its network."""

    model: KAN
    data: Data
    dataset: Dataset
    names: list[str]

    @property
    @abstractmethod
    def current(self) -> Entry:
        """The entry that the session stands at."""

    @abstractmethod
    def _change(self, command: Command, label: str, change: Callable[[KAN], KAN | None]) -> Entry:
        """Change a copy of the model, or put another in its place, and record that."""

    @abstractmethod
    def _require_rest(self) -> None: ...

    # ---- less

    def eliminate_steps(self, tolerance: float | None = None) -> Generator[Progress, None, Entry]:
        """Remove what the model can do without, yielding progress; closing the generator leaves everything as it was.

        See `kanlab.engine.eliminate`; ``tolerance`` is the held-out error that is allowed, None finds it.
        """
        self._require_rest()
        loss_fn = torch.nn.functional.cross_entropy if self.data.train_label.ndim == 1 else None
        trials = self.model.eliminate_steps(self.dataset, loss_fn=loss_fn, tolerance=tolerance)
        smaller = yield from _told(trials)
        gone = self.model.n_edge - smaller.n_edge
        args = {} if tolerance is None else {"tolerance": float(tolerance)}
        return self._change(Command("eliminate", args), f"eliminate {gone} edges", lambda _: smaller)

    def eliminate(self, tolerance: float | None = None) -> Entry:
        """Remove what the model can do without: each part in turn, weakest first, if held-out rows allow it."""
        for _ in self.eliminate_steps(tolerance):
            pass
        return self.current

    def remove_node(self, l: int, i: int, mode: str = "all") -> Entry:
        """Remove the edges of hidden node ``i`` of level ``l``, or those ``"up"`` or ``"down"`` from it."""
        args = {"l": l, "i": i} | ({} if mode == "all" else {"mode": mode})
        return self._change(
            Command("remove_node", args), f"remove node ({l}, {i})", lambda m: m.remove_node(l, i, mode)
        )

    # ---- more

    def expand_width(self, l: int, n: int = 1, mult_arity: int = 1, seed: int = 0) -> Entry:
        """Add ``n`` hidden nodes to level ``l``, the function as it was; see `kanlab.engine.edit.widened`.

        ``mult_arity`` 1 are sum nodes, more are multiplication nodes of so many factors.
        """
        if not isinstance(l, int) or not 0 < l < self.model.depth:
            raise ValueError(f"level {l!r} is not hidden: levels 1 to {self.model.depth - 1} are; add a layer first")
        args = {"l": l, "n": n, "mult_arity": mult_arity, "seed": seed}
        options = {"sum_bool": True} if mult_arity == 1 else {"sum_bool": False, "mult_arity": mult_arity}
        label = f"add {n} node{'' if n == 1 else 's'}"
        return self._change(Command("expand_width", args), label, lambda m: m.expand_width(l, n, seed=seed, **options))

    def expand_depth(self) -> Entry:
        """Add a layer after the outputs that passes them on, the function as it was."""
        return self._change(Command("expand_depth"), "add a layer", lambda m: m.expand_depth())

    def perturb(self, mag: float = 1.0, mode: str = "non-intrusive", seed: int = 0) -> Entry:
        """Put noise on edges that reach no output, or on others; see `kanlab.engine.edit.perturbed`."""
        args = {"mag": mag, "mode": mode, "seed": seed}
        return self._change(Command("perturb", args), f"perturb {mag:g}", lambda m: m.perturb(mag, mode, seed=seed))

    # ---- the same in another order

    def swap(self, l: int, i1: int, i2: int) -> Entry:
        """Let two nodes of hidden level ``l`` change places; the function stays."""
        args = {"l": l, "i1": i1, "i2": i2}
        return self._change(Command("swap", args), f"swap ({l}, {i1}) and ({l}, {i2})", lambda m: m.swap(l, i1, i2))

    def auto_swap(self) -> Entry:
        """Let hidden nodes change places until strong edges go upright; the function stays."""
        return self._change(Command("auto_swap"), "untangle", lambda m: m.auto_swap())

    # ---- another network

    def open_formula(self, formula: str | Sequence[str]) -> Entry:
        """Go on with the KAN that equals a formula, its grids laid over the data.

        Parameters
        ----------
        formula
            Text, never evaluated, one for each output; inputs stand under their names, as Python identifiers:
            ``"exp(sin(pi*x) + blood_pressure**2)"``. `kanlab.symbolic.source.formula_text` writes such text.
        """
        texts = [formula] if isinstance(formula, str) else list(formula)
        if len(texts) != self.model.n_out:
            raise ValueError(f"{len(texts)} formulas were given; the session has {self.model.n_out} outputs")

        def opened(_: KAN) -> KAN:
            model = KAN.from_formula(texts, identifiers(self.names), self.data.train_input)
            model.show(self.data.train_input, self.data.train_label)
            return model

        return self._change(Command("open_formula", {"formula": texts}), "open formula", opened)


def _told(trials: Generator[Removal, None, KAN]) -> Generator[Progress, None, KAN]:
    """Say of each removal that was tried how it went."""
    done = 0
    while True:
        try:
            removal = next(trials)
        except StopIteration as end:
            return end.value
        done += 1
        yield Progress(done, 0, f"error {removal.error:.1e}, allowed {removal.tolerance:.1e}")
