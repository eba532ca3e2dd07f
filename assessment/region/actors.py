"""Who acts: the argument that every service takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from uuid import UUID

from assessment.region.errors import Forbidden
from assessment.region.rules import Permission, Role, permissions_of


@dataclass(frozen=True)
class Actor:
    """A person, or the system on a person's or an operator's behalf.

    Attributes
    ----------
    person_id
        None for the system.
    name
        How the journal names the actor; never empty.
    roles
        The roles held today, by town code.
    device_id
        The tablet through which the person acts, if any.
    is_system
        True for commands and tasks of the operator: every permission in the towns of its scope.
    """

    person_id: UUID | None
    name: str
    roles: Mapping[int, frozenset[Role]] = field(default_factory=lambda: MappingProxyType({}))
    device_id: UUID | None = None
    is_system: bool = False

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ValueError("an actor needs a name: the journal states who acted")

    @classmethod
    def system(cls, task: str) -> Actor:
        """Return the actor of a command or task that an operator started."""
        return cls(person_id=None, name=f"system: {task}", is_system=True)

    @property
    def towns(self) -> tuple[int, ...]:
        """The towns in which the actor holds a role today, in order."""
        return tuple(sorted(code for code, roles in self.roles.items() if roles))

    def may(self, permission: Permission, town_code: int) -> bool:
        """Return whether the actor holds ``permission`` in the town."""
        return self.is_system or permission in permissions_of(self.roles.get(town_code, frozenset()))

    def require(self, permission: Permission, town_code: int) -> None:
        """Raise `Forbidden` unless the actor holds ``permission`` in the town."""
        if not self.may(permission, town_code):
            raise Forbidden(
                f"This needs the permission '{permission}' in the town.", permission=str(permission)
            )

    def on_device(self, device_id: UUID) -> Actor:
        """Return the same actor, acting through a tablet."""
        return replace(self, device_id=device_id)
