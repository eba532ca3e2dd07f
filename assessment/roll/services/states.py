"""The steps of a list that change nothing but its state: valued, extended, after the board, final."""

from __future__ import annotations

from django.db import transaction

from assessment.region.actors import Actor
from assessment.region.errors import Invalid
from assessment.region.rules import Permission
from assessment.roll.models import GrandList
from assessment.roll.services.locking import lock_signed, lock_unsigned

State = GrandList.State


@transaction.atomic
def mark_valued(grand_list: GrandList, *, actor: Actor) -> GrandList:
    """Say that the values of an open list are complete; it may still change until it is signed."""
    actor.require(Permission.EDIT_LIST, grand_list.town_id)
    locked = lock_unsigned(grand_list, changes=False)
    return _move(locked, State.VALUED)


@transaction.atomic
def extend_signing(grand_list: GrandList, *, actor: Actor) -> GrandList:
    """Note that the chief executive gave more time to sign (CGS 12-117): petitions are due a month later.

    Raises
    ------
    ListSigned
        It is signed already.
    """
    actor.require(Permission.SIGN_LIST, grand_list.town_id)
    locked = lock_unsigned(grand_list, changes=False)
    locked.is_signing_extended = True
    locked.save(update_fields=["is_signing_extended"])
    return locked


@transaction.atomic
def close_board(grand_list: GrandList, *, actor: Actor) -> GrandList:
    """Say that the board has finished with a signed list; its figures are then those after the board.

    Raises
    ------
    ListNotSigned, Invalid
        It is not signed; the board has finished already.
    """
    actor.require(Permission.CORRECT_LIST, grand_list.town_id)
    locked = lock_signed(grand_list)
    if locked.state != State.SIGNED:
        raise Invalid(f"The {locked} is {locked.get_state_display().lower()} already.")
    return _move(locked, State.AFTER_BOARD)


@transaction.atomic
def make_final(grand_list: GrandList, *, actor: Actor) -> GrandList:
    """Close a list after the board; a court's decision or a correction of a clerical error may still come.

    Raises
    ------
    ListNotSigned, Invalid
        It is not signed; the board has not finished, or it is final already.
    """
    actor.require(Permission.SIGN_LIST, grand_list.town_id)
    locked = lock_signed(grand_list)
    if locked.state != State.AFTER_BOARD:
        raise Invalid(
            f"The {locked} is {locked.get_state_display().lower()}: it is made final after the board."
        )
    return _move(locked, State.FINAL)


def _move(grand_list: GrandList, state: GrandList.State) -> GrandList:
    grand_list.state = state
    grand_list.save(update_fields=["state"])
    return grand_list
