import pytest
import torch

from kanlab.problems import knots

#: Three knots as KnotInfo writes them: the figure eight, one whose numbers are missing, and the trefoil.
_FIGURE_EIGHT = {
    "volume": "2.0298832128", "maximum_cusp_volume": "1.7320508076", "longitude_translation": "(3.464101615, 0)",
    "meridian_translation": "(0, 1.)", "chern_simons_invariant": "0", "crossing_number": "4", "signature": "0",
}  # fmt: skip
_UNKNOWN = _FIGURE_EIGHT | {"meridian_translation": ""}
_TREFOIL = _FIGURE_EIGHT | {"volume": "Not Hyperbolic", "signature": "-2"}


def test_reading_keeps_hyperbolic_knots_with_all_numbers():
    columns = knots.read([_TREFOIL, _FIGURE_EIGHT, _UNKNOWN])
    assert {len(column) for column in columns.values()} == {1}
    assert columns["longitude"].item() == 3.464101615
    assert columns["meridian_imag"].item() == 1.0


def test_signs_that_mean_chirality_are_dropped():
    columns = knots.read([_FIGURE_EIGHT | {"signature": "-4", "meridian_translation": "(-.5, 0.8)"}])
    assert (columns["signature"].item(), columns["meridian_real"].item()) == (4.0, 0.5)


def test_slope_is_the_real_part_of_a_complex_quotient():
    generator = torch.Generator().manual_seed(0)
    longitude, real, imag = torch.rand(3, 20, generator=generator, dtype=torch.float64) + 0.1
    torch.testing.assert_close(knots.natural_slope(longitude, real, imag), (longitude / torch.complex(real, imag)).real)


def test_missing_tables_say_what_to_install(monkeypatch: pytest.MonkeyPatch):
    def absent(name: str):
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr(knots, "import_module", absent)
    with pytest.raises(ModuleNotFoundError, match=r"pip install \"kanlab\[knots\]\""):
        knots.table()


def test_the_real_table_obeys_the_exact_law_of_the_cusp():
    pytest.importorskip("database_knotinfo")
    table = knots.table()
    assert len(table["volume"]) > 2900
    torch.testing.assert_close(table["cusp_volume"], table["longitude"] * table["meridian_imag"] / 2, atol=1e-7, rtol=0)
    slope = knots.natural_slope(table["longitude"], table["meridian_real"], table["meridian_imag"])
    assert torch.corrcoef(torch.stack([slope, table["signature"]]))[0, 1] > 0.9
