import numpy as np
import pytest
import sympy

from kanlab.problems import feynman
from kanlab.symbolic.parser import parse


@pytest.mark.parametrize("name", feynman.ROWS)
def test_text_and_function_are_one_equation(name):
    row = feynman.ROWS[name]
    data = feynman.dataset(name, train_num=50, test_num=5, seed=3)
    truth = sympy.lambdify([sympy.Symbol(v) for v in row.variables], parse(row.text, row.variables), "numpy")
    np.testing.assert_allclose(data["train_label"][:, 0], truth(*data["train_input"].numpy().T), rtol=1e-12, atol=1e-14)
    assert data["input_names"] == list(row.variables)


def test_all_27_rows_of_the_table_are_there():
    assert len(feynman.ROWS) == 27


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match=r"no equation 'I\.1': they are I\.6\.2, "):
        feynman.dataset("I.1")
