r"""Knots: the signature from the geometry of the complement, on the tables of KnotInfo.

The complement of most knots carries exactly one hyperbolic geometry, and with it numbers: a volume, and the shape of
the cusp that surrounds the knot, a torus spanned by the longitude ``λ`` (real) and the meridian ``μ = μ_r + i μ_i``.
The signature ``σ`` is an even number from the knot's algebra. That it nearly equals half of ``λ μ_r / |μ|^2``, the
natural slope, was noticed with the help of a network (Davies et al., Nature 600 (2021) 70, and arXiv:2111.15323). The
KAN paper repeats the study (arXiv:2404.19756, section 4.3).

The tables are those of KnotInfo (Livingston and Moore), in the package `database_knotinfo`, which is under the GPL and
not part of kanlab. They give ``μ_r`` without its sign, that is, without saying which of the two mirror images is meant;
so only ``|σ|`` can be asked for.
"""

import re
from collections.abc import Iterable, Mapping
from importlib import import_module

import torch
from jaxtyping import Float
from torch import Tensor

SOURCE = "arXiv:2404.19756, section 4.3"
#: The numbers of a pair such as "(0.98, -0.85)".
_NUMBER = re.compile(r"[-+.\deE]+")


def read(rows: Iterable[Mapping[str, str]]) -> dict[str, Float[Tensor, " knots"]]:
    """Return the hyperbolic knots among rows of KnotInfo that have all numbers, a column each.

    Parameters
    ----------
    rows
        Texts by KnotInfo's own names of columns.

    Returns
    -------
    dict
        ``volume``, ``cusp_volume``, ``longitude`` (λ), ``meridian_real`` (|μ_r|), ``meridian_imag`` (μ_i),
        ``chern_simons`` (its absolute value), ``crossings``, and ``signature`` (|σ|).

    Examples
    --------
    >>> knot = {"volume": "2.03", "maximum_cusp_volume": "1.73", "longitude_translation": "(6.93, 0)",
    ...         "meridian_translation": "(-0.5, 0.5)", "chern_simons_invariant": "-0.1", "crossing_number": "4",
    ...         "signature": "-2"}
    >>> {name: float(column[0]) for name, column in read([knot]).items() if name in ("meridian_real", "signature")}
    {'meridian_real': 0.5, 'signature': 2.0}
    """
    columns: dict[str, list[float]] = {}
    for row in rows:
        numbers = _numbers(row)
        for name, value in (numbers or {}).items():
            columns.setdefault(name, []).append(value)
    return {name: torch.tensor(column, dtype=torch.float64) for name, column in columns.items()}


def _numbers(row: Mapping[str, str]) -> dict[str, float] | None:
    """Return a knot's numbers; None where one is missing, as for knots that are not hyperbolic."""
    meridian = _NUMBER.findall(row["meridian_translation"])
    longitude = _NUMBER.findall(row["longitude_translation"])
    try:
        return {
            "volume": float(row["volume"]),
            "cusp_volume": float(row["maximum_cusp_volume"]),
            "longitude": float(longitude[0]),
            "meridian_real": abs(float(meridian[0])),
            "meridian_imag": float(meridian[1]),
            "chern_simons": abs(float(row["chern_simons_invariant"])),
            "crossings": float(row["crossing_number"]),
            "signature": abs(float(row["signature"])),
        }
    except (ValueError, IndexError):
        return None


def table() -> dict[str, Float[Tensor, " knots"]]:
    """Return KnotInfo's hyperbolic knots with their geometry, about 2,970 of at most 12 crossings.

    Raises
    ------
    ModuleNotFoundError
        When `database_knotinfo` is not installed.
    """
    try:
        knotinfo = import_module("database_knotinfo")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError('the tables of KnotInfo are missing: pip install "kanlab[knots]"') from error
    return read(knotinfo.link_list()[1:])


def natural_slope(
    longitude: Float[Tensor, " knots"], meridian_real: Float[Tensor, " knots"], meridian_imag: Float[Tensor, " knots"]
) -> Float[Tensor, " knots"]:
    """Return ``Re(λ / μ) = λ μ_r / (μ_r^2 + μ_i^2)`` (arXiv:2111.15323, definition 1.1).

    Examples
    --------
    >>> natural_slope(torch.tensor([10.0]), torch.tensor([1.0]), torch.tensor([1.0]))
    tensor([5.])
    """
    return longitude * meridian_real / (meridian_real**2 + meridian_imag**2)
