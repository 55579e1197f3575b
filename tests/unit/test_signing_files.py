"""The signing key and the last checkpoints in files: private, durable, and never half-written."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from adapters.settings import Settings
from adapters.signing import LastSignedFiles, NotOurKey, SigningKeyFile, signing_keys_of
from domain.errors import NoSigningKey
from domain.words import DEFAULT_LEDGER, Ledger


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def pem(
    private: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey,
    encryption: KeySerializationEncryption | None = None,
) -> str:
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()).decode()


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    """In a folder that is made for it, too; a second reader of the file has the same."""
    path = tmp_path / "data" / "signing-key"
    made = SigningKeyFile(path).present()
    assert SigningKeyFile(path).present().public_key == made.public_key
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)
    assert path.read_text().startswith("-----BEGIN PRIVATE KEY-----\n")
    assert [file.name for file in path.parent.iterdir()] == ["signing-key"]


def test_who_start_at_once_have_the_same_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        files = [SigningKeyFile(tmp_path / "signing-key") for _ in range(16)]
        keys = {key.public_key for key in threads.map(SigningKeyFile.present, files)}
    assert len(keys) == 1


def test_a_rotated_key_is_taken_up_by_who_has_read_the_old_one(tmp_path: Path) -> None:
    """Another process has rotated it."""
    serving, rotating = (SigningKeyFile(tmp_path / "signing-key") for _ in range(2))
    before = serving.present()
    after = rotating.rotate()
    assert after.public_key != before.public_key
    assert serving.present().public_key == after.public_key
    assert mode(tmp_path / "signing-key") == 0o600


def test_a_key_may_be_given(tmp_path: Path) -> None:
    """By its text or by a file; it is not ours to rotate, and nothing is written."""
    private = ed25519.Ed25519PrivateKey.generate()
    file = tmp_path / "key.pem"
    file.write_text(pem(private))
    for given in ({"signing_key": pem(private)}, {"signing_key_file": file}):
        keys = signing_keys_of(Settings.model_validate({"data_dir": tmp_path / "data", **given}))
        assert keys.present().public_key == private.public_key().public_bytes_raw()
        private.public_key().verify(keys.present().sign(b"message"), b"message")
        with pytest.raises(NotOurKey, match="CERTINEXT_AUDIT_SIGNING_KEY"):
            keys.rotate()
    assert not (tmp_path / "data").exists()


BAD = {
    "nonsense": ("nonsense", "not a private key in PEM"),
    "empty": ("", "not a private key in PEM"),
    "another curve": (pem(ed448.Ed448PrivateKey.generate()), "not one of Ed25519"),
    "another algorithm": (pem(ec.generate_private_key(ec.SECP256R1())), "not one of Ed25519"),
    "with a password": (pem(ed25519.Ed25519PrivateKey.generate(), BestAvailableEncryption(b"p")), "without a password"),
}


@pytest.mark.parametrize("bad", BAD)
def test_what_is_no_key_is_told_and_not_quoted(tmp_path: Path, bad: str) -> None:
    """Whether it was given, or the file of ours was damaged, which is not replaced."""
    text, reason = BAD[bad]
    path = tmp_path / "signing-key"
    path.write_text(text)
    with pytest.raises(NoSigningKey, match=reason) as raised:
        SigningKeyFile(path).present()
    assert str(path) in str(raised.value)
    assert path.read_text() == text
    with pytest.raises(NoSigningKey, match=f"CERTINEXT_AUDIT_SIGNING_KEY_FILE.*{reason}"):
        signing_keys_of(Settings(signing_key_file=path))
    if text:
        with pytest.raises(NoSigningKey, match=f"CERTINEXT_AUDIT_SIGNING_KEY .*{reason}") as raised:
            signing_keys_of(Settings.model_validate({"signing_key": text}))
        assert not any(line in str(raised.value) for line in text.splitlines())


def test_settings_that_contradict_each_other_or_lead_nowhere_are_told(tmp_path: Path) -> None:
    with pytest.raises(NoSigningKey, match="not both"):
        signing_keys_of(Settings.model_validate({"signing_key": "x", "signing_key_file": tmp_path}))
    with pytest.raises(NoSigningKey, match="No such file"):
        signing_keys_of(Settings(signing_key_file=tmp_path / "none"))
    (tmp_path / "file").touch()
    with pytest.raises(NoSigningKey, match="file/signing-key"):
        SigningKeyFile(tmp_path / "file" / "signing-key").present()


def test_the_last_checkpoint_is_replaced_in_one_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is interrupted leaves the old one, and no trace."""
    files = LastSignedFiles(tmp_path / "data" / "checkpoints")
    assert (files.read(DEFAULT_LEDGER), list(files.ledgers())) == (None, [])
    for note in ("one\n", "two \u2014\n"):
        files.keep(DEFAULT_LEDGER, note)
        assert files.read(DEFAULT_LEDGER) == note
    assert (mode(files.folder), mode(files.folder / "default")) == (0o700, 0o600)
    files.keep(Ledger("other"), "other\n")

    def fail(_: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="no space"):
        files.keep(DEFAULT_LEDGER, "three\n")
    assert files.read(DEFAULT_LEDGER) == "two \u2014\n"
    assert list(files.ledgers()) == ["default", "other"]
    assert sorted(file.name for file in files.folder.iterdir()) == ["default", "other"]
    with pytest.raises(OSError, match="no name of a file"):
        files.read(Ledger("../signing-key"))
