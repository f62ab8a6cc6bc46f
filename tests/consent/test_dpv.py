import copy
import json
import warnings
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdflib import Graph, Namespace, URIRef
from rdflib.namespace import DCTERMS, RDF, XSD

from recsys.canonical import Pseudonym, canonical_json
from recsys.consent.controller import Controller
from recsys.consent.dpv import TERMS, ConsentRecord, consent_record, decision_of, read_record
from recsys.consent.notice import CURRENT
from recsys.consent.terms import PURPOSES, Decision, Kind
from recsys.errors import RecordInvalidError
from recsys.transparency import SigningKey

DPV = Namespace("https://w3id.org/dpv#")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
COLLECTIVE = SigningKey(b"c" * 32)
MEMBER = SigningKey(b"m" * 32)
TUNED_IN = Controller(COLLECTIVE.public, "Tuned In", "https://tuned.example/consent", "1 Road, Cork", "IE")
ADA = Pseudonym("ad" * 32)

# Read from the term files of DPV 2.3 (github.com/w3c/dpv, folder 2.3).
KNOWN = {
    "https://w3id.org/dpv#": (
        "AcademicScientificOrganisation Aggregate Anonymise ConsentGiven ConsentNotice ConsentRecord ConsentRevoked "
        "ConsentWithdrawn DataController DataSubject DataSubjectRight Derive ExplicitlyExpressedConsent "
        "IndeterminateDuration NonCommercialResearch Process ProvideConsent ProvidePersonalisedRecommendations "
        "Pseudonymise Recipient RenewedConsentGiven SellDataToThirdParties SellInsightsFromData Share StorageDuration "
        "StorageLocation ThirdParty UntilTimeDuration Use WithdrawConsent "
        "hasAddress hasApplicableLaw hasConsentControl hasConsentStatus hasContact hasDataController hasDataSubject "
        "hasDuration hasIndicationMethod hasJurisdiction hasLegalBasis hasLocation hasName hasNotice hasPersonalData "
        "hasProcess hasProcessing hasPurpose hasRecipient hasRight hasStorageCondition isExercisedAt isIndicatedAtTime "
        "isIndicatedBy"
    ),
    "https://w3id.org/dpv/pd#": "FavouriteMusic",
    "https://w3id.org/dpv/loc#": "IE",
    "https://w3id.org/dpv/legal/eu#": "law-GDPR",
    "https://w3id.org/dpv/legal/eu/gdpr#": "A6-1-a A7-3 A17 A20",
    "https://w3id.org/dpv/schema/dpv-27560#": "record",
    "http://purl.org/dc/terms/": "conformsTo date identifier language",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "type value",
}
TERMS_OF_23 = {space + name for space, names in KNOWN.items() for name in names.split(" ")}

moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
names = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=20)
pseudonyms = st.binary(min_size=32, max_size=32).map(lambda data: Pseudonym(data.hex()))
keys = st.binary(min_size=32, max_size=32).map(lambda seed: SigningKey(seed).public)


@st.composite
def decisions(draw, kinds=tuple(Kind)):
    kind = draw(st.sampled_from(kinds))
    at = draw(moments)
    purpose = draw(st.sampled_from(sorted(PURPOSES)) if kind.gives else st.none() | st.sampled_from(sorted(PURPOSES)))
    until = at + draw(st.timedeltas(timedelta(microseconds=1), datetime(9999, 12, 31, tzinfo=UTC) - at))
    recipient = None
    if purpose == "share-with-buyer":
        recipient = draw(names if kind.gives else st.none() | names)
    return Decision(draw(pseudonyms), kind, purpose, at, until if kind.gives else None, recipient)


@st.composite
def records(draw):
    decision = draw(decisions())
    subject = None if decision.kind is Kind.REVOKE else draw(keys)
    return ConsentRecord(decision, subject, Controller(draw(keys), draw(names), draw(names), draw(names)))


def grant(purpose="train-recommender", **other):
    decision = Decision(ADA, Kind.GRANT, purpose, NOON, NOON.replace(year=2028), **other)
    return ConsentRecord(decision, MEMBER.public, TUNED_IN)


def graph_of(record):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # rdflib's own, of its older graphs
        return Graph().parse(data=json.dumps(consent_record(record)), format="json-ld")


def only(graph, *path):
    (node,) = graph.subjects(RDF.type, DPV.ConsentRecord)
    for edge in path:
        (node,) = graph.objects(node, edge)
    return node


@given(records())
def test_what_was_written_is_read_back(record):
    document = consent_record(record)
    assert read_record(canonical_json(document)) == record
    assert decision_of(json.loads(json.dumps(document))) == record.decision


@given(records(), records())
def test_a_record_has_an_id_of_its_own_and_always_the_same(one, other):
    ids = [consent_record(record)["@id"] for record in (one, other, one)]
    assert ids[0] == ids[2]
    assert (ids[0] == ids[1]) == (one == other)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": Kind.RENEW},
        {"member": Pseudonym("ba" * 32)},
        {"recipient": "Duo AI"},
        {"at": NOON - timedelta(microseconds=1)},
        {"until": NOON + timedelta(days=2)},
    ],
)
def test_whatever_a_decision_changes_changes_the_id(change):
    record = grant("share-with-buyer", recipient="Solo AI")
    other = replace(record, decision=replace(record.decision, **change))
    assert consent_record(record)["@id"] != consent_record(other)["@id"]


@settings(max_examples=25, deadline=None)
@given(records())
def test_every_term_is_one_of_dpv_23(record):
    graph = graph_of(record)
    used = {str(node) for triple in graph for node in triple if isinstance(node, URIRef)}
    ours = {iri for iri in used if iri.startswith(("did:key:z6Mk", "urn:uuid:", "nih:sha-256;"))}
    country = {"https://w3id.org/dpv/loc#EU"}
    assert used - ours - country <= TERMS_OF_23


def test_a_record_has_every_field_that_iso_27560_asks_for():
    graph = graph_of(grant("share-with-buyer", recipient="Solo AI"))
    assert only(graph, DCTERMS.conformsTo) == URIRef("https://w3id.org/dpv/schema/dpv-27560#record")
    assert str(only(graph)) == f"urn:uuid:{only(graph, DCTERMS.identifier)}"
    assert only(graph, DPV.hasDataSubject) == URIRef(MEMBER.public.did)
    assert str(only(graph, DPV.hasDataSubject, DCTERMS.identifier)) == ADA
    assert only(graph, DPV.hasDataController) == URIRef(COLLECTIVE.public.did)
    for edge, text in ((DPV.hasName, "Tuned In"), (DPV.hasContact, TUNED_IN.contact), (DPV.hasAddress, "1 Road, Cork")):
        assert str(only(graph, DPV.hasDataController, edge)) == text
    assert only(graph, DPV.hasLegalBasis) == URIRef("https://w3id.org/dpv/legal/eu/gdpr#A6-1-a")
    assert only(graph, DPV.hasJurisdiction) == URIRef("https://w3id.org/dpv/loc#IE")
    assert only(graph, DPV.hasNotice) == URIRef(f"nih:sha-256;{CURRENT.sha256}")
    assert str(only(graph, DPV.hasNotice, DCTERMS.language)) == "en"
    assert only(graph, DPV.hasNotice, DCTERMS.date).datatype == XSD.date
    assert str(only(graph, DPV.hasConsentControl, DPV.isExercisedAt)) == TUNED_IN.contact
    process = only(graph, DPV.hasProcess)
    assert list(graph.objects(process, DPV.hasPurpose)) == [DPV.SellDataToThirdParties]
    assert list(graph.objects(process, DPV.hasPersonalData)) == [URIRef("https://w3id.org/dpv/pd#FavouriteMusic")]
    recipients = set(graph.objects(process, DPV.hasRecipient))
    assert [str(name) for who in recipients for name in graph.objects(who, DPV.hasName)].count("Solo AI") == 1
    status = only(graph, DPV.hasConsentStatus)
    assert set(graph.objects(status, RDF.type)) == {DPV.ConsentGiven, DPV.ExplicitlyExpressedConsent}
    assert only(graph, DPV.hasConsentStatus, DPV.isIndicatedBy) == DPV.DataSubject
    assert only(graph, DPV.hasConsentStatus, DPV.isIndicatedAtTime).toPython() == NOON
    assert only(graph, DPV.hasConsentStatus, DPV.hasDuration, RDF.value).toPython() == NOON.replace(year=2028)


def test_every_purpose_is_a_toggle_with_words_in_dpv_and_in_the_notice():
    assert TERMS.keys() == PURPOSES.keys() == CURRENT.questions.keys()
    assert len({terms.purpose for terms in TERMS.values()}) == len(TERMS)


@pytest.mark.parametrize(
    ("kind", "status", "by"),
    [
        (Kind.GRANT, "ConsentGiven", "DataSubject"),
        (Kind.RENEW, "RenewedConsentGiven", "DataSubject"),
        (Kind.WITHDRAW, "ConsentWithdrawn", "DataSubject"),
        (Kind.REVOKE, "ConsentRevoked", "DataController"),
    ],
)
def test_who_ended_consent_can_be_told(kind, status, by):
    decision = Decision(ADA, kind, "research", NOON, NOON.replace(year=2028) if kind.gives else None)
    subject = None if kind is Kind.REVOKE else MEMBER.public
    graph = graph_of(ConsentRecord(decision, subject, TUNED_IN))
    assert DPV[status] in graph.objects(only(graph, DPV.hasConsentStatus), RDF.type)
    assert only(graph, DPV.hasConsentStatus, DPV.isIndicatedBy) == DPV[by]


@pytest.mark.parametrize(
    "status",
    [
        "ConsentUnknown",
        "ConsentRequested",
        "ConsentRequestDeferred",
        "ConsentRefused",
        "ConsentExpired",
        "ConsentInvalidated",
        "ConsentTerminated",
        "consentGiven",
        "",
    ],
)
def test_a_status_that_is_not_valid_for_processing_never_comes_back_as_a_grant(status):
    document = consent_record(grant())
    document = {**document, "dpv:hasConsentStatus": [{**document["dpv:hasConsentStatus"][0], "@type": f"dpv:{status}"}]}
    with pytest.raises(RecordInvalidError):
        decision_of(document)
    document["dpv:hasConsentStatus"][0]["@type"] = [f"dpv:{status}", "dpv:ExplicitlyExpressedConsent"]
    with pytest.raises(RecordInvalidError):
        decision_of(document)


def places(value, path=()):
    """Give the path to every value in a JSON document."""
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from places(child, (*path, key))


def changed(document, path, change):
    if not path:
        return change(document)
    document = copy.deepcopy(document)
    holder = document
    for key in path[:-1]:
        holder = holder[key]
    if change is None:
        del holder[path[-1]]
    else:
        holder[path[-1]] = change(holder[path[-1]])
    return document


odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=30),
    st.sampled_from(["x" * 100_000, "\u202e", "\x00", "\ud800", "9" * 5000, "2026-13-01T00:00:00Z"]),
    st.lists(st.text(max_size=3), max_size=3),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
    st.just([[[[]]]] * 3),
)


@given(st.data())
def test_a_record_of_which_anything_was_changed_is_refused_or_says_something_else(data):
    record = data.draw(st.sampled_from([grant(), grant("share-with-buyer", recipient="Solo AI")]))
    document = json.loads(json.dumps(consent_record(record)))
    path = data.draw(st.sampled_from(list(places(document))))
    change = data.draw(odd.map(lambda value: lambda _: value) | st.just(lambda old: [old]) | st.just(None))
    if change is None and not path:
        return
    hostile = changed(document, path, change)
    if repr(hostile) == repr(document):
        return
    with pytest.raises(RecordInvalidError):
        decision_of(hostile)


def test_a_further_field_status_or_purpose_is_refused():
    document = consent_record(grant())
    for more in (
        {"dpv:hasRisk": "none"},
        {"dpv:hasConsentStatus": document["dpv:hasConsentStatus"] * 2},
        {"dpv:hasProcess": document["dpv:hasProcess"] * 2},
        {"dpv:hasProcess": document["dpv:hasProcess"] + consent_record(grant("research"))["dpv:hasProcess"]},
    ):
        with pytest.raises(RecordInvalidError, match=r"unclear|no consent record"):
            decision_of({**document, **more})


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b"null", b"NaN", b"\xff", b"[" * 100_000, b'{"@id": NaN}', b"1e400", b'"\\ud800"'],
)
def test_bytes_that_are_no_record_are_refused(data):
    with pytest.raises(RecordInvalidError):
        read_record(data)


def test_a_record_in_other_bytes_is_refused():
    data = canonical_json(consent_record(grant()))
    assert read_record(data) == grant()
    for other in (data + b" ", data.replace(b",", b", ", 1), data[:-1] + b',"@type":"dpv:ConsentRecord"}'):
        with pytest.raises(RecordInvalidError):
            read_record(other)


def test_a_record_never_names_a_member_by_name():
    with pytest.raises(RecordInvalidError, match="pseudonym"):
        ConsentRecord(Decision("ada", Kind.WITHDRAW, None, NOON), MEMBER.public, TUNED_IN)


@pytest.mark.parametrize(("kind", "subject"), [(Kind.REVOKE, MEMBER.public), (Kind.WITHDRAW, None)])
def test_nobody_speaks_for_the_other(kind, subject):
    with pytest.raises(RecordInvalidError, match="word"):
        ConsentRecord(Decision(ADA, kind, None, NOON), subject, TUNED_IN)


@pytest.mark.parametrize(
    ("purpose", "recipient", "words"),
    [
        ("share-with-buyer", None, "name it"),
        ("research", "Solo AI", "only share-with-buyer"),
        ("share-with-buyer", " \t", "visible"),
        ("share-with-buyer", "Solo\u202eAI", "visible"),
        ("share-with-buyer", "x" * 201, "visible"),
    ],
)
def test_a_grant_names_one_buyer_where_it_is_for_a_buyer(purpose, recipient, words):
    with pytest.raises(ValueError, match=words):
        Decision(ADA, Kind.GRANT, purpose, NOON, NOON + timedelta(days=1), recipient)


def test_the_same_buyer_is_the_same_however_it_is_typed():
    assert grant("share-with-buyer", recipient=" Cafe\u0301  Solo ") == grant(
        "share-with-buyer", recipient="Caf\u00e9 Solo"
    )
