"""Several outputs: one front of them together."""

from __future__ import annotations

from collections.abc import Sequence

from kanlab.discovery.finish import Part


def joint(outputs: Sequence[Sequence[Part]]) -> list[tuple[Part, ...]]:
    """Return combinations of one formula an output, from all simplest to all best.

    One output at a time goes on to a longer formula: the one that saves most bits for each part it adds.
    """
    steps = [_worthwhile(parts) for parts in outputs]
    at = [0] * len(steps)
    found = [tuple(step[0] for step in steps)]
    while True:
        gains = [_gain(step, place) for step, place in zip(steps, at, strict=True)]
        best = max(range(len(steps)), key=lambda k: gains[k])
        if gains[best] <= 0:
            return found
        at[best] += 1
        found.append(tuple(step[place] for step, place in zip(steps, at, strict=True)))


def _worthwhile(parts: Sequence[Part]) -> list[Part]:
    """Return the formulas that no shorter one betters, the shortest first."""
    kept: list[Part] = []
    for part in sorted(parts, key=lambda part: (part.parts, part.bits)):
        if not kept or part.bits < kept[-1].bits:
            kept.append(part)
    return kept


def _gain(step: Sequence[Part], place: int) -> float:
    """Return the bits saved for each part added by the next formula; 0 if there is none."""
    if place + 1 == len(step):
        return 0.0
    here, there = step[place], step[place + 1]
    return (here.bits - there.bits) / max(there.parts - here.parts, 1)
