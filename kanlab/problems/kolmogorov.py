r"""The inner function of Kolmogorov's theorem, as Sprecher and Köppen built it.

Kolmogorov (1957): every continuous f on :math:`[0, 1]^n` is
:math:`\sum_{q=0}^{2n} \Phi_q\bigl(\sum_p \lambda_p \psi(x_p + q a)\bigr)` with one continuous, increasing
:math:`\psi` that does not depend on f. Sprecher (1996) gave it digit by digit, Köppen (2002) put it right, Braun and
Griebel (Constructive Approximation 30, 2009) proved it. In base :math:`\gamma`, with
:math:`\beta(k) = (n^k - 1)/(n - 1)`, a number :math:`d_k` of k digits whose last is :math:`i_k` has

.. math:: \psi_k(d_k) = \psi_{k-1}(d_k - i_k\gamma^{-k}) + i_k\gamma^{-\beta(k)} \quad\text{for } i_k < \gamma - 1,

and half of :math:`\psi_k(d_k - \gamma^{-k}) + \psi_{k-1}(d_k + \gamma^{-k})` for :math:`i_k = \gamma - 1`. It is a
staircase whose steps have smaller staircases between them, and so on: flat almost everywhere, steep in between.

>>> x, psi = inner_function(1, base=8)
>>> psi.tolist()
[0.0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0]
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray

SOURCE = "Braun and Griebel, Constructive Approximation 30 (2009)"


def inner_function(
    digits: int, base: int = 10, n_var: int = 2
) -> tuple[Float[ndarray, " points"], Float[ndarray, " points"]]:
    """Return the numbers of so many digits from 0 to 1, and the inner function at each.

    Parameters
    ----------
    digits
        How far the staircase is carried, 1 to 6: it has ``base**digits`` steps.
    base
        At least ``2 * n_var + 2``, as the theorem's proof needs it.
    n_var
        Number of variables of the functions that are to be represented, 2 or more.

    Raises
    ------
    ValueError
        If one of them is out of its range.

    Examples
    --------
    >>> x, psi = inner_function(2)
    >>> x[[3, 9, 10, 11]].tolist(), psi[[3, 9, 10, 11]].round(4).tolist()
    ([0.03, 0.09, 0.1, 0.11], [0.003, 0.054, 0.1, 0.101])
    """
    if not 1 <= digits <= 6:
        raise ValueError(f"digits is {digits}; allowed are 1 to 6")
    if n_var < 2 or base < 2 * n_var + 2:
        raise ValueError(
            f"n_var is {n_var} and base {base}; allowed are n_var from 2 on and base from 2 * n_var + 2 on"
        )
    psi = np.arange(base + 1) / base
    for k in range(2, digits + 1):
        beta = (n_var**k - 1) // (n_var - 1)
        steps = psi[:-1, None] + np.arange(base) * float(base) ** -beta
        steps[:, -1] = (steps[:, -2] + psi[1:]) / 2
        psi = np.append(steps, 1.0)
    return np.arange(base**digits + 1) / base**digits, psi
