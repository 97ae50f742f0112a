from thingstead.protocols.coap.shelf import Shelf


def shelf(**bounds):
    return Shelf(**{"max_items": 3, "max_items_per_peer": 2, "max_bytes": 100, "max_age": 10.0} | bounds)


def test_an_item_that_is_taken_is_gone_and_one_looked_at_is_not():
    items = shelf()
    assert items.put("p", "k", "item", size=5, now=0.0)
    assert items.look("p", "k", 1.0) == "item"
    assert items.take("p", "k", 1.0) == "item"
    assert items.take("p", "k", 1.0) is None
    assert items.held == 0


def test_a_look_makes_an_item_young():
    items = shelf()
    items.put("p", "k", "item", size=5, now=0.0)
    items.look("p", "k", 9.0)
    assert items.look("p", "k", 18.0) == "item"
    assert items.look("p", "k", 28.5) is None
    assert (len(items), items.held) == (0, 0)


def test_an_item_too_old_is_not_taken():
    items = shelf()
    items.put("p", "k", "item", size=5, now=0.0)
    assert items.take("p", "k", 10.5) is None


def test_a_peer_never_pushes_out_more_than_its_own():
    items = shelf()
    items.put("other", "k", "item", size=5, now=0.0)
    for key in range(5):
        items.put("p", key, "item", size=5, now=0.0)
    assert items.look("other", "k", 0.0) == "item"
    assert (len(items), items.held) == (3, 15)


def test_when_all_places_are_taken_the_oldest_gives_way():
    items = shelf()
    for peer in "abcd":
        items.put(peer, "k", peer, size=5, now=0.0)
    assert [items.look(peer, "k", 0.0) for peer in "abcd"] == [None, "b", "c", "d"]


def test_an_item_that_does_not_fit_is_not_kept():
    items = shelf()
    assert not items.put("p", "k", "item", size=101, now=0.0)
    assert (len(items), items.held) == (0, 0)


def test_putting_again_replaces():
    items = shelf()
    items.put("p", "k", "old", size=60, now=0.0)
    assert items.put("p", "k", "new", size=70, now=0.0)
    assert (items.look("p", "k", 0.0), items.held) == ("new", 70)


def test_the_items_of_a_peer_go_with_it():
    items = shelf()
    items.put("a", "k", "item", size=5, now=0.0)
    items.put("b", "k", "item", size=5, now=0.0)
    items.forget("a")
    assert (items.look("a", "k", 0.0), items.look("b", "k", 0.0)) == (None, "item")


def test_keys_of_a_peer_are_its_own_and_end_with_the_one_used_last():
    kept = shelf()
    for peer, key in (("a", 1), ("b", 2), ("a", 3)):
        kept.put(peer, key, "item", size=1, now=0.0)
    kept.look("a", 1, 0.0)
    assert (kept.keys("a"), kept.keys("c")) == ([3, 1], [])
