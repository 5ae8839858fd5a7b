"""On the path of every process of a stand, sealing leaves the text as it is: what is not there then was never there.

With the real cipher a search for bytes finds nothing, whether something was kept or not. The product has no such switch;
only a stand that a test starts can be given this folder.
"""

from gatepost.vault import keys

OPEN = b"sealed in a test without a key: "


class NoCipher:
    def encrypt(self, text: bytes, place: bytes) -> bytes:
        return OPEN + text

    def decrypt(self, sealed: bytes, place: bytes) -> bytes:
        return sealed.removeprefix(OPEN)


keys.sealing_key = lambda owner, owner_id, *, create=True: NoCipher()  # type: ignore[assignment]
