"""A buyer's story: a bundle is entered in the registry under an alias, and served to whoever knows the alias."""

import json
import urllib.request

import bundles
from servers import running

from recsys.bundle import open_sample
from recsys.cli import app
from recsys.cli.exits import explained
from recsys.synthetic import NOW


def test_a_bundle_is_registered_and_served(tmp_path, capsys):
    file, key = bundles.make_bundle(tmp_path)
    words = ["sample", "register", str(file), "--key", str(key), "--at", NOW.isoformat(), "--name", "sample"]
    assert explained(app, [*words, "--alias", "champion", "--home", str(tmp_path / "buyer"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    sample = open_sample(file, key, at=NOW)
    liked = [sample.named.artists.names[2].upper(), sample.named.artists.names[7]]
    served = ("models", "serve", "-m", told["uri"], "--env-manager", "local")
    with running(*served, folder=tmp_path, alive="/ping", MLFLOW_TRACKING_URI=told["registry"]) as address:
        question = json.dumps({"dataframe_records": [{"artists": liked}], "params": {"n": 5}}).encode()
        request = urllib.request.Request(f"{address}/invocations", question, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            (found,) = json.load(answer)["predictions"]
    assert found["artists"] == [name for name, _ in sample.recommend(liked, 5).artists]
    assert found["unknown"] == []
