"""The shapes a search tries, the cheapest first.

Each is a function of a problem, the search and the depth, and yields ``(origin, form)``.
"""

from kanlab.discover.menu.separable import separable

MENU = (separable,)
