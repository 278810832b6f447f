"""The public model: a `Network` with what people do to it, each a line into the room that does it."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import os
import warnings
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from tqdm.auto import tqdm

from kanlab import legacy, store
from kanlab.data import check_dataset
from kanlab.engine import attribution, curves, edit, fit, jets, prune, relu
from kanlab.engine.eliminate import Removal, eliminate_steps
from kanlab.engine.fit import Data, Options, Step
from kanlab.engine.jets import Derivatives
from kanlab.engine.losses import LossFunction
from kanlab.engine.magnitudes import RELATIVE
from kanlab.engine.network import Acts, Network
from kanlab.engine.penalty import Penalty
from kanlab.engine.shape import Width
from kanlab.engine.start import Start
from kanlab.legacy import understands

if TYPE_CHECKING:
    import sympy

    from kanlab.symbolic.compile import Expression
    from kanlab.symbolic.formula import Formula
    from kanlab.symbolic.search import Progress, Suggestion

# The rooms that know sympy and matplotlib are loaded by the methods that enter them: either takes longer to load than
# a small network to train.

Dataset = Mapping[str, Any]
#: What `KAN` takes besides the width, and what it is if not given.
DEFAULTS: Mapping[str, Any] = {
    **{name: p.default for name, p in inspect.signature(Network).parameters.items() if p.default is not p.empty},
    **{field.name: field.default for field in dataclasses.fields(Start)},
}


class KAN(legacy.EarlierCalls, Network):
    """A Kolmogorov-Arnold network to train, sparsify and read a formula from.

    Parameters
    ----------
    width
        Nodes per layer, such as ``[2, 5, 1]``; ``[2, [5, 2], 1]`` has 5 sum and 2 multiplication nodes in the middle.
    grid, k
        Intervals and degree of the splines.
    seed
        Of the initial values.
    **options
        ``mult_arity``, ``grid_eps`` and ``device``, see `kanlab.engine.network.Network`; ``base_fun``, ``noise_scale``,
        ``scale_base_mu``, ``scale_base_sigma``, ``sp_trainable``, ``sb_trainable``, ``sparse_init``, ``grid_range`` and
        ``dtype``, see `kanlab.engine.start.Start`.

    Examples
    --------
    >>> from kanlab import KAN, create_dataset
    >>> dataset = create_dataset(lambda x: x[:, 0] ** 2 + x[:, 1], n_var=2, train_num=200, test_num=100)
    >>> model = KAN([2, 1], grid=3, seed=0)
    >>> history = model.fit(dataset, steps=20, log=0)
    >>> history["test_loss"][-1] < 1e-6
    True
    >>> model.auto_symbolic(lib=["x", "x^2", "sin"], log=0)
    >>> exprs, variables = model.symbolic_formula(var=["x", "y"], floating_digit=4)
    >>> exprs[0]
    x**2 + y
    """

    @understands(legacy.CONSTRUCTION)
    def __init__(
        self,
        width: Width,
        grid: int | Sequence[int] = 3,
        k: int | Sequence[int] = 3,
        *,
        seed: int | torch.Generator = 0,
        **options: Any,
    ):
        super().__init__(width, grid, k, seed=seed, **options)
        given = {"grid": grid, "k": k, "seed": seed, **options}
        changed = {key: value for key, value in given.items() if value != DEFAULTS[key]}
        plain = all(isinstance(value, int | float | str | Sequence) for value in changed.values())
        #: The call that makes this model again, or None: what a script starts from.
        self.origin: dict[str, Any] | None = copy.deepcopy({"width": width, **changed}) if plain else None

    # ---- training

    def read_data(self, dataset: Dataset) -> Data:
        """Check a dataset against this model's shape."""
        n_in = self.n_in if self.n_columns == self.n_in else None  # else both will do, and read checks it
        parts = check_dataset(dataset, n_in, self.n_out, dtype=self.dtype, device=str(self.device))
        train, test = (self.read(parts[name]).T for name in ("train_input", "test_input"))
        return Data(train, parts["train_label"], test, parts["test_label"])

    def read_rows(self, dataset: Dataset | None) -> Data:
        """Check what rows there are beside a ``residual_fn``: labelled ones, test rows, both or none."""
        if dataset and "train_input" in dataset:
            return self.read_data(dataset)
        empty = torch.zeros(0, self.n_in, dtype=self.dtype, device=self.device)
        none = Data(empty, torch.zeros(0, self.n_out, dtype=self.dtype, device=self.device))
        if not dataset:
            return none
        names = ("input", "label")
        rows = self.read_data({f"train_{name}": dataset[f"test_{name}"] for name in names if f"test_{name}" in dataset})
        return dataclasses.replace(none, test_input=rows.train_input, test_label=rows.train_label)

    def fit_steps(
        self,
        dataset: Dataset | None = None,
        opt: str = "auto",
        steps: int | None = 50,
        lamb: float = 0.0,
        lamb_l1: float = 1.0,
        lamb_entropy: float = 2.0,
        *,
        lamb_coef: float = 0.0,
        lamb_coefdiff: float = 0.0,
        reg_metric: str = RELATIVE,
        metrics: Sequence[Callable[[], Any]] | None = None,
        singularity_avoiding: bool = False,
        y_th: float = 1000.0,
        **options: Any,
    ) -> Generator[Step, Penalty | None, None]:
        """Train step by step: a generator of `Step` records; see `fit` for the arguments.

        ``steps=None`` goes on until no step lowers the objective. A `Penalty` sent into the generator acts on the next
        step. However the loop is left, the model holds the best state so far. ``interrupted`` is asked within long
        steps: True ends training at the last step told.

        >>> from kanlab import KAN, create_dataset
        >>> dataset = create_dataset(lambda x: x[:, 0] * 2, n_var=1, train_num=50, test_num=20)
        >>> [step.index for step in KAN([1, 1]).fit_steps(dataset, steps=3)]
        [0, 1, 2]
        """
        penalty = Penalty(lamb, lamb_l1, lamb_entropy, lamb_coef, lamb_coefdiff, reg_metric)
        chosen = Options(opt=opt, steps=steps, penalty=penalty, metrics=tuple(metrics or ()), **options)
        if dataset is None and chosen.residual_fn is None:
            raise ValueError("there is nothing to learn: give a dataset, a residual_fn or both")
        data = self.read_data(cast(Dataset, dataset)) if chosen.residual_fn is None else self.read_rows(dataset)
        training = fit.fit_steps(self, data, chosen)
        if not singularity_avoiding:
            return training
        from kanlab.symbolic import continued

        return continued.while_training(self, training, y_th)

    @understands(legacy.TRAINING)
    def fit(
        self,
        dataset: Dataset | None = None,
        opt: str = "auto",
        steps: int = 50,
        lamb: float = 0.0,
        lamb_l1: float = 1.0,
        lamb_entropy: float = 2.0,
        *,
        log: int = 1,
        display_metrics: Sequence[str] = ("train_loss", "test_loss"),
        **options: Any,
    ) -> dict[str, list[float]]:
        """Train the model.

        Parameters
        ----------
        dataset
            ``train_input`` ``[n, n_in]``, ``train_label`` ``[n, n_out]`` and, if there is one, the test part; with a
            ``residual_fn`` either part may be missing, or the dataset altogether.
        opt
            ``"LM"`` (Levenberg-Marquardt), ``"LBFGS"``, ``"Adam"``, or ``"auto"``: LM as long as it is affordable.
        steps
            How many; training ends earlier when no step lowers the objective.
        lamb, lamb_l1, lamb_entropy
            Sparsity, see `Penalty`; with LM and ``lamb > 0`` whole edges and nodes are silenced where that lowers the
            objective.
        log
            0: no progress bar.
        display_metrics
            What the bar shows: names of the result.
        **options
            ``lamb_coef``, ``lamb_coefdiff`` and ``reg_metric``: see `Penalty`; ``update_grid``, ``grid_update_num``,
            ``start_grid_update_step``, ``stop_grid_update_step``: when the grids
            are laid over the data anew; ``loss_fn(prediction, label)``; ``residual_fn(u)``: a differential equation or
            other residuals to be made small, see `kanlab.engine.residuals`; ``lr``; ``batch``: rows per step, all rows
            being used once an epoch; ``metrics``: functions without arguments; ``seed``: of batches, restarts and rows
            held out; ``restarts``: so many random starts are trained together for a few steps, the best goes on;
            ``grids``, such as ``[3, 5, 10, 20, 50]``: the grid is extended through these, at most ``steps`` steps on
            each, and ends at the one that rows held out are told best on (`kanlab.engine.extend`);
            ``singularity_avoiding``: while training, continue named edges beyond their singularities, from where their
            slope reaches ``y_th``.

        Returns
        -------
        dict
            ``"train_loss"``, ``"test_loss"`` (root mean squared errors, for a ``loss_fn`` the loss itself), ``"reg"``,
            and each metric by its name; one number a step. The model holds the best state, also when interrupted.
        """
        history: dict[str, list[float]] = {"train_loss": [], "test_loss": [], "reg": []}
        training = self.fit_steps(dataset, opt, steps, lamb, lamb_l1, lamb_entropy, **options)
        with tqdm(total=steps, disable=not log, desc="fit", leave=True) as bar:
            try:
                for step in training:
                    for name, value in step.told().items():
                        history.setdefault(name, []).append(value)
                    bar.update()
                    shown = [f"{name} {history[name][-1]:.2e}" for name in display_metrics]
                    bar.set_postfix_str(", ".join(shown), refresh=False)
                    if step.reason.startswith("diverged"):
                        warnings.warn(step.reason, RuntimeWarning, stacklevel=3)
            except KeyboardInterrupt:
                bar.set_postfix_str("interrupted: the best state is kept")
            finally:
                training.close()
                bar.total = bar.n
                bar.refresh()
        return history

    # ---- derivatives by the inputs

    def derivatives(self, x: Float[Tensor, "batch n_in"], order: int = 2) -> Derivatives:
        """Return outputs, slopes and second derivatives by the inputs, exact; see `kanlab.engine.jets.derivatives`.

        >>> found = KAN([2, 3, 1]).derivatives(torch.zeros(5, 2))
        >>> found.value.shape, found.first.shape, found.second.shape
        (torch.Size([5, 1]), torch.Size([5, 1, 2]), torch.Size([5, 1, 2, 2]))
        """
        return jets.derivatives(self, x, order)

    # ---- shape

    @understands(legacy.PRUNING)
    def prune(self, edge_th: float = 3e-2, node_th: float = 1e-2, *, method: str = "scores", **options: Any) -> KAN:
        """Return a smaller model.

        Parameters
        ----------
        edge_th, node_th
            Edges and hidden nodes that score below these go (``method="scores"``).
        method
            ``"scores"``, or ``"eliminate"``: what the model can do without goes, as `eliminate` finds by trying.
        **options
            Those of `eliminate`.
        """
        if method == "eliminate":
            return self.eliminate(**options)
        if method != "scores":
            raise ValueError(f'method is {method!r}; allowed are "scores" and "eliminate"')
        if options:
            raise TypeError(f'{", ".join(options)}: only method="eliminate" takes these')
        return cast(KAN, prune.prune(self, edge_th=edge_th, node_th=node_th))

    def eliminate_steps(
        self,
        dataset: Dataset | None = None,
        *,
        loss_fn: LossFunction | None = None,
        tolerance: float | None = None,
        interrupted: Callable[[], bool] = lambda: False,
    ) -> Generator[Removal, None, KAN]:
        """Do what `eliminate` does, yielding a `Removal` for each that was tried; the value is the smaller model."""
        if dataset is not None:
            data = self.read_data(dataset)
            x, y = data.train_input, data.train_label
        elif self.targets is not None:
            x, y = self.seen(), self.targets
        else:
            raise ValueError("the model knows no labels to judge by: pass the dataset, or call fit(dataset) first")
        found = eliminate_steps(self, x, y, loss_fn=loss_fn, tolerance=tolerance, interrupted=interrupted)
        return cast("Generator[Removal, None, KAN]", found)

    def eliminate(
        self,
        dataset: Dataset | None = None,
        *,
        loss_fn: LossFunction | None = None,
        tolerance: float | None = None,
        log: int = 1,
    ) -> KAN:
        """Return a smaller model without the nodes and edges that it can do without.

        Each is removed in turn, weakest first, and the rest is refitted; if the error on rows held out does not allow
        it, it stays. See `kanlab.engine.eliminate` for how the tolerance is found. Grids may come out finer.

        Parameters
        ----------
        dataset
            Its training part is used; by default the rows that the model was trained on, up to 4096.
        loss_fn
            ``loss_fn(prediction, label)`` as in `fit`; None is the mean squared error.
        tolerance
            The held-out error (root mean squared) that is allowed; None finds it.
        log
            0: no progress bar. Interrupted, the smallest model so far is returned.

        Examples
        --------
        >>> from kanlab import KAN, create_dataset
        >>> dataset = create_dataset(lambda x: x[:, 0] ** 2 + x[:, 1], n_var=3, train_num=200, test_num=100)
        >>> model = KAN([3, 2, 1], seed=0)
        >>> history = model.fit(dataset, steps=20, log=0)
        >>> small = model.prune(method="eliminate", log=0)
        >>> small.width, [int(mask.sum()) for mask in (small.layer(0).mask, small.layer(1).mask)]
        ([[3, 0], [1, 0], [1, 0]], [2, 1])
        """
        smallest = self
        trials = self.eliminate_steps(dataset, loss_fn=loss_fn, tolerance=tolerance)
        with tqdm(disable=not log, desc="eliminate", leave=False) as bar:
            try:
                while True:
                    removal = next(trials)
                    smallest = cast(KAN, removal.network)
                    bar.update()
                    bar.set_postfix_str(f"error {removal.error:.2e}, allowed {removal.tolerance:.2e}")
            except StopIteration as end:
                return end.value
            except KeyboardInterrupt:
                return smallest.copy()

    def prune_edge(self, threshold: float = 3e-2) -> KAN:
        """Return a model without the edges that score below the threshold."""
        return cast(KAN, prune.prune(self, edge_th=threshold, node_th=0.0))

    def prune_node(
        self, threshold: float = 1e-2, mode: str = "auto", active_neurons_id: Sequence[Sequence[int]] | None = None
    ) -> KAN:
        """Return a model without the hidden nodes below the threshold; ``"manual"``: with the active ones only."""
        return cast(KAN, prune.prune_nodes(self, threshold, legacy.chosen_nodes(self.depth, mode, active_neurons_id)))

    def prune_input(self, threshold: float = 1e-2, active_inputs: Sequence[int] | None = None) -> KAN:
        """Return a model without the inputs that score below the threshold; it still takes all columns of the data."""
        return cast(KAN, prune.prune_inputs(self, threshold, active_inputs))

    def refine(self, grid: int | Sequence[int]) -> KAN:
        """Return a model on ``grid`` intervals; with more of them it is the same function."""
        return cast(KAN, self.refined(grid))

    def remove_edge(self, l: int, i: int, j: int) -> None:
        """Remove an edge: it is zero from now on."""
        self.check_edge(l, i, j)
        self.layer(l).remove(i, j)

    def remove_node(self, l: int, i: int, mode: str = "all") -> None:
        """Remove the edges of hidden node ``i`` of level ``l`` (1 is the first), or those ``"up"`` or ``"down"``."""
        edit.remove_node(self, l, i, mode)

    def expand_width(
        self, layer_id: int, n_added_nodes: int = 1, sum_bool: bool = True, mult_arity: int = 2, *, seed: int = 0
    ) -> None:
        """Add nodes to a level, the function as it was; see `kanlab.engine.edit.widened`."""
        self.take_over(edit.widened(self, layer_id, n_added_nodes, sum_bool=sum_bool, mult_arity=mult_arity, seed=seed))

    def expand_depth(self) -> None:
        """Add a layer after the outputs that passes them on; see `kanlab.engine.edit.deepened`."""
        self.take_over(edit.deepened(self))

    def perturb(self, mag: float = 1.0, mode: str = "non-intrusive", *, seed: int = 0) -> None:
        """Put noise on edges that reach no output, or on others; see `kanlab.engine.edit.perturbed`."""
        self.take_over(edit.perturbed(self, mag, mode, seed=seed))

    def swap(self, l: int, i1: int, i2: int) -> None:
        """Let two nodes of hidden level ``l`` change places; the function stays."""
        self.take_over(edit.swapped(self, l, i1, i2))

    def auto_swap(self) -> None:
        """Let hidden nodes change places until strong edges go upright; the function stays."""
        self.take_over(edit.untangled(self))

    @property
    def connection_cost(self) -> float:
        """How far strong edges reach sideways: what `auto_swap` lowers."""
        return edit.connection_cost(self)

    # ---- scores

    def attribute(self, x: Float[Tensor, "batch n_in"] | None = None) -> attribution.Scores:
        """Score nodes and edges on ``x`` (default: the training samples); see `kanlab.engine.attribution`."""
        return attribution.attribute(self, x)

    @property
    def edge_scores(self) -> list[Float[Tensor, "i o"]]:
        """How much of the output goes through each edge, a matrix a layer."""
        return self.attribute().edges

    @property
    def node_scores(self) -> list[Float[Tensor, " nodes"]]:
        """How much of the output goes through each node, inputs first."""
        return self.attribute().nodes

    @property
    def feature_score(self) -> Float[Tensor, " n_in"]:
        """How much of the output comes from each input."""
        return self.attribute().features

    def node_attribute(self, l: int) -> Float[Tensor, "nodes n_in"]:
        """How much of each node of level ``l`` (1 is the first after the inputs) comes from each input."""
        return attribution.node_attribution(self, l)

    def feature_interaction(
        self, l: int, neuron_th: float = 1e-2, feature_th: float = 1e-2
    ) -> dict[tuple[int, ...], int]:
        """Count which inputs meet in the nodes of level ``l``; see `kanlab.engine.attribution.feature_interaction`."""
        return attribution.feature_interaction(self, l, neuron_th, feature_th)

    # ---- curves

    def get_fun(self, l: int, i: int, j: int) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
        """Return an edge's inputs on the training samples, in rising order, and its values there."""
        return curves.edge_samples(self, l, i, j)

    def get_range(self, l: int, i: int, j: int) -> tuple[float, float, float, float]:
        """Return ``x_min, x_max, y_min, y_max`` of an edge on the training samples."""
        return curves.edge_range(self, l, i, j)

    def get_act(self, x: Dataset | Float[Tensor, "batch n_in"]) -> Acts:
        """Show the model samples, or a dataset's training part, for scores, ranges and curves; return all activations.

        >>> KAN([2, 3, 1]).get_act(torch.zeros(5, 2)).postacts[0].shape
        torch.Size([5, 2, 3])
        """
        if isinstance(x, Mapping):
            data = self.read_data(x)
            self.show(data.train_input, data.train_label)
        else:
            self.show(x)
        return self.acts()

    def set_mode(self, l: int, i: int, j: int, mode: str) -> None:
        """Make an edge its spline (``"n"``), its function (``"s"``), or nothing (``"off"``)."""
        edit.set_mode(self, l, i, j, mode)

    def evaluate(self, dataset: Dataset, loss_fn: LossFunction | None = None) -> dict[str, Any]:
        """Return ``train_loss`` and ``test_loss`` as `fit` tells them, and how many edges and intervals there are."""
        return {**fit.evaluate(self, self.read_data(dataset), loss_fn), "n_edge": self.n_edge, "n_grid": self.grid}

    # ---- symbols

    @understands(legacy.NAMING)
    def suggest_symbolic(
        self, l: int, i: int, j: int, lib: Iterable[str] | None = None, topk: int = 5
    ) -> list[Suggestion]:
        """Rank the library's functions on one edge, best first."""
        from kanlab.symbolic import search

        return search.suggest_symbolic(self, l, i, j, lib, topk)

    @understands(legacy.NAMING)
    def fix_symbolic(self, l: int, i: int, j: int, name: str, fit_params_bool: bool = True) -> float:
        """Give an edge a function, its ``a, b, c, d`` fitted to the edge (or 1, 0, 1, 0); return the fit's true R².

        Raises
        ------
        ValueError
            For an edge out of range, an unknown function, or one that cannot be placed on this edge's range.
        """
        edge = self.check_edge(l, i, j)
        from kanlab.symbolic import library, search

        function = library.get(name)
        if not fit_params_bool:
            self.layer(l).fix(i, j, function, (1.0, 0.0, 1.0, 0.0))
            return search.agreement(self, edge)
        self.layer(l).unfix(i, j)
        found = search.suggest_all(self, [edge], [name])[0]
        if not found:
            raise ValueError(
                f"{name!r} cannot be placed on edge ({l}, {i}, {j}): its domain does not cover the edge's inputs "
                "for any a, b; choose another function"
            )
        search.fix(self, edge, found[0])
        return found[0].r2

    def unfix_symbolic(self, l: int, i: int, j: int) -> None:
        """Give an edge its spline back."""
        self.check_edge(l, i, j)
        self.layer(l).unfix(i, j)

    def auto_symbolic_steps(
        self, lib: Iterable[str] | None = None, r2_threshold: float = 0.0
    ) -> Generator[Progress, None, None]:
        """Name all edges, yielding progress; closing the generator leaves the model as it was."""
        from kanlab.symbolic import search

        named = yield from search.search_steps(self, lib, r2_threshold)
        self.take_over(named)

    @understands(legacy.NAMING)
    def auto_symbolic(self, lib: Iterable[str] | None = None, r2_threshold: float = 0.0, *, log: int = 1) -> None:
        """Name all edges by what each name does to the output; edges that no name fits stay splines."""
        with tqdm(disable=not log, desc="auto symbolic", leave=False) as bar:
            for progress in self.auto_symbolic_steps(lib, r2_threshold):
                bar.total = progress.total
                bar.update(progress.done - bar.n)
                bar.set_postfix_str(progress.text)

    def formula(
        self,
        var: Sequence[Any] | None = None,
        out: Sequence[Any] | None = None,
        *,
        normalizer: Any = None,
        output_normalizer: Any = None,
    ) -> Formula:
        """Return the model as mathematics; edges that are still splines appear as φ.

        ``normalizer`` and ``output_normalizer`` are ``(mean, std)`` of inputs and labels, if the model was trained on
        normalised ones: the formula is then of the data as it was.
        """
        from kanlab.symbolic.reading import formula_of

        return formula_of(self, var, out, normalizer=normalizer, output_normalizer=output_normalizer)

    @understands(legacy.READING)
    def symbolic_formula(
        self,
        var: Sequence[Any] | None = None,
        floating_digit: int | None = None,
        *,
        normalizer: Any = None,
        output_normalizer: Any = None,
    ) -> tuple[list[Any], list[Any]]:
        """Return sympy expressions, one an output, and the variables.

        Numbers are rounded to ``floating_digit`` decimals; None leaves them as they are and drops only what is rounding
        (1e-12 of the output's spread). For the normalisers see `formula`. A formula that disagrees with the model gives
        a `FormulaWarning`.
        """
        formula = self.formula(var, normalizer=normalizer, output_normalizer=output_normalizer)
        if floating_digit is None:
            return list(formula.shown(12)), list(formula.variables)
        from kanlab.symbolic.shown import rounded

        return [rounded(expr, floating_digit) for expr in formula.shown(floating_digit)], list(formula.variables)

    # ---- pictures and files

    @understands(legacy.DRAWING)
    def plot(self, beta: float = 3, **options: Any) -> Any:
        """Draw the network as a matplotlib Figure; see `kanlab.plot.plot`."""
        from kanlab.plot import plot

        return plot(self, beta, **options)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model (and up to 4096 of its training rows, which scores need) to one file, without pickle."""
        store.write(path, "model", *store.to_record(self))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> KAN:
        """Read a model that `save` wrote; it gives the same outputs to the last bit."""
        return cast(KAN, store.from_record(cls, *store.read(path, "model")))

    def copy(self) -> KAN:
        """Return an independent copy."""
        return copy.deepcopy(self)

    @classmethod
    def from_formula(
        cls,
        formula: Expression | Sequence[Expression],
        variables: Sequence[str | sympy.Symbol],
        x: Float[Tensor, "batch n_in"] | None = None,
        **options: Any,
    ) -> KAN:
        """Return the KAN that equals a formula: text (never evaluated), sympy, or a list of them, one an output.

        Parameters
        ----------
        formula
            Such as ``"exp(sin(pi*x) + y**2)"``.
        variables
            The names (or symbols) of the inputs, in order.
        x
            Samples of the inputs, over which the grids are laid; see `kanlab.symbolic.compile.compile_network`.
        **options
            ``grid``, ``k``, ``seed``, ... as for a new model.

        Examples
        --------
        >>> from kanlab import KAN
        >>> model = KAN.from_formula("exp(sin(pi*x) + y**2)", ["x", "y"])
        >>> model.width
        [[2, 0], [1, 0], [1, 0]]
        """
        from kanlab.symbolic.compile import compile_network

        return compile_network(cls, formula, variables, x, **options)

    def to_mlp(self) -> nn.Sequential:
        """Return the ordinary module of linear maps and ReLUs that is the same function; see `kanlab.engine.relu`.

        >>> model = KAN([2, 3, 1], grid=5, k=1, base_fun="identity")
        >>> x = torch.rand(10, 2, dtype=torch.float64)
        >>> bool((model.to_mlp()(x) - model(x)).abs().max() < 1e-12)
        True
        """
        return relu.to_mlp(self)

    def take_over(self, other: Network) -> None:
        """Become ``other``: its shape, its edges, its samples."""
        self.__dict__.update(copy.deepcopy(other).__dict__)
