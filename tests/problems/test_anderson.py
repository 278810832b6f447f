import math

import pytest
import torch

from kanlab.problems import anderson


@pytest.mark.parametrize("name", anderson.CHAINS)
def test_the_exact_edge_tells_the_states_of_finite_rings(name: str):
    chain = anderson.CHAINS[name]
    data = anderson.dataset(chain, train_num=800, test_num=0, rings=12, seed=3)
    assert anderson.accuracy_of_theory(chain, data["train_input"], data["train_label"]) > 0.93


@pytest.mark.parametrize("name", anderson.CHAINS)
def test_hamiltonians_are_symmetric_and_coupled_by_one(name: str):
    chain = anderson.CHAINS[name]
    wave = torch.cos(torch.arange(12, dtype=torch.float64))
    matrix = chain.matrix(wave, *(torch.tensor(high) for _, high in chain.ranges))
    torch.testing.assert_close(matrix, matrix.T)
    assert matrix[0, 1] == matrix[0, 11] == 1.0, "nearest neighbours, on a ring"


def test_without_a_potential_energies_are_those_of_plane_waves():
    energy, dimension = anderson.spectrum(anderson.GAAM, torch.zeros(2, dtype=torch.float64), sites=21)
    waves = 2 * torch.cos(2 * torch.pi * torch.arange(21, dtype=torch.float64) / 21)
    torch.testing.assert_close(energy, waves.sort().values)
    assert dimension.min() > 1 + math.log(2 / 3) / math.log(21) - 1e-12, "two degenerate waves beat at most to 3/2"


def test_parts_come_from_different_rings_and_the_seed_counts():
    data = anderson.dataset(anderson.MOSAIC, train_num=40, test_num=40, rings=4, seed=1)
    train, test = (set(data[f"{part}_input"][:, 1].tolist()) for part in ("train", "test"))
    assert len(train) == len(test) == 2
    assert not train & test
    assert not torch.equal(data["train_input"], anderson.dataset(anderson.MOSAIC, 40, 40, 4, seed=2)["train_input"])


def test_too_many_rows_and_wrong_parameters_are_refused():
    with pytest.raises(ValueError, match="2 rings give 144 states for training; 500 were asked for"):
        anderson.dataset(anderson.MOSAIC, train_num=500, rings=2)
    with pytest.raises(ValueError, match="1 parameters were given; this chain has alpha, lambda"):
        anderson.spectrum(anderson.GAAM, torch.ones(1))
