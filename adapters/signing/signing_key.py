"""The Ed25519 key that signs checkpoints: in a file of ours, or given by the operator."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from adapters.private_files import create_private, write_private
from adapters.settings import Settings
from application.ports import SigningKeys
from domain.errors import AuditError, NoSigningKey


class NotOurKey(AuditError):
    """A key that the operator gives cannot be rotated by the service."""


@dataclass(frozen=True)
class Ed25519Key:
    """A private key; what it is never shows."""

    _private: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def new(cls) -> "Ed25519Key":
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def of_pem(cls, pem: bytes, source: str) -> "Ed25519Key":
        """From PKCS #8. Raises NoSigningKey that names the source and quotes nothing of the key."""
        try:
            private = load_pem_private_key(pem, None)
        except (ValueError, TypeError):
            raise NoSigningKey(f"{source} is not a private key in PEM (PKCS #8), without a password") from None
        except Exception as error:  # Of an algorithm that the library does not know.
            raise NoSigningKey(f"{source} is not an Ed25519 key: {type(error).__name__}") from None
        if not isinstance(private, Ed25519PrivateKey):
            raise NoSigningKey(f"{source} is a private key, but not one of Ed25519")
        return cls(private)

    @property
    def pem(self) -> str:
        return self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    @property
    def public_key(self) -> bytes:
        return self._private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)


@dataclass(frozen=True)
class GivenSigningKey:
    """The key that the settings give."""

    key: Ed25519Key
    setting: str

    def present(self) -> Ed25519Key:
        return self.key

    def rotate(self) -> Ed25519Key:
        raise NotOurKey(f"the signing key is given by {self.setting}: give another one there, and start again")


class SigningKeyFile:
    """A key in a file of ours, made at first use. Owns what it has read of it, until the file changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: tuple[tuple[int, int], Ed25519Key] | None = None

    def present(self) -> Ed25519Key:
        """Raises NoSigningKey."""
        with self._told():
            if not self._path.exists():
                # Of two processes that make one, the first wins.
                create_private(self._path, Ed25519Key.new().pem)
            state = self._path.stat()
            version = (state.st_ino, state.st_mtime_ns)
            if self._read is None or self._read[0] != version:
                self._read = version, Ed25519Key.of_pem(self._path.read_bytes(), str(self._path))
            return self._read[1]

    def rotate(self) -> Ed25519Key:
        """Raises NoSigningKey. The old private key is gone then; its public key was kept when it was used."""
        with self._told():
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(self._path, Ed25519Key.new().pem)
        return self.present()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise NoSigningKey(f"the signing key {self._path}: {error.strerror or error}") from error


def signing_keys_of(settings: Settings) -> SigningKeys:
    """Where the key that signs checkpoints comes from. Raises NoSigningKey if the settings give what is none."""
    if settings.signing_key is not None and settings.signing_key_file is not None:
        raise NoSigningKey("set CERTINEXT_AUDIT_SIGNING_KEY or CERTINEXT_AUDIT_SIGNING_KEY_FILE, not both")
    if settings.signing_key is not None:
        setting, pem = "CERTINEXT_AUDIT_SIGNING_KEY", settings.signing_key.get_secret_value().encode()
    elif settings.signing_key_file is not None:
        setting = "CERTINEXT_AUDIT_SIGNING_KEY_FILE"
        try:
            pem = settings.signing_key_file.read_bytes()
        except OSError as error:
            raise NoSigningKey(f"{setting}: {settings.signing_key_file}: {error.strerror}") from error
    else:
        return SigningKeyFile(settings.data_dir / "signing-key")
    return GivenSigningKey(Ed25519Key.of_pem(pem, setting), setting)
