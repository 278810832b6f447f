"""The KAN engine: torch only, no sympy, no Jupyter, no disk, no prints.

Inside the engine a batch lies last (``x`` is ``[in_dim, N]``), which makes every edge's samples contiguous; the public
calls take and give ``[batch, dim]``. Functions that say ``*s`` accept any leading dimensions, so that several models
of one shape can be run as one tensor program.
"""
