"""Exit codes that mean something, and errors in one line."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from recsys import errors

FAULT = 1
USAGE = 2
CODES: dict[type[Exception], int] = {
    errors.ConfigError: USAGE,
    errors.UnreadableExportError: 3,
    errors.ConsentError: 4,
    errors.DatasetError: 5,
    errors.ModelError: 6,
    errors.RunNotFoundError: 7,
    errors.BundleError: 10,
    errors.CollectiveError: 11,
    errors.SignatureInvalidError: 8,
    errors.ProofInvalidError: 8,
    errors.LogBrokenError: 4,
    errors.StorageError: FAULT,
    ValueError: USAGE,
}
UNSOUND = 9
INTERRUPTED = 130


def explained(app: App, arguments: Sequence[str]) -> int:
    """Run a command; say what went wrong, if anything did, and give the exit code.

    0: done. 1: a fault of this program or of its system. 2: usage or configuration. 3: an export. 4: consent.
    5: a dataset version. 6: a model. 7: no such run. 8: a signature. 9: a verdict
    with a check that fails. 10: a bundle or its terms. 11: the members' rules. 130: interrupted.
    """
    try:
        result = app(list(arguments), exit_on_error=False, print_error=True, result_action="return_value")
    except CycloptsError:
        return USAGE
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; what was finished is kept, run the command again to go on\n")
        return INTERRUPTED
    except (errors.RecsysError, ValueError) as error:
        sys.stderr.write(f"recsys: {error}\n")
        return next(code for kind, code in CODES.items() if isinstance(error, kind))
    except OSError as error:
        sys.stderr.write(f"recsys: {error}\n")
        return FAULT
    return result if isinstance(result, int) else 0
