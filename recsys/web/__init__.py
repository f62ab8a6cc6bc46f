"""Pages that open on the own machine alone: the sample model's room.

``server`` verifies a bundle and serves it, ``guards`` stand before every page, ``room`` holds the sample and looks at
its file again, ``app`` has the addresses, ``trying``, ``figures``, ``listeners`` and ``words`` what is shown, ``pages``
how it is laid out.

Why it is as it is:

* *Verified first.* A room is made from a :class:`~recsys.bundle.SampleModel`, which only a verified bundle gives. Once
  a later look at the file fails, or the terms have ended, nothing of the sample is shown any more.
* *Nothing kept.* No cookies, no sessions, no log of requests, no temporary files: picks stand in the address, and an
  upload lives in memory until its answer is sent.
* *Works without a script.* Everything is links and forms; the one script offers names while one types.
* *Figures are drawn in the page*, not by Matplotlib: they take the colours of the reader's scheme, stay sharp and
  readable on a phone, and need no inline style, which the content security policy forbids.
"""

from recsys.web.app import application
from recsys.web.room import Room
from recsys.web.server import listening, run, serve

__all__ = ["Room", "application", "listening", "run", "serve"]
