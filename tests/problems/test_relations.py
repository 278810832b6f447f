import pytest
import torch

from kanlab.problems import relations


def rows(data):
    return torch.cat([data["train_input"], data["test_input"]]), torch.cat([data["train_label"], data["test_label"]])


def obeys(x):
    """Say of each row whether the relation of three columns and that of two hold."""
    triple = (x[:, 2] - torch.exp(torch.sin(torch.pi * x[:, 0]) + x[:, 1] ** 2)).abs() < 1e-12
    return triple, (x[:, 4] - x[:, 3] ** 3).abs() < 1e-12


def test_real_rows_obey_both_relations_and_false_ones_neither():
    x, real = rows(relations.contrast(relations.table(200, seed=1), seed=2))
    for holds in obeys(x):
        assert bool(holds[real[:, 0] == 1].all())
        assert int(holds[real[:, 0] == 0].sum()) < 10, "a permutation leaves a row or two in place"


def test_false_rows_have_each_columns_values():
    table = relations.table(50)
    x, real = rows(relations.contrast(table))
    assert torch.equal(x[real[:, 0] == 0].sort(0).values, table.sort(0).values)


def test_columns_shuffled_together_keep_their_relation():
    x, real = rows(relations.contrast(relations.table(200), together=[(3, 4)]))
    triple, pair = obeys(x[real[:, 0] == 0])
    assert bool(pair.all())
    assert int(triple.sum()) < 10


@pytest.mark.parametrize("together", [[(0, 6)], [(0, 1), (1, 2)], [(-1,)]])
def test_impossible_groups_are_refused(together):
    with pytest.raises(ValueError, match="may stand in it once"):
        relations.contrast(relations.table(10), together=together)
