from __future__ import annotations

import pytest
import torch

from kanlab.engine.gram import gram


@pytest.mark.parametrize("size", [1, 50, 97, 250, 401])
def test_gram_is_the_product_with_the_transpose(size):
    rows = torch.randn(size, 30, generator=torch.Generator().manual_seed(size), dtype=torch.float64)
    product = gram(rows)
    torch.testing.assert_close(product, rows @ rows.T, rtol=1e-12, atol=1e-12)
    assert torch.equal(product, product.T) or size <= 96
