"""The Lab: all panels on one session."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from kanlab.data import check_dataset, dataset_from
from kanlab.kan import KAN
from kanlab.session import Session
from kanlab.widgets._autosave import require_no_loss, resumed
from kanlab.widgets._base import Panel, finished
from kanlab.widgets._cells import replace_in_cell
from kanlab.widgets._page import write_page
from kanlab.widgets.formula import FormulaPanel
from kanlab.widgets.graph import NetworkGraph
from kanlab.widgets.history import HistoryPanel
from kanlab.widgets.inspector import Inspector
from kanlab.widgets.training import TrainingPanel

#: Hidden sums of the model that is made when only data is given: the paper's "start small".
_HIDDEN, _GRID = 5, 5


class Lab(Panel):
    """See, steer and read a KAN.

    Parameters
    ----------
    source
        A `KAN` (with ``dataset``), a `Session`, a dataset, or a pandas DataFrame (with ``target``). Without a model,
        one with five hidden sums is made.
    dataset
        As `kanlab.create_dataset` and `kanlab.dataset_from` make it.
    names, out_names
        Of the inputs and outputs.
    target
        The column of a DataFrame that is to be explained.
    seed
        Of the model that is made, and of the split of a DataFrame.

    autosave
        A file that the session is written to after every command, and every five seconds while it trains, so that a
        kernel that dies loses no more than that. The same call goes on with what the file holds, if it began with the
        same data and the same model; so does ``Lab(Session.load("work.kan"), autosave="work.kan")``.
    show, hide
        The panels and parts to show (None: all) and to hide; see `kanlab.widgets._parts.PARTS`.
    language
        ``"en"``, ``"ko"``, ``"zh"``, ``"ja"``; None: the browser's.

    Examples
    --------
    >>> from kanlab import KAN, Lab, create_dataset
    >>> dataset = create_dataset(lambda x: x[:, 0] * 2, n_var=1, train_num=60, test_num=30)
    >>> lab = Lab(KAN([1, 1]), dataset, names=["x"])
    >>> lab.start(steps=5)
    >>> lab.wait(timeout=60)
    True
    >>> lab.session.current.label
    'fit 5, lamb 0.001'
    """

    def __init__(
        self,
        source: KAN | Session | Mapping[str, Any] | Any,
        dataset: Mapping[str, Any] | None = None,
        *,
        names: Sequence[str] | None = None,
        out_names: Sequence[str] | None = None,
        target: str | None = None,
        seed: int = 0,
        autosave: str | os.PathLike[str] | None = None,
        **options: Any,
    ):
        session = _session(source, dataset, names, out_names, target, seed)
        path = None if autosave is None else pathlib.Path(autosave)
        if path is not None and isinstance(source, Session):
            require_no_loss(session, path)
        elif path is not None:
            session = resumed(session, path)
        super().__init__(session, panel="lab", **options)
        if path is not None:
            self.hub.autosave.path = path
        replace_in_cell(self.hub)

    # ---- the panels, each to be shown alone, in sync

    @cached_property
    def graph(self) -> NetworkGraph:
        """The network graph."""
        return NetworkGraph(self.session)

    @cached_property
    def training(self) -> TrainingPanel:
        """The training panel."""
        return TrainingPanel(self.session)

    @cached_property
    def inspector(self) -> Inspector:
        """The inspector."""
        return Inspector(self.session)

    @cached_property
    def formula(self) -> FormulaPanel:
        """The formula panel."""
        return FormulaPanel(self.session)

    @cached_property
    def history(self) -> HistoryPanel:
        """The history panel."""
        return HistoryPanel(self.session)

    # ---- the same by code

    @property
    def model(self) -> KAN:
        """The session's model."""
        return self.session.model

    def start(self, steps: int | None = None) -> None:
        """Train in the background: ``steps`` more, or until paused or converged."""
        self.hub.start(steps)

    def pause(self) -> None:
        """Stop after the present step."""
        self.hub.runner.pause()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until training and commands are done; False when the time is over first."""
        return self.hub.runner.wait(timeout)

    def to_html(self, path: str | os.PathLike[str], title: str | None = None) -> pathlib.Path:
        """Write one page that needs no kernel and no network: network, inspector and formula, inputs on sliders.

        Training is paused first. The front end evaluates the model, to the last digits as Python does.

        Parameters
        ----------
        path
            Of the file, such as ``"work.html"``; an older one is replaced.
        title
            Of the page.
        """
        self.pause()
        title = title or f"{', '.join(self.session.out_names)} from {', '.join(self.session.names)}"
        written = self.hub.runner.submit(
            lambda: write_page(self.hub, pathlib.Path(path), title=title, language=self.language, hidden=self.hidden)
        )
        return finished(written, None)

    def close(self) -> None:
        """Stop training and close the view; the session stays."""
        if hasattr(self, "hub"):  # not so where the arguments were refused
            self.hub.runner.cancel()
        super().close()


def _session(
    source: Any,
    dataset: Mapping[str, Any] | None,
    names: Sequence[str] | None,
    out_names: Sequence[str] | None,
    target: str | None,
    seed: int,
) -> Session:
    if isinstance(source, Session):
        return source
    if isinstance(source, KAN):
        if dataset is None:
            raise TypeError("Lab(model) needs a dataset too: Lab(model, dataset)")
        return Session(source, dataset, names, out_names)
    if not isinstance(source, Mapping):
        if target is None:
            raise TypeError(
                f"Lab takes a KAN with a dataset, a Session, a dataset, or a DataFrame with target=...; "
                f"this is a {type(source).__name__}"
            )
        source = dataset_from(source, target, seed=seed)
    checked = check_dataset(source)
    n_in, label = checked["train_input"].shape[1], checked["train_label"]
    n_out = label.shape[1] if label.ndim == 2 else int(label.max()) + 1
    return Session(KAN([n_in, _HIDDEN, n_out], grid=_GRID, seed=seed), source, names, out_names)
