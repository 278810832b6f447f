"""The shapes a search tries, the cheapest first.

Each is a function of a problem, the search and the depth, and yields ``(origin, form)``.
"""

from kanlab.discovery.menu.blocks import blocks
from kanlab.discovery.menu.extra import extra
from kanlab.discovery.menu.index import index
from kanlab.discovery.menu.monomial import monomial_with_offset
from kanlab.discovery.menu.peel import peel
from kanlab.discovery.menu.polynomial import polynomial
from kanlab.discovery.menu.powers import powers
from kanlab.discovery.menu.quadratic import quadratic
from kanlab.discovery.menu.rational import rational
from kanlab.discovery.menu.separable import separable
from kanlab.discovery.menu.single import single
from kanlab.discovery.menu.symmetry import symmetry
from kanlab.discovery.menu.varying import varying
from kanlab.discovery.menu.waves import waves

MENU = (
    single, powers, waves, separable, polynomial, rational, quadratic, monomial_with_offset, peel, symmetry, index,
    extra, blocks, varying,
)  # fmt: skip
