"""The main job from start to finish, as the README does it: fit, prune, fit, name, refit, formula."""

from __future__ import annotations

import pytest

from tests.benchmarks import hello_path


@pytest.mark.parametrize("seed", range(5))
def test_hello_path_finds_the_formula_with_its_constants(seed):
    result = hello_path.run(seed)
    assert result.width == [2, 1, 1]
    assert result.exact, result.expr
    assert result.test_rmse < 1e-6
