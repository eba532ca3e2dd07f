"""The registries in which apps announce their panels, queues and search."""

import pytest

from assessment.office.registries import DuplicateEntryError, NavItem, Registry


def item(entry_id: str, order: int = 10, title: str = "Maps") -> NavItem:
    return NavItem(id=entry_id, title=title, order=order, permission="", url_name="office:home")


def test_entries_come_in_their_order_whatever_the_order_of_registration() -> None:
    registry: Registry[NavItem] = Registry()
    for entry in (item("c", 20), item("b", 10), item("a", 20)):
        registry.register(entry)
    assert [entry.id for entry in registry] == ["b", "a", "c"]


def test_two_different_entries_of_one_id_are_refused() -> None:
    registry: Registry[NavItem] = Registry()
    registry.register(item("gis.map"))
    with pytest.raises(DuplicateEntryError):
        registry.register(item("gis.map", title="Another map"))
    assert len(registry) == 1


def test_the_same_entry_registered_twice_is_one_entry() -> None:
    registry: Registry[NavItem] = Registry()
    registry.register(item("gis.map"))
    registry.register(item("gis.map"))
    assert len(registry) == 1


def test_an_entry_taken_out_is_gone() -> None:
    registry: Registry[NavItem] = Registry()
    registry.register(item("gis.map"))
    registry.unregister("gis.map")
    assert registry.get("gis.map") is None
