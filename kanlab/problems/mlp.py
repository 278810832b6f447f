r"""An ordinary network to stand beside a KAN: as many numbers in it, and trained as carefully.

What the KAN paper calls an MLP was trained by its authors; ours gets what kanlab's KANs get: float64, several random
starts, and Levenberg-Marquardt steps (Marquardt, SIAM J. Appl. Math. 11, 1963),
:math:`(J^T J + \mu D)\,\delta = -J^T r` with D the diagonal of :math:`J^T J`. A comparison then tells of the networks
and not of their optimisers.

>>> hidden_for(100, n_in=2)
(7, 7)
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call, jacrev, vmap

from kanlab.engine.network import Network

SOURCE = "arXiv:2404.19756, sec. 3.2: MLPs with tanh, relu and silu beside the KANs"
ACTIVATIONS: dict[str, type[nn.Module]] = {"tanh": nn.Tanh, "silu": nn.SiLU, "relu": nn.ReLU}
#: Steps of each start before the best goes on, and the rows they are compared on, as in `kanlab.engine.race`.
_FIRST, _ROWS = 16, 512
#: Damping at the start, its least and most, and what it is divided and multiplied by.
_DAMPING, _LEAST, _MOST, _EASE, _BRAKE = 1e-2, 1e-12, 1e8, 3.0, 4.0


class MLP(nn.Module):
    """Linear maps with one activation between them, of inputs and to labels in standard units.

    Attributes
    ----------
    body : the maps and activations
    units : mean and standard deviation of inputs and labels, as given
    """

    def __init__(self, body: nn.Sequential, x: Float[Tensor, "n n_in"], y: Float[Tensor, "n n_out"]):
        super().__init__()
        self.body = body
        self.units = [(part.mean(0), part.std(0)) for part in (x, y)]

    def standard(self, x: Float[Tensor, "n n_in"]) -> Float[Tensor, "n n_in"]:
        """Return inputs in standard units."""
        mean, std = self.units[0]
        return (x - mean) / std

    def forward(self, x: Float[Tensor, "n n_in"]) -> Float[Tensor, "n n_out"]:
        """Evaluate."""
        mean, std = self.units[1]
        return self.body(self.standard(x)) * std + mean


def parameters(model: nn.Module) -> int:
    """Count the numbers that make the function: of a KAN, ``G + k`` coefficients and one scale an edge (eq. 2.12).

    (The scale of an edge's spline multiplies its coefficients, so it is no number of its own.)

    >>> parameters(nn.Linear(2, 3)), parameters(Network([2, 1, 1], grid=5))
    (9, 27)
    """
    if isinstance(model, Network):
        return sum(int(layer.mask.count_nonzero()) * (layer.grid + layer.k + 1) for layer in model.kan_layers())
    return sum(part.numel() for part in model.parameters())


def hidden_for(count: int, n_in: int, n_out: int = 1, layers: int = 2) -> tuple[int, ...]:
    """Return the widest equal hidden layers with which an MLP has at most ``count`` parameters, one node at least.

    Raises
    ------
    ValueError
        Without a hidden layer.
    """
    if layers < 1:
        raise ValueError(f"layers is {layers}: an MLP has a hidden layer or more")
    width = 1
    while _size([n_in, *[width + 1] * layers, n_out]) <= count:
        width += 1
    return (width,) * layers


def _size(widths: Sequence[int]) -> int:
    return sum((a + 1) * b for a, b in pairwise(widths))


def _body(widths: Sequence[int], activation: str, generator: torch.Generator) -> nn.Sequential:
    """Draw the maps: normal, of a deviation that keeps the spread from layer to layer (Glorot & Bengio 2010)."""
    modules: list[nn.Module] = []
    for a, b in pairwise(widths):
        linear = nn.Linear(a, b, dtype=torch.float64, device="meta").to_empty(device="cpu")  # draws nothing global
        with torch.no_grad():
            linear.weight.copy_((2 / (a + b)) ** 0.5 * torch.randn(b, a, generator=generator, dtype=torch.float64))
            linear.bias.copy_(0.5 * torch.randn(b, generator=generator, dtype=torch.float64))
        modules += [linear, ACTIVATIONS[activation]()]
    return nn.Sequential(*modules[:-1])


class _Problem:
    """Residuals of a network in standard units and their Jacobian, as functions of one vector."""

    def __init__(self, body: nn.Sequential, x: Tensor, y: Tensor):
        self.body, self.x, self.y = body, x, y
        self.names = [name for name, _ in body.named_parameters()]
        self.shapes = [part.shape for part in body.parameters()]

    def call(self, theta: Tensor, x: Tensor) -> Tensor:
        """Evaluate at these parameters."""
        parts = theta.split([shape.numel() for shape in self.shapes])
        named = {name: p.view(s) for name, p, s in zip(self.names, parts, self.shapes, strict=True)}
        return functional_call(self.body, named, (x,))

    def residuals(self, theta: Tensor) -> Tensor:
        """Return all residuals, flat."""
        return (self.call(theta, self.x) - self.y).flatten()

    def jacobian(self, theta: Tensor) -> Tensor:
        """Return their derivatives, a row each."""
        return vmap(jacrev(self.call), (None, 0))(theta, self.x).flatten(0, -2)


def _train(problem: _Problem, theta: Tensor, steps: int) -> tuple[Tensor, float]:
    """Take so many steps downhill; return the parameters and the mean squared residual."""
    mu, r = _DAMPING, problem.residuals(theta)
    loss = float(r.square().mean())
    for _ in range(steps):
        jacobian = problem.jacobian(theta)
        gram, slope = jacobian.T @ jacobian, jacobian.T @ r
        while mu < _MOST:
            damped = gram + mu * torch.diag(gram.diagonal() + 1e-9 * gram.diagonal().max())
            factor, failed = torch.linalg.cholesky_ex(damped)
            tried = theta - torch.cholesky_solve(slope[:, None], factor)[:, 0]
            there = problem.residuals(tried)
            lower = float(there.square().mean())
            if not failed and lower < loss:
                theta, r, loss, mu = tried, there, lower, max(mu / _EASE, _LEAST)
                break
            mu *= _BRAKE
        else:
            break
    return theta, loss


@torch.no_grad()
def fit_mlp(
    dataset: Mapping[str, Any],
    hidden: Sequence[int],
    *,
    activation: str = "tanh",
    steps: int = 200,
    restarts: int = 8,
    seed: int = 0,
) -> MLP:
    """Train an MLP on the training part of a dataset by Levenberg-Marquardt.

    Parameters
    ----------
    hidden
        Nodes of each hidden layer, such as ``(12, 12)``.
    activation
        ``"tanh"``, ``"silu"`` or ``"relu"``.
    steps
        At most so many.
    restarts
        So many random starts take a few steps each; the best takes the rest.
    seed
        Of the starts.

    Raises
    ------
    ValueError
        For an unknown activation.

    Examples
    --------
    >>> from kanlab.problems import hello
    >>> dataset = hello.dataset(train_num=200)
    >>> model = fit_mlp(dataset, (5, 5), steps=30, restarts=2)
    >>> error = model(dataset["test_input"]) - dataset["test_label"]
    >>> bool(error.square().mean().sqrt() < 0.1)
    True
    """
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation is {activation!r}; allowed are {', '.join(map(repr, ACTIVATIONS))}")
    x, y = dataset["train_input"].double(), dataset["train_label"].double()
    generator = torch.Generator().manual_seed(seed)
    widths = [x.shape[1], *hidden, y.shape[1]]
    model = MLP(_body(widths, activation, generator), x, y)
    mean, std = model.units[1]
    x, y = model.standard(x), (y - mean) / std
    few, problem = _Problem(model.body, x[:_ROWS], y[:_ROWS]), _Problem(model.body, x, y)
    bodies = [model.body, *(_body(widths, activation, generator) for _ in range(restarts - 1))]
    starts = (nn.utils.parameters_to_vector(body.parameters()) for body in bodies)
    theta, _ = min((_train(few, start, min(steps, _FIRST)) for start in starts), key=lambda end: end[1])
    theta, _ = _train(problem, theta, steps - _FIRST)
    nn.utils.vector_to_parameters(theta, model.body.parameters())
    return model
