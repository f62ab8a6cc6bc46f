"""recsys retrain: repeat a run without members, and check the receipt."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from recsys.cli.common import Common, instant, public_key

retrain = App(name="retrain", help="Repeat a run without members who have left, and check the receipt.")


@retrain.default
def again(
    run: str | None = None,
    *,
    without: Annotated[list[str], Parameter(consume_multiple=True)],
    artist_ids: Path | None = None,
    at: datetime | None = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Repeat a run without members who have withdrawn: the model is the one that never saw their data, bit for bit.

    Builds the next version by the rules of the run's, trains on it with the run's parameters, and writes a signed
    receipt: what the model was before and after, the proof of the withdrawal, what was destroyed.

    Parameters
    ----------
    run
        MLflow run id; the latest finished run unless given.
    without
        Names or pseudonyms of members who have withdrawn.
    artist_ids
        The map of artists that the run's version was built with, if it was built with one.
    at
        The instant for which consent is asked (UTC unless it names a zone); now unless given.
    """
    from recsys.experiment import retrain as make_again
    from recsys.listens import ArtistIds

    ids = ArtistIds.load(artist_ids) if artist_ids else None
    home = common.open()
    with common.steps() as step:
        training = step("training")
        done = make_again(
            home,
            run,
            without,
            at=instant(at),
            ids=ids,
            building=step("reading listens"),
            training=lambda sweep, total, loss: training(sweep, total, f"loss {loss:.6g}"),
        )
    document = {**done.outcome.as_dict(), "receipt": str(done.files[0]), "receipt_in_words": str(done.files[1])}
    common.show(document, *done.receipt.words(), f"receipt: {done.files[0]}")


@retrain.command
def verify(
    receipt: Path,
    *,
    key: Path | None = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> int:
    """Check an erasure receipt: its signature, each proof of withdrawal, and that training again gives the same bits.

    Parameters
    ----------
    receipt
        The receipt's JSON file.
    key
        The collective's public key (PEM), from wherever you trust it; that of the home folder unless given.
    """
    from recsys.errors import ConfigError
    from recsys.experiment import check_receipt

    home = common.open()
    try:
        document = receipt.read_bytes()
    except OSError as error:
        raise ConfigError(f"{receipt} cannot be read: {error.strerror}") from error
    verdict = check_receipt(document, public_key(key) or home.operator.public, home.datasets)
    return common.judge(verdict)
