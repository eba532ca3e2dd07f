"""The lock that every writer of a list takes first, so that two of them, or one and the signing, queue up."""

from __future__ import annotations

from django.utils import timezone

from assessment.roll.errors import ListNotSigned, ListSigned
from assessment.roll.models import GrandList


def lock_unsigned(grand_list: GrandList, *, changes: bool = True) -> GrandList:
    """Lock a list that may still change, and note that it changes now unless `changes` is false.

    Raises
    ------
    ListSigned
        When it is signed.
    """
    locked = GrandList.objects.select_for_update().get(pk=grand_list.pk)
    if locked.is_signed:
        raise ListSigned(f"The {locked} is signed: a certificate of correction changes it.")
    if changes:
        locked.changed_at = timezone.now()
        locked.save(update_fields=["changed_at"])
    return locked


def lock_signed(grand_list: GrandList) -> GrandList:
    """Lock a signed list, for an instrument's number.

    Raises
    ------
    ListNotSigned
        When it is not signed.
    """
    locked = GrandList.objects.select_for_update().get(pk=grand_list.pk)
    if not locked.is_signed:
        raise ListNotSigned(f"The {locked} is not signed: change the account itself.")
    return locked
