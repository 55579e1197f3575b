"""The account that PostgreSQL runs under, since it refuses to run as root."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from adapters.embedded.errors import EmbeddedPostgresError

_UNPRIVILEGED = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """What `subprocess` takes as user, group and extra groups; all None is the account that we run as."""

    uid: int | None = None
    gid: int | None = None
    groups: tuple[()] | None = None

    @classmethod
    def for_cluster(cls, cluster: Path) -> "Account":
        """Ourselves, or if we are root the owner of an existing cluster, else an unprivileged account."""
        if os.geteuid() != 0:
            return OURS
        if cluster.exists() and (owner := cluster.stat()).st_uid != 0:
            return cls(owner.st_uid, owner.st_gid, ())
        for name in _UNPRIVILEGED:
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return cls(entry.pw_uid, entry.pw_gid, ())
        raise EmbeddedPostgresError(
            f"PostgreSQL refuses to run as root, and none of the users {', '.join(_UNPRIVILEGED)} exists: "
            "add one, or start the service as an ordinary user."
        )

    @property
    def differs_from_ours(self) -> bool:
        return self.uid is not None

    def take_over(self, path: Path) -> None:
        """Give the account a folder or file that we made ourselves a moment ago; never any other."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


OURS = Account()
