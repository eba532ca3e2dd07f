"""Towns, people and roles, agreements and cost shares."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q

from assessment.region.ids import new_id
from assessment.region.rules import Role
from assessment.region.walls import TownForeignKey, TownModel


class Town(models.Model):
    """One town. The key is the state's town number (1 to 169); test towns stand at 900 and above.

    Public reference data, hence outside of the walls. Written by the migration that loads the 169 towns
    and by `assessment.region.services.create_test_town`.
    """

    code = models.SmallIntegerField(primary_key=True)
    name = models.CharField(max_length=60, unique=True)
    slug = models.SlugField(max_length=60, unique=True)
    state = models.CharField(max_length=2, default="CT")
    fips_county = models.CharField(max_length=5, blank=True)
    fips_place = models.CharField(
        max_length=5, blank=True, help_text="county subdivision; leads the state's Link"
    )
    planning_region_name = models.CharField(max_length=80, blank=True)
    planning_region_fips = models.CharField(max_length=5, blank=True)
    boundary = models.BinaryField(null=True, help_text="WKB, EPSG:2234")
    is_test = models.BooleanField(default=False)

    class Meta:
        ordering = ("name",)
        constraints = [
            models.CheckConstraint(
                name="town_code_in_range",
                condition=Q(code__range=(1, 169), is_test=False) | Q(code__gte=900, is_test=True),
            )
        ]

    def __str__(self) -> str:
        return self.name


class PersonManager(BaseUserManager["Person"]):
    """Django's hook for creating people."""

    def create_person(self, email: str, *, name: str, password: str | None = None, **fields: Any) -> Person:
        """Return a new person with a hashed password (unusable when None)."""
        person = self.model(email=self.normalize_email(email).lower(), name=name, **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person

    def get_by_natural_key(self, username: str | None) -> Person:
        return self.get(email=(username or "").lower())


class Person(AbstractBaseUser):
    """Somebody who signs in. Shared by the region's towns, hence outside of the walls; roles are inside.

    Never deleted (deleting a person must not erase what they did): `is_active` is cleared instead.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True)
    is_sample = models.BooleanField(default=False, help_text="made for the demonstration region")
    certificate_level = models.CharField(max_length=40, blank=True, help_text="for example CCMA I or CCMA II")
    certificate_number = models.CharField(max_length=40, blank=True)
    certificate_expires_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[PersonManager] = PersonManager()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class RoleAssignment(TownModel):
    """One person holds one role in one town from a day until another (exclusive)."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="role_assignments")
    role = models.CharField(max_length=20, choices=[(role.value, role.value) for role in Role])
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["town", "person", "role", "valid_from"], name="role_once_from_a_day"
            ),
            models.CheckConstraint(
                name="role_ends_after_it_begins",
                condition=Q(valid_to__isnull=True) | Q(valid_to__gt=models.F("valid_from")),
            ),
        ]


class TownPolicy(TownModel):
    """A setting that is the town's to choose (rounding, auto-accept rules), from a day on."""

    key = models.CharField(max_length=60)
    value = models.JSONField()
    valid_from = models.DateField()
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["town", "key", "valid_from"], name="policy_once_from_a_day")
        ]


class Agreement(models.Model):
    """An interlocal agreement: which services, by which formula, until when (CGS 7-148cc, 7-339a ff.).

    Every member town and the public may see it, hence outside of the walls.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    title = models.CharField(max_length=160)
    services = models.JSONField(default=list)
    formula = models.JSONField(default=dict, help_text="versioned cost-share formula")
    formula_version = models.PositiveSmallIntegerField(default=1)
    signed_on = models.DateField()
    review_due_on = models.DateField(help_text="at most five years after signing or the last review")
    withdrawal_notice_days = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ("signed_on", "title")

    def __str__(self) -> str:
        return self.title


class AgreementTown(TownModel):
    """A town's membership in an agreement."""

    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name="memberships")
    joined_on = models.DateField()
    withdrawn_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["town", "agreement", "joined_on"], name="agreement_joined_once_a_day"
            )
        ]


class CostShare(TownModel):
    """What a town owes under an agreement for a period; the shares of all towns add up to the cent."""

    membership = TownForeignKey(AgreementTown, related_name="cost_shares")
    period_from = models.DateField()
    period_to = models.DateField()
    basis = models.JSONField(help_text="the counts and weights that the share was computed from")
    amount = models.DecimalField(max_digits=12, decimal_places=2)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["town", "membership", "period_from"], name="cost_share_once_a_period"
            )
        ]
