"""The key that signs checkpoints, and the last checkpoint signed, in files beside the database."""

from adapters.signing.last_signed import LastSignedFiles
from adapters.signing.signing_key import NotOurKey, SigningKeyFile, signing_keys_of

__all__ = ["LastSignedFiles", "NotOurKey", "SigningKeyFile", "signing_keys_of"]
