"""recsys sample: terms, key, pack, verify; what a buyer does with a bundle lies in the sample_* files."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import App

from recsys.cli.common import Common, instant, public_key, table

if TYPE_CHECKING:
    from rich.table import Table

    from recsys.bundle import Packed, Terms
    from recsys.home import Home
    from recsys.transparency import Envelope

sample = App(name="sample", help="Pack a sample of a model for a buyer; open, check and try one.")
for _name, _place, _help in (
    ("try", "sample_try:try_artists", "Recommend artists to somebody who likes these, and say why."),
    ("evaluate", "sample_try:evaluate", "Test a bundle on your own listeners, beside lists of what is popular."),
    ("compare", "sample_try:compare", "Lay two bundles side by side, on your own listeners too."),
    (
        "export",
        "sample_export:export",
        "Write a bundle's model for other tools: vectors for a database, an ONNX graph.",
    ),
    ("register", "sample_export:register", "Enter a bundle's model in an MLflow Model Registry."),
    ("serve", "sample_serve:serve", "Open a sample in the browser."),
    ("trace", "sample_trace:trace", "Find out whose copy turned up somewhere, by its mark."),
):
    sample.command(f"recsys.cli.{_place}", name=_name, help=_help)


_AS_GOOD = "note: it is not measurably weaker than the full model; ask for fewer factors or artists if it should be"


@sample.command
def terms(*, out: Path = Path("terms.toml"), common: Common = Common()) -> None:  # noqa: B008 - frozen
    """Write an example of terms, with a comment for each key, to be changed by hand.

    Parameters
    ----------
    out
        The file; one that is there is left alone.
    """
    from recsys.bundle import example
    from recsys.canonical import write_atomically
    from recsys.errors import ConfigError

    if out.exists():
        raise ConfigError(f"{out} is there already; name another file: --out FILE")
    write_atomically(out, example(instant(None)).encode())
    common.show({"path": str(out)}, f"wrote {out}; look through it, then: recsys sample pack --terms {out}")


@sample.command
def key(
    *, out: Path = Path("seal.pub"), collective: Path | None = None, common: Common = Common()  # noqa: B008 - frozen
) -> None:  # fmt: skip
    """Write the public key that buyers check seals with; give it to them by another way than the bundle.

    Parameters
    ----------
    out
        The file.
    collective
        Write the collective's own public key too, which members and buyers check everything else with.
    """
    from recsys.bundle import SealKey
    from recsys.canonical import write_atomically

    home = common.open()
    public, own = SealKey.at(home.seal_key).public, home.operator.public
    write_atomically(out, public.pem)
    if collective:
        write_atomically(collective, own.pem.encode())
    common.show(
        {"path": str(out), "id": public.id, "pem": public.pem.decode(), "collective": own.id},
        f"wrote {out}; read the key's name out to the buyer: {public.id}",
        *([f"wrote {collective}, the collective's own key: {own.id}"] if collective else []),
    )


@sample.command
def pack(
    run: str | None = None,
    *,
    terms: Path,
    out: Path = Path("sample.recsys"),
    approval: Path | None = None,
    at: datetime | None = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Pack what the terms let out of a run's model into one sealed file.

    Refused unless every member behind the model agrees, and unless the model tells less about them than the limits
    in the terms.

    Parameters
    ----------
    run
        MLflow run id; the latest finished run unless given.
    terms
        For whom, for what, until when, and how much of the model: TOML; recsys sample terms writes an example.
    out
        The file to write.
    approval
        The members' approval, where the terms name a proposal; asked of the ballots here unless given.
    at
        The instant for which members' consent is asked (UTC unless it names a zone); now unless given.
    """
    from recsys.bundle import Terms
    from recsys.bundle import pack as pack_up

    told, home, moment = Terms.load(terms), common.open(), instant(at)
    agreed = _approval(home, told, approval, moment)
    with common.bar("packing") as bar:
        packed = pack_up(home, run, told, out, at=moment, approval=agreed, progress=bar)
    common.show(packed.as_dict(), *_report(packed))


@sample.command
def verify(
    file: Path,
    *,
    key: Path,
    operator: Path | None = None,
    at: datetime | None = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> int:
    """Check a bundle without any network: seal, every byte, terms, model and evidence of consent.

    Parameters
    ----------
    file
        The bundle.
    key
        The seal's public key (PEM), from wherever you trust it; not from whoever sent the bundle along.
    operator
        The collective's own public key (PEM), if you know it: then the evidence of consent needs no further trust.
    at
        The instant at which the terms must hold (UTC unless it names a zone); now unless given.
    """
    from recsys.bundle import check

    verdict = check(file, key, at=instant(at), operator=public_key(operator))
    return common.judge(verdict)


def _approval(home: Home, terms: Terms, file: Path | None, at: datetime) -> Envelope | None:
    """Take the approval that is given, or else ask the ballots, if the terms name a proposal."""
    from recsys.transparency import Envelope

    if file is not None:
        return Envelope.from_json(file.read_bytes())
    if terms.proposal is None:
        return None
    from recsys.collective import approve

    return approve(home, terms.proposal, at)


def _report(packed: Packed) -> list[str | Table]:
    scores, shape, kind = packed.scores, packed.scores["shape"], packed.terms.kind
    rows = [
        (
            name.replace("_at_", "@"),
            *(f"{scores[model]['metrics'][name]['mean']:.3f}" for model in ("full", "sample", "popularity")),
            _interval(scores["weaker"][name], -1),
        )
        for name in scores["sample"]["metrics"]
    ]
    title = f"{scores['protocol']['test_listeners']:,} held-out listeners, 95% intervals"
    listening = f"{shape['pairs_covered']:.0%} of the listening"
    told = packed.privacy["membership"]
    auc = (
        f"AUC {told['auc']['value']:.3f} [{told['auc']['low']:.3f}, {told['auc']['high']:.3f}]" if told else "not told"
    )
    size = f"{packed.path.stat().st_size:,} bytes"
    return [
        table(title, ("metric", "full model", kind, "popularity", f"{kind} less full model"), rows, numbers=4),
        *([] if kind == "full" or packed.weaker else [_AS_GOOD]),
        f"artists     {shape['artists']['sample']:,} of {shape['artists']['full']:,}, with {listening}",
        f"factors     {shape['factors']['sample']} of {shape['factors']['full']}, {shape['precision']}",
        f"membership  {auc}; 0.5 is guessing",
        f"bundle      {packed.digest}",
        f"sealed by   {packed.seal_id}",
        f"wrote {packed.path}, {size}, for {packed.terms.buyer}, who may use it before {packed.terms.expires}",
        f"the buyer needs the key too (recsys sample key), then: recsys sample verify {packed.path} --key seal.pub",
    ]


def _interval(difference: dict[str, float], sign: int) -> str:
    mean, *ends = (sign * difference[name] for name in ("mean", "low", "high"))
    return f"{mean:+.3f} [{min(ends):+.3f}, {max(ends):+.3f}]"
