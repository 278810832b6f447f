"""Whether a Lab stays as it is through a long training: memory of kernel and page, and every message counted."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from tests.browser.lab_page import LabPage
from tests.browser.notebook import Notebook

#: Runs in the page before anything else: notes the custom messages of widgets that come through the kernel's socket.
#: Jupyter's binary protocol (v1.kernel.websocket.jupyter.org): a count, that many offsets, then the parts; the fifth is
#: the content. Only its beginning is decoded.
LISTEN = """
window.heard = {messages: 0, frames: 0, gaps: 0, seq: null, done: 0};
const Native = window.WebSocket;
window.WebSocket = class extends Native {
  constructor(...args) {
    super(...args);
    this.addEventListener('message', ({data}) => {
      if (!(data instanceof ArrayBuffer)) return;
      const view = new DataView(data);
      const offset = (n) => Number(view.getBigUint64(8 * (n + 1), true));
      const text = new TextDecoder().decode(new Uint8Array(data, offset(4), Math.min(600, offset(5) - offset(4))));
      if (!text.includes('"method": "custom"') && !text.includes('"method":"custom"')) return;
      heard.messages += 1;
      if (/"kind": ?"done"/.test(text)) heard.done += 1;
      const frame = /"kind": ?"frame", ?"seq": ?(\\d+)/.exec(text);
      if (!frame) return;
      const seq = Number(frame[1]);
      if (heard.seq !== null && seq !== heard.seq + 1) heard.gaps += 1;
      heard.frames += 1;
      heard.seq = seq;
    });
  }
};
"""
#: Counts what the kernel sends, and lets it rest after each step, so that an hour leaves the cores to others.
COUNT = """
sent, send, trained = [0], lab.send, hub.stepped
def counting(content, buffers=None):
    sent[0] += 1
    send(content, buffers)
lab.send = counting
def resting(step):
    trained(step)
    time.sleep({rest})
hub.stepped = resting
"""
#: Seconds between looks, how often a slider moves in between, and minutes before the first, in which caches fill.
EVERY, MOVES, WARM = 30.0, 3, 1.0


@dataclass(frozen=True)
class Look:
    """What is used at one moment: bytes of the kernel, of the page's heap after a collection, and nodes of the page."""

    kernel: float
    heap: float
    nodes: float


@dataclass(frozen=True)
class Stay:
    """A long training: growth in percent from the first tenth of the looks to the last, and what was lost."""

    minutes: float
    steps: int
    messages: int
    lost: int
    unanswered: int
    kernel: float
    heap: float
    nodes: float

    def __str__(self) -> str:
        grown = ", ".join(f"{value:+.1f} %" for value in (self.kernel, self.heap, self.nodes))
        return f"{grown}; {self.lost} of {self.messages} messages, {self.unanswered} commands unanswered"


def stay(book: Notebook, lab: LabPage, minutes: float, *, rest: float = 0.005) -> Stay:
    """Train for so long with the Lab open, a slider moving now and then.

    Parameters
    ----------
    book
        Opened with `LISTEN` in its page.
    rest
        Seconds that the kernel sleeps after each step.
    """
    book.kexec(COUNT.format(rest=rest))
    book.page.evaluate("() => Object.assign(window.heard, {messages: 0, frames: 0, gaps: 0, seq: null, done: 0})")
    book.kexec("lab.start()")
    looks = []
    for look in _looks(book, lab, WARM + minutes):
        looks.append(look)
        print(f"{len(looks) * EVERY / 60:.1f} min {json.dumps(vars(look))}", file=sys.stderr, flush=True)
    asked = MOVES * len(looks)
    looks = looks[round(60 * WARM / EVERY) :]
    lab.button("Pause").click()
    lab.button("Train").wait_for()
    book.page.wait_for_timeout(3000)
    heard = book.page.evaluate("window.heard")
    sent = int(book.keval("sent[0]"))
    tenth = max(1, len(looks) // 10)

    def grown(name: str) -> float:
        first, last = looks[:tenth], looks[-tenth:]
        ends = [statistics.median(getattr(look, name) for look in part) for part in (first, last)]
        return 100 * (ends[1] / ends[0] - 1)

    return Stay(
        minutes,
        int(book.keval("lab.session.current.step")),
        sent,
        sent - heard["messages"] + heard["gaps"],
        asked + 1 - heard["done"],  # and the Pause
        *(grown(name) for name in ("kernel", "heap", "nodes")),
    )


def _looks(book: Notebook, lab: LabPage, minutes: float) -> Iterator[Look]:
    """Look every `EVERY` seconds, a slider having moved."""
    devtools = book.page.context.new_cdp_session(book.page)
    devtools.send("Performance.enable")
    slider = lab.slider("lamb")
    for number in range(round(60 * minutes / EVERY)):
        for move in range(MOVES):
            book.page.wait_for_timeout(1000 * EVERY / MOVES)
            slider.press("ArrowLeft" if (number * MOVES + move) % 2 else "ArrowRight")
        devtools.send("HeapProfiler.collectGarbage")
        metrics = {entry["name"]: entry["value"] for entry in devtools.send("Performance.getMetrics")["metrics"]}
        kernel = book.keval("int(open('/proc/self/statm').read().split()[1]) * os.sysconf('SC_PAGE_SIZE')")
        yield Look(float(kernel), metrics["JSHeapUsedSize"], metrics["Nodes"])
