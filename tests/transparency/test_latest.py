import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.transparency.latest import DEPTH, NOTHING, ROOT, LatestProof, beside, bucket_hash, bucket_of, folded, node


def all_nodes(last):
    """Compute every node of the map, with nothing known beforehand."""
    buckets = {}
    for owner, seq in last.items():
        buckets.setdefault(bucket_of(owner), {})[owner] = seq
    return buckets, folded({one: bucket_hash(held) for one, held in buckets.items()}, {})


def proof(last, owner):
    buckets, nodes = all_nodes(last)
    place = node(0, bucket_of(owner))
    path = [nodes.get(place >> level ^ 1, NOTHING[level]).hex() for level in range(DEPTH)]
    return LatestProof(buckets.get(bucket_of(owner), {}), path)


owners = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(0, 99), min_size=1, max_size=30)


@given(owners, owners)
def test_moving_some_owners_comes_to_the_same_root_as_all_at_once(before, moved):
    _, known = all_nodes(before)
    after = before | moved
    buckets, whole = all_nodes(after)
    touched = {bucket_of(owner) for owner in moved}
    needed = {one: known[one] for one in beside(touched) if one in known}
    assert folded({one: bucket_hash(buckets[one]) for one in touched}, needed)[ROOT] == whole[ROOT]


@given(owners)
def test_every_owner_is_proved_and_every_stranger_too(last):
    _, nodes = all_nodes(last)
    root = nodes[ROOT].hex()
    for owner in [*last, "stranger", "xyz"]:
        assert proof(last, owner).last(owner, root) == last.get(owner)


@given(owners, st.data())
def test_no_other_last_entry_can_be_proved(last, data):
    _, nodes = all_nodes(last)
    root = nodes[ROOT].hex()
    owner = data.draw(st.sampled_from(sorted(last)))
    honest = proof(last, owner)
    for bucket in ({}, dict(honest.bucket) | {owner: last[owner] + 1}, dict(honest.bucket) | {"more": 1}):
        with pytest.raises(ValueError, match="does not lead"):
            LatestProof(bucket, honest.path).last(owner, root)
    with pytest.raises(ValueError, match="has 16 hashes"):
        LatestProof(honest.bucket, honest.path[:-1]).last(owner, root)
