"""Which parts of the Lab are shown: a lesson hides what is not its subject."""

from __future__ import annotations

from collections.abc import Iterable

#: The panels and the parts of each that can be shown or hidden; `frontend/src/lib/parts.ts` has the same names.
PARTS: dict[str, tuple[str, ...]] = {
    "training": ("train", "step", "reset", "status", "lamb", "lamb_entropy", "grid", "optimizer", "more", "shape"),
    "graph": ("prune", "zoom", "save"),
    "inspector": ("plot", "bend", "constants", "fix", "remove", "candidates"),
    "formula": ("check", "auto_symbolic", "discover", "snap", "simplify", "copy"),
    "history": ("loss", "timeline", "undo", "compare", "script", "cell", "advice"),
}
_NAMES = (*PARTS, *(part for parts in PARTS.values() for part in parts))


def hidden_parts(show: Iterable[str] | None, hide: Iterable[str] | None) -> list[str]:
    """Return what is not to be seen: all but ``show`` (None: nothing), and ``hide``.

    A panel in ``show`` is shown with all its parts; a part in ``show`` brings its panel with that part alone.

    >>> hidden_parts(["graph", "train"], ["zoom"])[:4]
    ['inspector', 'formula', 'history', 'step']
    """
    hidden = _checked("hide", hide)
    if show is None:
        return hidden
    shown = set(_checked("show", show))
    for panel, parts in PARTS.items():
        if panel in shown:
            continue
        absent = [part for part in parts if part not in shown]
        hidden += [panel] if len(absent) == len(parts) else absent
    return sorted(set(hidden), key=_NAMES.index)


def _checked(what: str, names: Iterable[str] | None) -> list[str]:
    names = [] if names is None else [names] if isinstance(names, str) else list(names)
    unknown = [name for name in names if name not in _NAMES]
    if unknown:
        raise ValueError(f"{what} is {names!r}; there is no {unknown[0]!r}, there are {', '.join(_NAMES)}")
    return names
