"""The model of a version that members have left is, bit for bit, the model of one in which they never were."""

import random
from datetime import timedelta

import pytest
from people import NOW, PURPOSE, Crowd

from recsys.als import ALS
from recsys.als.start import item_start
from recsys.consent import Decision, Kind, Ledger, admit, default_until
from recsys.dataset import build
from recsys.experiment import load_experiment, train

KEY = b"k" * 32
ARTISTS = [f"Artist {number}" for number in range(40)]
NAMES = [f"member {number}" for number in range(48)]


def crowd(seed):
    rng = random.Random(seed)
    plays = {}
    for name in NAMES:
        liked = rng.sample(ARTISTS, rng.randint(6, 14))
        plays[name] = [(artist, 60_000) for artist in liked for _ in range(rng.randint(1, 9))]
    rare = [("!Rare", 60_000)]  # heard by three: it goes when the first or the last of them goes
    return {name: heard + (rare if name in {NAMES[0], NAMES[20], NAMES[-1]} else []) for name, heard in plays.items()}


def collective(folder, plays):
    (folder / "keys").mkdir(parents=True)
    (folder / "keys" / "member.key").write_bytes(KEY)
    ledger = Ledger(folder / "ledger.db")
    ledger.record(
        Decision(member, Kind.GRANT, PURPOSE, NOW - timedelta(days=1), default_until(NOW)) for member in plays
    )
    return ledger


def built(plays, ledger, days):
    return build(admit(Crowd(plays), ledger, PURPOSE, NOW + timedelta(days=days)), min_listeners=3)


def model_files(trained, folder):
    trained.named.save(folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    ("seed", "leavers"),
    [(0, NAMES[:1]), (1, NAMES[-1:]), (2, NAMES[17:18]), (3, NAMES[::5]), (4, [*NAMES[:3], NAMES[20], NAMES[40]])],
)
def test_leaving_is_the_same_as_never_having_come(tmp_path, seed, leavers, threads):
    plays = crowd(seed)
    told = {"factors": 6, "iterations": 4, "seed": seed, "num_threads": threads}
    experiment = load_experiment(None, {**told, **({"neighbours": 5, "confidence": "bm25"} if seed % 2 else {})})
    assert experiment.neighbours > 0
    ledger = collective(tmp_path / "left", plays)
    before = built(plays, ledger, 0)
    for name in leavers:
        ledger.withdraw(name, at=NOW + timedelta(hours=1))
    after = built(plays, ledger, 1)
    others = {name: heard for name, heard in plays.items() if name not in leavers}
    never = built(others, collective(tmp_path / "never", others), 1)

    assert after.manifest.content == never.manifest.content
    assert before.manifest.content != never.manifest.content
    first, second, third = (train(experiment, version) for version in (before, after, never))
    assert second.named.model.item_factors.tobytes() == third.named.model.item_factors.tobytes()
    assert second.losses == third.losses
    assert (second.split.test.users == third.split.test.users).all()
    assert model_files(second, tmp_path / "2") == model_files(third, tmp_path / "3")
    assert first.named.factors_digest != second.named.factors_digest


def test_who_leaves_takes_a_rare_artist_along_and_the_others_start_where_they_did(tmp_path, monkeypatch):
    """Starts are told apart by artist, not by column: those behind the artist that goes move up a column."""
    started = []
    fit = ALS.fit

    def watched(self, user_items, **more):
        started.append(item_start(more["item_keys"], self.factors, self.random_state))
        return fit(self, user_items, **more)

    monkeypatch.setattr(ALS, "fit", watched)
    plays = crowd(0)
    ledger = collective(tmp_path, plays)
    before = built(plays, ledger, 0)
    ledger.withdraw(NAMES[0], at=NOW)
    after = built(plays, ledger, 1)
    assert set(before.artists.names) - set(after.artists.names) == {"!Rare"}
    for version in (before, after):
        train(load_experiment(None, {"factors": 4, "iterations": 1}), version)
    first, second = (
        dict(zip(v.artists.names, s.tolist(), strict=True)) for v, s in zip((before, after), started, strict=True)
    )
    assert all(first[name] == start for name, start in second.items())
