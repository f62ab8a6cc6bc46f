"""What a model is bad at, said in words, since a buyer learns more from that than from a mean."""

from __future__ import annotations

from recsys.report.findings import Findings


def weaknesses(found: Findings) -> list[str]:
    """Say what the figures show against the model, each in one sentence with its figure."""
    missed = 1 - found.finding["hit_rate_at_20"].mean
    unseen = 1 - found.character["coverage_at_20"]
    said = [
        f"{missed:.0%} of the held-out listeners find none of their hidden artists among the first 20 recommendations.",
        f"{unseen:.0%} of the artists are recommended to none of these listeners.",
        _exposure(found),
    ]
    worst = min(found.segments, key=lambda name: found.segments[name][0]["ndcg_at_100"].mean)
    best = max(found.segments, key=lambda name: found.segments[name][0]["ndcg_at_100"].mean)
    low, high = (found.segments[name][0]["ndcg_at_100"].mean for name in (worst, best))
    said.append(f"It serves {worst} listeners worst: NDCG@100 {low:.3f}, against {high:.3f} for {best} ones.")
    behind = [
        name for name, (ours, popular) in found.segments.items() if ours.difference(popular)["ndcg_at_100"].low <= 0
    ]
    if behind:
        said.append(f"For {', '.join(behind)} listeners it is not clearly better than recommending what is popular.")
    return said


def _exposure(found: Findings) -> str:
    n_artists = len(found.exposure["listening"]) - 1
    head = max(n_artists // 100, 1)
    heard, listed = (found.exposure[name][head] for name in ("listening", "recommendations"))
    direction = "more" if listed > heard else "no more"
    return (
        f"The best known 1% of artists get {listed:.0%} of all recommendations and {heard:.0%} of all listening pairs: "
        f"it favours them {direction} than listeners do."
    )
