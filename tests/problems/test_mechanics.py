import sympy
import torch

from kanlab.problems import mechanics


def test_the_pendulums_energy_does_not_change_along_its_flow():
    states, flow = mechanics.pendulum(200, seed=2)
    q, p = states.T
    gradient = torch.stack([torch.sin(q), p], 1)
    assert float((gradient * flow).sum(1).abs().max()) < 1e-14
    assert bool((q.abs() <= 3).all() and (p.abs() <= 2).all())


def test_the_acceleration_is_that_of_the_lagrangian():
    q, v = sympy.symbols("q v")
    lagrangian = sympy.Rational(3, 2) * q - sympy.sqrt(1 - v**2)
    acceleration = sympy.diff(lagrangian, q) / sympy.diff(lagrangian, v, 2)
    states, found = mechanics.relativistic(100, seed=1, force=1.5)
    truth = sympy.lambdify((q, v), acceleration, "numpy")(*states.numpy().T)
    torch.testing.assert_close(found, torch.as_tensor(truth), rtol=1e-12, atol=0)


def test_the_seed_decides():
    for draw in (mechanics.pendulum, mechanics.relativistic):
        first, again, other = (draw(10, seed=seed)[0] for seed in (0, 0, 1))
        assert torch.equal(first, again)
        assert not torch.equal(first, other)
