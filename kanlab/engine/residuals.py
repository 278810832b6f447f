r"""Losses given as residuals: differential equations, boundary values, any squares of outputs and their derivatives.

``residual_fn(u)`` gets the model as a function ``u(points, order=2)``, which returns its `Derivatives` there, and
returns one tensor ``[n]`` or ``[n, m]`` or a list of them: the terms. The loss is the sum over the terms of their mean
squares, so that a factor before a term weighs it with its square. With ``u' = -u`` and ``u(0) = 1``:

>>> from kanlab import KAN
>>> t, zero = torch.linspace(0, 2, 40)[:, None], torch.zeros(1, 1)
>>> def decay(u):
...     at = u(t, order=1)
...     return [at.first[:, 0, 0] + at.value[:, 0], u(zero, order=0).value - 1]
>>> model = KAN([1, 1], grid=8, k=5)
>>> history = model.fit(residual_fn=decay, steps=10, log=0)
>>> bool((model(t) - torch.exp(-t)).abs().max() < 1e-6)
True

A row of a term depends on one sample of each call of ``u``, as in a differential equation, or on the sum of several, as
in an integral; no sample belongs to two rows. So the derivatives of all rows by the jets of all samples are one short
backward pass a column, the rest is `kanlab.engine.linearise_jets`: a residual network (Raissi, Perdikaris and
Karniadakis 2019) trained by Gauss-Newton, with no autograd through the model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

import torch
from jaxtyping import Float, Int
from torch import Tensor

from kanlab.engine.gram import gram
from kanlab.engine.jets import Derivatives, Jet, batch_first, check_order
from kanlab.engine.linearise import Linearisation
from kanlab.engine.linearise_jets import JetLinearisation, JetTape
from kanlab.engine.losses import ROUNDING, NormalEquations
from kanlab.engine.network import Network
from kanlab.engine.objective import Evaluation, Objective
from kanlab.engine.penalty import Penalty


class Evaluator:
    """The model as ``u(points, order)`` at one parameter vector; it keeps what was asked."""

    def __init__(self, linear: Linearisation, vector: Float[Tensor, " size"], known: Sequence[JetLinearisation] = ()):
        self.linear, self._vector, self._known = linear, vector, known
        self.calls: list[Call] = []

    def __call__(self, points: Float[Tensor, "n n_in"], order: int = 2) -> Derivatives:
        """Return the outputs at ``points`` and their derivatives by the inputs up to ``order`` (0, 1 or 2)."""
        x = self.linear.network.read(points).detach()
        jets = self._jets(x, check_order(order))
        tape = jets.evaluate(self._vector)
        leaves = [part.detach().requires_grad_() for part in tape.output]
        self.calls.append(Call(jets, tape, leaves))
        return batch_first(leaves)

    def _jets(self, x: Float[Tensor, "n_in n"], order: int) -> JetLinearisation:
        """Take what is known from the last time, if the same points are asked for."""
        if len(self.calls) < len(self._known):
            known = self._known[len(self.calls)]
            if known.order == order and torch.equal(known.x, x):
                return known
        return JetLinearisation(self.linear, x.contiguous(), order)


ResidualFunction = Callable[[Evaluator], "Tensor | Sequence[Tensor]"]


@dataclass(frozen=True)
class Call:
    """One call of ``u``; terms are differentiated as far as its ``leaves``."""

    jets: JetLinearisation
    tape: JetTape
    leaves: Jet

    @property
    def samples(self) -> int:
        """Number of points."""
        return self.jets.x.shape[-1]


@dataclass
class ResidualEvaluation(Evaluation):
    """The objective at one parameter vector, with its terms ``[n, m]`` and the calls they come from."""

    terms: list[Float[Tensor, "n m"]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)


def collocation_points(network: Network, residual_fn: ResidualFunction) -> Float[Tensor, "n n_in"]:
    """Return all points at which ``residual_fn`` asks for the model."""
    linear = Linearisation(network, torch.zeros(network.n_in, 1, dtype=network.dtype, device=network.device))
    evaluator = Evaluator(linear, linear.read())
    _terms(residual_fn(evaluator))
    if not evaluator.calls:
        raise ValueError("residual_fn never called u: its residuals are to be made from u(points, order)")
    return torch.cat([call.jets.x for call in evaluator.calls], -1).T


class ResidualObjective(Objective):
    """Mean squares of residuals and the penalty of ``network``.

    Parameters
    ----------
    network
        Its parameters are read at the start and written by the solvers.
    x
        Points ``[n_in, N]`` on which the penalty looks at the edges; the labelled ones come first.
    y
        Labels ``[n_out, n]`` of the first points, a further term; there may be none (``n = 0``).
    residual_fn
        See the module.
    penalty
        May be replaced between steps.
    """

    def __init__(
        self,
        network: Network,
        x: Float[Tensor, "n_in n"],
        y: Tensor,
        residual_fn: ResidualFunction,
        penalty: Penalty | None = None,
    ):
        self.residual_fn, self.points = residual_fn, x
        # Without a penalty nothing is looked at there, and one point is enough to be asked for the parameters.
        super().__init__(network, x if penalty is not None and penalty.lamb else x[:, :1], y, penalty)
        self._known: list[JetLinearisation] = []
        #: Terms and calls whose rows are known to be the samples in order.
        self._in_order: set[tuple[int, int]] = set()

    def like(self, network: Network, penalty: Penalty | None = None) -> ResidualObjective:
        """Make the same objective, perhaps with another penalty, for another network of the same shape."""
        return ResidualObjective(network, self.points, self.y, self.residual_fn, penalty or self.penalty)

    @property
    def rows(self) -> int:
        """Numbers that the Jacobian has for each parameter."""
        return sum(term.numel() for term in self.start().terms)

    @property
    def least(self) -> float:
        """At or below this value nothing is left to be learnt."""
        return ROUNDING * self.scale**2

    def curved(self) -> bool:
        """Whether second order has something to go by: squares always have."""
        return True

    def start(self) -> ResidualEvaluation:
        """Evaluate at the network's own parameters."""
        return self.evaluate(self.linear.read())

    def evaluate(self, vector: Float[Tensor, " size"]) -> ResidualEvaluation:
        """Evaluate the objective."""
        evaluator = Evaluator(self.linear, vector, self._known)
        with torch.enable_grad():
            terms = [term.to(vector.dtype) for term in _terms(self.residual_fn(evaluator))]
            if self.y.numel():
                terms.append(evaluator(self.points[:, : self.y.shape[-1]].T, order=0).value - self.y.T)
        self._known = [call.jets for call in evaluator.calls]
        loss = sum(term.detach().square().mean().item() for term in terms)
        tape = self.linear.evaluate(vector)
        reg = self.sparsity.evaluate(tape)
        value = loss + self.strength * reg.value
        return ResidualEvaluation(vector, tape, loss, reg.value, value, reg, terms, evaluator.calls)

    @torch.no_grad()
    def gradient(self, evaluation: Evaluation) -> Float[Tensor, " size"]:
        """Return the derivative of the objective by each parameter."""
        at = cast(ResidualEvaluation, evaluation)
        gradient = self.penalty_gradient(at) if self.penalty.lamb else torch.zeros_like(at.vector)
        weights = [term.detach() * (2 / term.numel()) for term in at.terms]
        for call, by_call in zip(at.calls, _slopes(at.terms, weights, at.calls), strict=True):
            if by_call is not None:
                gradient = gradient + call.jets.pull_back(call.tape, [part.unsqueeze(0) for part in by_call])
        return gradient if self.free is None else gradient * self.free

    def _loss_equations(self, evaluation: Evaluation) -> NormalEquations:
        at = cast(ResidualEvaluation, evaluation)
        size = self.linear.size
        hessian, descent = at.vector.new_zeros(size, size), at.vector.new_zeros(size)
        for number, term in enumerate(at.terms):
            rows = self._jacobian(at, number).flatten(1)
            hessian.add_(gram(rows), alpha=1 / term.numel())
            descent.addmv_(rows, term.detach().T.flatten(), alpha=-1 / term.numel())
        return hessian, descent

    def _jacobian(self, at: ResidualEvaluation, number: int) -> Float[Tensor, "size m n"]:
        """Return the derivatives of a term's rows by the parameters."""
        term = at.terms[number]
        each = torch.eye(term.shape[1], dtype=term.dtype, device=term.device)
        by_column = [_slopes([term], [column.expand_as(term)], at.calls) for column in each]
        result = None
        for place, call in enumerate(at.calls):
            columns = [slopes[place] for slopes in by_column]
            if all(column is None for column in columns):
                continue
            zero = [torch.zeros_like(leaf) for leaf in call.leaves]
            cotangents = [torch.stack(parts) for parts in zip(*(c or zero for c in columns), strict=True)]
            part = call.jets.jacobian(call.tape, cotangents)
            rows = self._rows(at, number, place)
            if rows is not None:
                part = part.new_zeros(*part.shape[:2], len(term)).index_add_(2, rows, part)
            result = part if result is None else result.add_(part)
        if result is None:
            raise ValueError(
                f"residual term {number} does not depend on the model: make it of what u(points) returns, without "
                "detach() or numpy"
            )
        return result

    def _rows(self, at: ResidualEvaluation, number: int, place: int) -> Int[Tensor, " samples"] | None:
        """Say to which row of a term each sample of a call belongs; None if to its own."""
        if (number, place) in self._in_order:
            return None
        term, call = at.terms[number], at.calls[place]
        rows, sure = _find_rows(term, call)
        if rows is None:
            raise ValueError(
                f"residual term {number}: a sample of call {place} of u takes part in several rows; allowed are rows "
                "made of one sample each, and sums over samples of which none belongs to two rows: ask for the model "
                "once more at points that are shifted, such as u(x[1:]) beside u(x[:-1])"
            )
        if len(rows) != len(term) or bool((rows != torch.arange(len(term), device=rows.device)).any()):
            return rows
        if sure:
            self._in_order.add((number, place))
        return None


def _terms(returned: Tensor | Sequence[Tensor]) -> list[Float[Tensor, "n m"]]:
    """Check what ``residual_fn`` returned and give each term two axes."""
    if not isinstance(returned, Tensor | list | tuple):
        raise TypeError(
            f"residual_fn returned {type(returned).__name__}; a tensor [n] or [n, m], or a list of such, is needed"
        )
    terms = [returned] if isinstance(returned, Tensor) else list(returned)
    if not terms:
        raise ValueError("residual_fn returned no terms; a tensor [n] or [n, m], or a list of such, is needed")
    for number, term in enumerate(terms):
        if not isinstance(term, Tensor):
            raise TypeError(f"residual term {number} is {type(term).__name__}; a tensor [n] or [n, m] is needed")
        if term.ndim > 2 or not term.numel() or not term.is_floating_point():
            raise ValueError(
                f"residual term {number} is {term.dtype} of shape {tuple(term.shape)}; floats [n] or [n, m] are "
                "needed, one row a sample (an output's number is the axis after it: u.first[:, 0] is [n, n_in])"
            )
    return [term.reshape(-1, 1) if term.ndim < 2 else term for term in terms]


def _slopes(terms: list[Tensor], weights: list[Tensor], calls: list[Call]) -> list[Jet | None]:
    """Differentiate the weighed sum of terms by the jets of each call; None where it does not depend on them.

    By second derivatives the result is made symmetric.
    """
    kept = [(term, weight) for term, weight in zip(terms, weights, strict=True) if term.requires_grad]
    if not kept:
        return [None] * len(calls)
    leaves = [leaf for call in calls for leaf in call.leaves]
    outputs, grad_outputs = zip(*kept, strict=True)
    found = torch.autograd.grad(outputs, leaves, grad_outputs, retain_graph=True, allow_unused=True)
    result: list[Jet | None] = []
    for call in calls:
        parts, found = found[: len(call.leaves)], found[len(call.leaves) :]
        if all(part is None for part in parts):
            result.append(None)
            continue
        jet = [torch.zeros_like(leaf) if part is None else part for part, leaf in zip(parts, call.leaves, strict=True)]
        if len(jet) > 2:
            jet[2] = 0.5 * (jet[2] + jet[2].transpose(-3, -2))
        result.append(jet)
    return result


def _find_rows(term: Float[Tensor, "n m"], call: Call) -> tuple[Int[Tensor, " samples"] | None, bool]:
    """Find the row each sample belongs to, by weighing the rows; None if a sample belongs to several.

    Where the sum of all rows has the slope ``s`` by a sample, the sum of the rows times ``1 + row / n`` has
    ``s (1 + row / n)``. A sample without a slope counts as in order, and what is said of it is not sure.
    """
    n = len(term)
    columns = torch.linspace(1, 2, term.shape[1], dtype=term.dtype, device=term.device).expand_as(term)
    weight = 1 + torch.arange(n, dtype=term.dtype, device=term.device) / n
    jets = [_slopes([term], [weights], [call])[0] or [] for weights in (columns, columns * weight.unsqueeze(1))]
    s, sw = (torch.cat([part.flatten(0, -2) for part in jet]).nan_to_num(0.0, 0.0, 0.0) for jet in jets)
    strongest, known = s.abs().argmax(0, keepdim=True), s.any(0)
    ratio = (sw.gather(0, strongest) / s.gather(0, strongest))[0]
    in_order = torch.arange(call.samples, device=s.device).clamp(max=n - 1)
    rows = torch.where(known, ((ratio - 1) * n).nan_to_num().round().long(), in_order)
    sure = bool(known.all())
    if bool(((rows < 0) | (rows >= n)).any()):
        return None, sure
    rounding = torch.finfo(s.dtype).eps ** 0.5 * s.abs().amax(0)
    return (rows if bool(((sw - s * weight[rows]).abs() <= rounding).all()) else None), sure
