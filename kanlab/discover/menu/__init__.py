"""The shapes a search tries, the cheapest first.

Each is a function of a problem, the search and the depth, and yields ``(origin, form)``.
"""

from kanlab.discover.menu.blocks import blocks
from kanlab.discover.menu.extra import extra
from kanlab.discover.menu.index import index
from kanlab.discover.menu.monomial import monomial_with_offset
from kanlab.discover.menu.peel import peel
from kanlab.discover.menu.polynomial import polynomial
from kanlab.discover.menu.rational import rational
from kanlab.discover.menu.separable import separable
from kanlab.discover.menu.single import single
from kanlab.discover.menu.symmetry import symmetry
from kanlab.discover.menu.varying import varying

MENU = (
    single, separable, polynomial, rational, monomial_with_offset, peel, symmetry, index, extra, blocks, varying,
)  # fmt: skip
