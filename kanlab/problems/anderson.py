r"""Anderson localisation: three quasiperiodic chains whose mobility edge is known exactly.

An electron on a chain with a potential that never repeats is either *extended* over the chain or *localised* somewhere,
depending on its energy. Where the two meet is the mobility edge ``g(E, parameters) = 0``. With
``c_n = cos(2π b n + φ)``, ``b = (√5 - 1) / 2`` and nearest neighbours coupled by 1:

====== ============================================== ===================================== ==========================
chain  potential                                      couplings                             g > 0: localised
====== ============================================== ===================================== ==========================
mosaic ``2 λ c_n`` at even sites, else 0              1                                     ``λ |E| - 1``
GAAM   ``2 λ c_n / (1 - α c_n)``                      1                                     ``α E + 2 λ - 2``
MAAM   ``λ c_n``                                      ``exp(p (1 - d))`` at distance ``d``  ``λ cosh p - E - exp p``
====== ============================================== ===================================== ==========================

Sources: Wang et al., Phys. Rev. Lett. 125 (2020) 196604; Ganeshan, Pixley, Das Sarma, Phys. Rev. Lett. 114 (2015)
146601; Biddle, Das Sarma, Phys. Rev. Lett. 104 (2010) 070601; all three in the KAN paper (arXiv:2404.19756, 4.4).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

SOURCE = "arXiv:2404.19756, section 4.4 and table 5"
#: Irrational, and worst approximated by fractions: the potential never nearly repeats.
GOLDEN = (math.sqrt(5) - 1) / 2
#: A state with a fractal dimension below is called localised; a finite chain has a few states in between.
LOCALISED_BELOW = 0.5


@dataclass(frozen=True)
class Chain:
    """One family of chains.

    Attributes
    ----------
    names
        Of the parameters, in order.
    ranges
        ``(low, high)`` of each.
    matrix
        The Hamiltonian of ``cos(2π b n + φ)`` at each site and the parameters.
    edge
        ``g`` of the energy and the parameters: positive where states are localised.
    """

    names: tuple[str, ...]
    ranges: tuple[tuple[float, float], ...]
    matrix: Callable[..., Float[Tensor, "sites sites"]]
    edge: Callable[..., Tensor]


def _distances(sites: int) -> Float[Tensor, "sites sites"]:
    """Return how far sites are apart on the ring."""
    n = torch.arange(sites, dtype=torch.float64)
    apart = (n[:, None] - n).abs()
    return torch.minimum(apart, sites - apart)


def _neighbours(potential: Float[Tensor, " sites"]) -> Float[Tensor, "sites sites"]:
    return torch.diag(potential) + (_distances(len(potential)) == 1).double()


def _mosaic(wave: Float[Tensor, " sites"], lamb: Tensor) -> Float[Tensor, "sites sites"]:
    return _neighbours(torch.where(torch.arange(len(wave)) % 2 == 0, 2 * lamb * wave, 0.0))


def _gaam(wave: Float[Tensor, " sites"], alpha: Tensor, lamb: Tensor) -> Float[Tensor, "sites sites"]:
    return _neighbours(2 * lamb * wave / (1 - alpha * wave))


def _maam(wave: Float[Tensor, " sites"], p: Tensor, lamb: Tensor) -> Float[Tensor, "sites sites"]:
    apart = _distances(len(wave))
    return torch.diag(lamb * wave) + torch.where(apart > 0, torch.exp(p * (1 - apart)), 0.0)


MOSAIC = Chain(("lambda",), ((0.1, 2.0),), _mosaic, lambda energy, lamb: lamb * energy.abs() - 1)
GAAM = Chain(
    ("alpha", "lambda"), ((-0.5, 0.5), (0.1, 1.5)), _gaam, lambda energy, alpha, lamb: alpha * energy + 2 * lamb - 2
)
MAAM = Chain(
    ("p", "lambda"), ((1.0, 3.0), (0.2, 3.5)), _maam,
    lambda energy, p, lamb: lamb * torch.cosh(p) - energy - torch.exp(p),
)  # fmt: skip
CHAINS = {"mosaic": MOSAIC, "GAAM": GAAM, "MAAM": MAAM}


def fractal_dimension(states: Float[Tensor, "sites states"]) -> Float[Tensor, " states"]:
    """Return ``-log(Σ |ψ_n|^4) / log(sites)`` of normalised states: 0 on one site, 1 all over.

    Examples
    --------
    >>> fractal_dimension(torch.tensor([[1.0, 0.5], [0.0, 0.5], [0.0, 0.5], [0.0, 0.5]])).abs()
    tensor([0., 1.])
    """
    return -states.pow(4).sum(0).log() / math.log(len(states))


def spectrum(
    chain: Chain, parameters: Float[Tensor, " k"], phase: float = 0.0, sites: int = 144
) -> tuple[Float[Tensor, " sites"], Float[Tensor, " sites"]]:
    """Return the energies of one ring of the family and the fractal dimension of their states.

    Raises
    ------
    ValueError
        When the number of parameters is not the family's.

    Examples
    --------
    >>> energy, dimension = spectrum(GAAM, torch.tensor([0.0, 3.0]), sites=55)
    >>> energy.shape, bool(dimension.max() < 0.5)
    (torch.Size([55]), True)
    """
    if len(parameters) != len(chain.names):
        raise ValueError(f"{len(parameters)} parameters were given; this chain has {', '.join(chain.names)}")
    wave = torch.cos(2 * torch.pi * GOLDEN * torch.arange(sites, dtype=torch.float64) + phase)
    energy, states = torch.linalg.eigh(chain.matrix(wave, *parameters))
    return energy, fractal_dimension(states)


def dataset(
    chain: Chain, train_num: int = 2000, test_num: int = 2000, rings: int = 240, seed: int = 0
) -> dict[str, Any]:
    """Diagonalise rings with random parameters and phases; each state is localised (1) or not (0).

    Half of the rings give the states to train on, the other half those to test on.

    Returns
    -------
    dict
        As `kanlab.create_dataset` returns it; the inputs are the energy ``E`` and the chain's parameters, the label is
        what the fractal dimension says (see `LOCALISED_BELOW`). ``"train_dimension"`` and ``"test_dimension"`` hold the
        dimension itself.

    Raises
    ------
    ValueError
        When the rings have too few states for the rows asked for.

    Examples
    --------
    >>> data = dataset(MOSAIC, train_num=50, test_num=20, rings=4)
    >>> data["input_names"], data["train_input"].shape, data["train_label"].unique().tolist()
    (['E', 'lambda'], torch.Size([50, 2]), [0.0, 1.0])
    """
    generator = torch.Generator().manual_seed(seed)
    data: dict[str, Any] = {"input_names": ["E", *chain.names], "output_names": ["localised"]}
    for part, count in (("train", train_num), ("test", test_num)):
        states = torch.cat([_ring(chain, generator) for _ in range(rings // 2)])
        if count > len(states):
            raise ValueError(f"{rings} rings give {len(states)} states for {part}ing; {count} were asked for")
        states = states[torch.randperm(len(states), generator=generator)[:count]]
        data[f"{part}_input"], data[f"{part}_dimension"] = states[:, :-1], states[:, -1]
        data[f"{part}_label"] = (states[:, -1:] < LOCALISED_BELOW).double()
    return data


def _ring(chain: Chain, generator: torch.Generator) -> Float[Tensor, "sites columns"]:
    """Return energy, parameters and dimension of the states of a random ring."""
    low, high = torch.tensor(chain.ranges, dtype=torch.float64).T
    parameters = low + (high - low) * torch.rand(len(low), generator=generator, dtype=torch.float64)
    phase = 2 * torch.pi * float(torch.rand(1, generator=generator))
    energy, dimension = spectrum(chain, parameters, phase)
    return torch.column_stack([energy, parameters.expand(len(energy), -1), dimension])


def accuracy_of_theory(chain: Chain, inputs: Float[Tensor, "n columns"], label: Float[Tensor, "n 1"]) -> float:
    """Return how often the exact mobility edge says what the states of finite rings show.

    Examples
    --------
    >>> data = dataset(GAAM, train_num=500, test_num=0, rings=8)
    >>> accuracy_of_theory(GAAM, data["train_input"], data["train_label"]) > 0.97
    True
    """
    guess = chain.edge(*inputs.T) > 0
    return float((guess == (label[:, 0] > 0.5)).double().mean())
