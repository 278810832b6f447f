import torch

from kanlab.discovery.lattice import bases, small_vectors


def test_vectors_come_once_up_to_a_factor():
    rows = small_vectors(3, 2).tolist()
    assert [0, 0, 2] not in rows
    assert [0, -1, 0] not in rows
    assert len({tuple(row) for row in rows}) == len(rows)


def test_a_plane_is_given_by_its_simplest_vectors():
    plane, _ = torch.linalg.qr(torch.tensor([[1.0, -1, 0, 0], [0, 0, 1, 2]], dtype=torch.float64).T)
    assert next(bases(plane.T, 1e-6)).tolist() == [[1, -1, 0, 0], [0, 0, 1, 2]]


def test_the_whole_space_has_the_unit_vectors():
    assert next(bases(torch.eye(3, dtype=torch.float64), 0.1)).tolist() == torch.eye(3).tolist()


def test_inputs_that_do_not_occur_get_nothing():
    line = torch.tensor([[0.0, 0, 0, 0, 1, 0, 0, -2, 0]], dtype=torch.float64)
    assert next(bases(line / line.norm(), 0.05)).tolist() == line.tolist()
