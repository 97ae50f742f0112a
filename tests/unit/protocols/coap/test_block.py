import pytest

from thingstead.errors import DecodeError
from thingstead.protocols.coap.block import (
    Assembly,
    Block,
    BodySender,
    BodyTooLargeError,
    IncompleteBodyError,
    Limits,
    Pieces,
    Uploads,
    cut,
    decode_block,
    entity_tag,
)

LIMITS = Limits(max_body=100, max_bodies=3, max_bodies_per_peer=2, max_total=64, max_age=10.0)


@pytest.mark.spec("RFC 7959 2.2")
@pytest.mark.parametrize(
    ("value", "block"),
    [("", (0, False, 0)), ("08", (0, True, 0)), ("16", (1, False, 6)), ("2e", (2, True, 6)), ("0112", (17, False, 2))],
)
def test_a_block_value_has_one_meaning_and_one_encoding(value, block):
    assert decode_block(bytes.fromhex(value)) == block
    assert Block(*block).encode().hex() == value


@pytest.mark.spec("RFC 7959 2.2")
@pytest.mark.parametrize("value", ["07", "0f", "00000000"])
def test_the_reserved_size_and_long_values_are_refused(value):
    with pytest.raises(DecodeError):
        decode_block(bytes.fromhex(value))


def test_a_block_number_over_20_bits_is_our_own_mistake():
    with pytest.raises(ValueError, match="20 bits"):
        Block(1 << 20, False, 0).encode()


def test_a_body_is_cut_into_full_blocks_and_a_last_one():
    body = bytes(range(40))
    assert cut(body, 0, Pieces(0)) == (body[:16], Block(0, True, 0))
    assert cut(body, 2, Pieces(0)) == (body[32:], Block(2, False, 0))
    assert cut(b"", 0, Pieces(0)) == (b"", Block(0, False, 0))


@pytest.mark.spec("RFC 7959 2.4")
def test_a_block_behind_the_end_is_refused():
    with pytest.raises(DecodeError, match="32 bytes, got number 2"):
        cut(bytes(32), 2, Pieces(0))


@pytest.mark.spec("RFC 7959 2.5")
def test_the_sender_takes_over_the_smaller_size_that_the_peer_asks_for():
    sender = BodySender(bytes(100), Pieces(2))
    assert sender.piece() == (Block(0, True, 2), bytes(64))
    assert not sender.acknowledge(Block(0, True, 0))
    assert sender.piece() == (Block(4, True, 0), bytes(16))
    assert sender.size == 100


@pytest.mark.spec("RFC 7959 2.5")
@pytest.mark.parametrize("block", [Block(1, True, 2), Block(0, True, 3)], ids=["another block", "larger blocks"])
def test_an_acknowledgement_that_does_not_fit_is_refused(block):
    with pytest.raises(DecodeError):
        BodySender(bytes(100), Pieces(2)).acknowledge(block)


@pytest.mark.spec("RFC 7959 2.9.3")
def test_the_sender_starts_again_only_in_smaller_blocks():
    sender = BodySender(bytes(100), Pieces(2))
    sender.acknowledge(Block(0, True, 2))
    assert not sender.shrink(2)
    assert sender.shrink(1)
    assert sender.piece() == (Block(0, True, 1), bytes(32))


def test_the_last_acknowledgement_ends_the_body():
    sender = BodySender(bytes(20), Pieces(0))
    assert not sender.acknowledge(Block(0, True, 0))
    assert sender.acknowledge(Block(1, False, 0))


def test_an_assembly_asks_for_what_comes_next():
    assembly = Assembly(1000, etag=b"a")
    assert assembly.add(Block(0, True, 1), bytes(32), etag=b"a") is None
    assert assembly.following() == Block(1, False, 1)
    assert assembly.add(Block(1, False, 1), b"end", etag=b"a") == bytes(32) + b"end"


@pytest.mark.spec("RFC 7959 2.4")
def test_blocks_of_two_representations_are_not_mixed():
    assembly = Assembly(1000, etag=b"a")
    assembly.add(Block(0, True, 0), bytes(16), etag=b"a")
    with pytest.raises(IncompleteBodyError):
        assembly.add(Block(1, False, 0), b"end", etag=b"b")


@pytest.mark.parametrize(
    ("block", "payload"),
    [(Block(0, True, 0), bytes(15)), (Block(0, True, 0), bytes(17)), (Block(0, False, 0), bytes(17))],
    ids=["not full", "over full", "last over full"],
)
def test_a_block_of_the_wrong_length_is_refused(block, payload):
    with pytest.raises(DecodeError, match="a block of 16 bytes"):
        Assembly(1000).add(block, payload)


@pytest.mark.spec("RFC 7959 2.3")
def test_blocks_do_not_grow():
    assembly = Assembly(1000)
    assembly.add(Block(0, True, 0), bytes(16))
    assembly.add(Block(1, True, 0), bytes(16))
    with pytest.raises(DecodeError, match="stay or shrink"):
        assembly.add(Block(1, False, 1), b"end")


def upload(uploads, num, more, payload, *, peer="p", key="k", now=0.0):
    whole = uploads.receive(Block(num, more, 0), payload, peer=peer, key=key, now=now)
    return None if whole is None else whole.body


@pytest.mark.spec("RFC 7959 2.9.2")
def test_a_gap_forgets_the_body():
    uploads = Uploads(LIMITS)
    upload(uploads, 0, True, bytes(16))
    with pytest.raises(IncompleteBodyError):
        upload(uploads, 2, True, bytes(16))
    assert (len(uploads), uploads.held) == (0, 0)
    with pytest.raises(IncompleteBodyError, match="block 0"):
        upload(uploads, 1, False, b"")


@pytest.mark.spec("RFC 7959 2.4")
def test_a_block_of_another_state_is_called_that():
    body = Assembly(64, etag=b"1")
    body.add(Block(0, True, 0), bytes(16), etag=b"1")
    with pytest.raises(IncompleteBodyError, match="ETag"):
        body.add(Block(1, False, 0), b"", etag=b"2")


@pytest.mark.spec("RFC 7959 2.9.3")
@pytest.mark.requirement("R-47")
def test_a_body_over_the_limit_is_refused_with_the_size_that_would_do():
    uploads = Uploads(Limits(max_body=40))
    upload(uploads, 0, True, bytes(16))
    upload(uploads, 1, True, bytes(16))
    with pytest.raises(BodyTooLargeError) as caught:
        upload(uploads, 2, True, bytes(16))
    assert (caught.value.limit, len(uploads), uploads.held) == (40, 0, 0)


@pytest.mark.requirement("R-47")
def test_all_bodies_together_have_a_limit():
    uploads = Uploads(LIMITS)
    for peer in "ab":
        upload(uploads, 0, True, bytes(16), peer=peer)
        upload(uploads, 1, True, bytes(16), peer=peer)
    with pytest.raises(BodyTooLargeError):
        upload(uploads, 0, True, bytes(16), peer="c")
    assert uploads.held == 64


@pytest.mark.requirement("R-47")
def test_a_peer_with_too_many_bodies_loses_its_own_oldest():
    uploads = Uploads(LIMITS)
    upload(uploads, 0, True, bytes(16), peer="other")
    for key in "abc":
        upload(uploads, 0, True, bytes(16), key=key)
    with pytest.raises(IncompleteBodyError):
        upload(uploads, 1, False, b"", key="a")
    assert upload(uploads, 1, False, b"", peer="other") == bytes(16)


@pytest.mark.spec("RFC 9175 3.3")
def test_two_bodies_of_one_peer_do_not_mix_when_their_keys_differ():
    uploads = Uploads(LIMITS)
    upload(uploads, 0, True, b"a" * 16, key="a")
    upload(uploads, 0, True, b"b" * 16, key="b")
    assert upload(uploads, 1, False, b"a", key="a") == b"a" * 17
    assert upload(uploads, 1, False, b"b", key="b") == b"b" * 17


def test_a_body_that_rests_too_long_is_dropped():
    uploads = Uploads(LIMITS)
    upload(uploads, 0, True, bytes(16))
    with pytest.raises(IncompleteBodyError):
        upload(uploads, 1, False, b"", now=10.5)
    upload(uploads, 0, True, bytes(16), now=11.0)
    uploads.expire(22.0)
    assert (len(uploads), uploads.held) == (0, 0)


def test_the_bodies_of_a_peer_go_with_it():
    uploads = Uploads(LIMITS)
    upload(uploads, 0, True, bytes(16))
    uploads.forget("p")
    assert len(uploads) == 0


def test_the_same_body_has_the_same_tag_and_another_has_another():
    assert entity_tag(b"x") == entity_tag(b"x") != entity_tag(b"y")


@pytest.mark.spec("RFC 7959 2.10")
def test_what_the_first_block_alone_said_comes_with_the_whole_body():
    uploads = Uploads(LIMITS)
    for head in (((5, b""),), ()):
        uploads.receive(Block(0, True, 0), bytes(16), peer="p", key="k", now=0.0, head=head)
        whole = uploads.receive(Block(1, False, 0), b"x", peer="p", key="k", now=0.0)
        assert whole == (bytes(16) + b"x", head)
