import pytest
from torch import nn

from kanlab import KAN
from kanlab.problems.operations import operations


def test_a_kan_costs_its_edges_and_its_inputs_whatever_the_grid():
    # Inputs of both layers: (2 + 5) (6 · 6 + 4); edges: (10 + 5) · 2 · 5.
    assert operations(KAN([2, 5, 1], grid=3)) == 7 * 40 + 15 * 10
    assert operations(KAN([2, 5, 1], grid=100)) == operations(KAN([2, 5, 1], grid=3))


def test_removed_edges_cost_nothing():
    model = KAN([2, 5, 1], grid=3)
    before = operations(model)
    model.remove_edge(0, 0, 0)
    assert operations(model) == before - 10


def test_an_mlp_costs_twice_its_weights_its_biases_and_its_activations():
    smooth = nn.Sequential(nn.Linear(3, 4), nn.SiLU(), nn.Linear(4, 2))
    assert operations(smooth) == 2 * (12 + 8) + 6 + 4 * 4
    broken = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    assert operations(smooth) - operations(broken) == 4 * 3


def test_the_same_function_as_relus_costs_more():
    model = KAN([2, 5, 1], grid=10, k=1, base_fun="identity")
    assert operations(model.to_mlp()) > operations(model)


def test_named_edges_are_refused():
    model = KAN([2, 1])
    model.fix_symbolic(0, 0, 0, "sin")
    with pytest.raises(TypeError, match="named edges"):
        operations(model)
