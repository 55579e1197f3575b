"""Who may use CertiNext, and what they may do: users, roles and groups."""

from typing import Annotated

from domain.activity import Declarations, Details
from domain.effect import adds, becomes, begins, ends, keeps, removes, replaces, touches
from domain.values import PERSONAL, Name, Names, Text, Timestamp
from domain.words import Module

people = Declarations(Module.ADMINISTRATION)


@people(
    "CreateUser",
    "user.created",
    "user",
    "created user {entity}",
    begins("active", keeps("email", "identity_provider"), replaces(roles="roles")),
    clause="3.2",
)
class UserCreated(Details):
    """A person was given an account."""

    email: Annotated[Name | None, PERSONAL] = None
    roles: Names | None = None
    identity_provider: Name | None = None


@people("UpdateUser", "user.updated", "user", "updated user {entity}", clause="3.2")
class UserUpdated(Details):
    """What CertiNext keeps about a user was changed."""


@people("DisableUser", "user.disabled", "user", "disabled user {entity}", becomes("disabled"), clause="3.2")
class UserDisabled(Details):
    """An account was closed to sign-in until somebody opens it again."""

    reason: Text | None = None


@people(
    "EnableUser", "user.enabled", "user", "enabled user {entity}", becomes("active", after=("disabled",)), clause="3.2"
)
class UserEnabled(Details):
    """A disabled account was opened to sign-in again."""

    reason: Text | None = None


@people("DeleteUser", "user.deleted", "user", "deleted user {entity}", ends("deleted"), clause="3.2")
class UserDeleted(Details):
    """An account was removed for good."""

    reason: Text | None = None


@people(
    "CreateRole",
    "role.created",
    "role",
    "created role {entity}",
    begins("active", replaces(permissions="permissions")),
    clause="3.3",
)
class RoleCreated(Details):
    """A named set of permissions was laid down."""

    permissions: Names | None = None


@people("ChangeRole", "role.changed", "role", "changed role {entity}", clause="3.3")
class RoleChanged(Details):
    """The permissions of a role were changed, for all who hold it."""


@people("DeleteRole", "role.deleted", "role", "deleted role {entity}", ends("deleted"), clause="3.3")
class RoleDeleted(Details):
    """A role was removed, and with it the permissions of those who held it."""


@people("AssignRole", "role.assigned", "user", "assigned a role to {entity}", touches(adds(roles="role")), clause="3.3")
class RoleAssigned(Details):
    """A user or a group was given a role, within a scope or until a time where one is set."""

    role: Name | None = None
    scope: Name | None = None
    expires_at: Timestamp | None = None


@people(
    "UnassignRole", "role.unassigned", "user", "took a role from {entity}", touches(removes(roles="role")), clause="3.3"
)
class RoleUnassigned(Details):
    """A user or a group lost a role."""

    role: Name | None = None
    scope: Name | None = None


@people(
    "CreateGroup",
    "group.created",
    "group",
    "created group {entity}",
    begins("active", replaces(members="members")),
    clause="3.3",
)
class GroupCreated(Details):
    """Users were put together under one name, to be given rights or told things together."""

    members: Annotated[Names | None, PERSONAL] = None


@people(
    "ChangeGroup",
    "group.changed",
    "group",
    "changed group {entity}",
    touches(adds(members="members_added"), removes(members="members_removed")),
    clause="3.3",
)
class GroupChanged(Details):
    """A group got another name, other rights or other members."""

    members_added: Annotated[Names | None, PERSONAL] = None
    members_removed: Annotated[Names | None, PERSONAL] = None


@people("DeleteGroup", "group.deleted", "group", "deleted group {entity}", ends("deleted"), clause="3.3")
class GroupDeleted(Details):
    """A group was removed; its members kept their accounts."""
