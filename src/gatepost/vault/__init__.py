"""The vault: what is stored sealed, and with which key.

A *key* belongs to a workspace or a mailbox and lies, wrapped by the installation's key, in the keystore: a
database of its own with backups of its own, so that an old dump of the main database cannot bring an erased
key back. Destroying a key makes all that it sealed unreadable, wherever copies lie.

`fields.SealedField` holds ciphertext and does no cryptography. Sealing is `sealing.seal`; opening depends on what
it is: `names.open` (addresses, names), `content.open` (mail text; only audit.reveal may), `tokens.open`
(only mailboxes.connection may). The import contracts in pyproject.toml hold that.
"""
