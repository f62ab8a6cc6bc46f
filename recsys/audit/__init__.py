"""From a model back to every consent behind it, each step checked and told in plain words.

:func:`audit` goes through the model's files, the signed statement of how it was trained, the run, the dataset version
part by part, its cards, the artists' registry, the consent ledger with every signature in it, and the standing of every
member: at the instant for which the version was built, as recorded then, and today.

What holds it together is the collective's public key: statements and heads are believed only if it signed them. Give
the key that you trust; without one the home's own is taken, which finds whatever was changed by somebody who does not
have the private key. Whoever has that can write another history, but not one that fits a head that somebody else kept.
"""

from __future__ import annotations

from recsys.audit.walk import audit

__all__ = ["audit"]
