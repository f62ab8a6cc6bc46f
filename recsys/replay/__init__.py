"""The story of one sale, told again with members who do not exist: from their exports to their cents, and beyond.

``cast`` says who does what and when, ``stage`` where it is played, ``acts`` are the story, each a page of calls to the
rooms that do the work, ``review`` looks at what is left as a stranger would, ``story`` tells it.

Everything but the people is real: exports, consents, ballots, keys, seals, the model, the licence, the money's
arithmetic. Keys are derived from the seed, so that anybody may look into them; a real collective's are drawn at random.
An interrupted story goes on with the act it was in.
"""

from __future__ import annotations

from recsys.replay.stage import Stage
from recsys.replay.story import Told, tell

__all__ = ["Stage", "Told", "tell"]
