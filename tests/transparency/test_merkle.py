"""The tree against the RFC's own recursion, and against the answers that Certificate Transparency's tests know."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.transparency.merkle import (
    EMPTY,
    Frontier,
    consistency_ranges,
    consistent,
    inclusion_ranges,
    joined,
    leaf_hash,
    nodes_of,
    position,
    root_by_inclusion,
    subtrees,
)

LEAVES = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")]
LEAVES.append(bytes.fromhex("606162636465666768696a6b6c6d6e6f"))
ROOTS = [  # of the first n + 1 of these leaves, from the tests of google/certificate-transparency
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
TREES = [[leaf_hash(b"%d" % place) for place in range(size)] for size in range(34)]


def half(n):
    """The largest power of two smaller than n, counted out."""
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def mth(hashes):
    """RFC 6962, 2.1, word for word, over leaf hashes."""
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = half(len(hashes))
    return sha256(b"\x01" + mth(hashes[:k]) + mth(hashes[k:])).digest()


def path(m, hashes):
    """RFC 6962, 2.1.1."""
    if len(hashes) == 1:
        return []
    k = half(len(hashes))
    return [*path(m, hashes[:k]), mth(hashes[k:])] if m < k else [*path(m - k, hashes[k:]), mth(hashes[:k])]


def subproof(m, hashes, whole):
    """RFC 6962, 2.1.2."""
    if m == len(hashes):
        return [] if whole else [mth(hashes)]
    k = half(len(hashes))
    if m <= k:
        return [*subproof(m, hashes[:k], whole), mth(hashes[k:])]
    return [*subproof(m - k, hashes[k:], False), mth(hashes[:k])]


def roots(nodes, ranges):
    return [joined([nodes[place] for place in subtrees(*one)]) for one in ranges]


@pytest.mark.parametrize("size", range(1, 9))
def test_known_answers(size):
    _, frontier = Frontier().grown(map(leaf_hash, LEAVES[:size]))
    assert frontier.root.hex() == ROOTS[size - 1]


def test_the_empty_tree():
    assert Frontier().root == EMPTY == mth([])
    assert EMPTY.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_nodes_stand_in_the_order_in_which_they_come_to_be():
    order = [(0, 0), (0, 1), (1, 0), (0, 2), (0, 3), (1, 1), (2, 0), (0, 4)]
    assert [position(*node) for node in order] == list(range(8))
    assert nodes_of(5) == 8


@pytest.mark.parametrize("hashes", TREES, ids=len)
def test_nodes_and_roots_of_every_size_are_the_recursions(hashes):
    nodes, frontier = Frontier().grown(hashes)
    assert frontier.root == mth(hashes)
    assert len(nodes) == nodes_of(len(hashes))
    for size in range(len(hashes) + 1):
        assert joined([nodes[place] for place in subtrees(0, size)]) == mth(hashes[:size])


@pytest.mark.parametrize("hashes", TREES[1:], ids=len)
def test_every_inclusion_proof_is_the_recursions_and_leads_to_the_root(hashes):
    nodes, frontier = Frontier().grown(hashes)
    size = len(hashes)
    for index, leaf in enumerate(hashes):
        proof = roots(nodes, inclusion_ranges(index, size))
        assert proof == path(index, hashes)
        assert root_by_inclusion(leaf, index, size, proof) == frontier.root


@pytest.mark.parametrize("hashes", TREES, ids=len)
def test_every_consistency_proof_is_the_recursions_and_holds(hashes):
    nodes, frontier = Frontier().grown(hashes)
    new = len(hashes)
    for old in range(new + 1):
        proof = roots(nodes, consistency_ranges(old, new))
        assert proof == (subproof(old, hashes, True) if old else [])
        assert consistent(old, new, mth(hashes[:old]), frontier.root, proof)


@given(st.integers(0, 40), st.integers(0, 40))
def test_growing_in_two_steps_is_growing_in_one(first, second):
    hashes = [leaf_hash(b"%d" % place) for place in range(first + second)]
    once, whole = Frontier().grown(hashes)
    begun, half_way = Frontier().grown(hashes[:first])
    rest, done = half_way.grown(hashes[first:])
    assert (begun + rest, done) == (once, whole)


@given(st.data())
def test_no_proof_of_inclusion_holds_for_another_leaf_place_size_or_path(data):
    size = data.draw(st.integers(1, 33))
    hashes = TREES[size]
    index = data.draw(st.integers(0, size - 1))
    nodes, frontier = Frontier().grown(hashes)
    proof = roots(nodes, inclusion_ranges(index, size))
    other_index = data.draw(st.integers(-2, size + 2).filter(lambda one: one != index))
    assert root_by_inclusion(hashes[index], other_index, size, proof) != frontier.root
    assert root_by_inclusion(leaf_hash(b"other"), index, size, proof) != frontier.root
    assert root_by_inclusion(hashes[index], index, size, [*proof, EMPTY]) != frontier.root
    for place in range(len(proof)):
        assert root_by_inclusion(hashes[index], index, size, proof[:place] + proof[place + 1 :]) != frontier.root
        bent = [*proof[:place], bytes([proof[place][0] ^ 1]) + proof[place][1:], *proof[place + 1 :]]
        assert root_by_inclusion(hashes[index], index, size, bent) != frontier.root


@given(st.data())
def test_no_consistency_proof_holds_for_another_history(data):
    new = data.draw(st.integers(1, 33))
    old = data.draw(st.integers(1, new))
    hashes = TREES[new]
    nodes, frontier = Frontier().grown(hashes)
    proof = roots(nodes, consistency_ranges(old, new))
    changed = data.draw(st.integers(0, old - 1))
    rewritten = [*hashes[:changed], leaf_hash(b"rewritten"), *hashes[changed + 1 :]]
    assert not consistent(old, new, mth(rewritten[:old]), frontier.root, proof)
    assert not consistent(old, new, mth(hashes[:old]), mth(rewritten), proof)
    assert not consistent(old, new, mth(hashes[:old]), frontier.root, [*proof, EMPTY])
    for place in range(len(proof)):
        assert not consistent(old, new, mth(hashes[:old]), frontier.root, proof[:place] + proof[place + 1 :])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 3)])
def test_there_is_no_proof_of_a_leaf_that_is_not_there(index, size):
    with pytest.raises(ValueError, match="has no leaf"):
        inclusion_ranges(index, size)
    with pytest.raises(ValueError, match="cannot begin"):
        consistency_ranges(size + 1, size)
    assert root_by_inclusion(EMPTY, index, size, []) is None
    assert not consistent(size + 1, size, EMPTY, EMPTY, [])
    assert not consistent(3, 5, EMPTY, EMPTY, [])
