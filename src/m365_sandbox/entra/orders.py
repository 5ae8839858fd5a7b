"""What Entra does wrong on order: refuses with a code, or hands out an id token that nobody may believe."""

from dataclasses import asdict, dataclass
from typing import Any

from m365_sandbox.errors import ENTRA_CODES, EntraError

PLACES = ("page", "redirect", "token")
WRONG_ID_TOKENS = {
    "issuer_of_another_tenant": "`iss` names another tenant than `tid`",
    "issuer_placeholder": "`iss` holds the literal {tenantid} of the discovery document",
    "issuer_v1": "`iss` is that of v1.0 tokens, sts.windows.net",
    "issuer_elsewhere": "`iss` is no Microsoft host",
    "audience_other": "`aud` is another app",
    "audience_missing": "no `aud`",
    "tenant_other": "`tid` is another tenant than that of `iss`",
    "tenant_missing": "no `tid`",
    "nonce_other": "`nonce` of another sign-in",
    "nonce_missing": "no `nonce`",
    "expired": "`exp` is past",
    "expiry_missing": "no `exp`",
    "not_yet_valid": "`nbf` is a day ahead",
    "issued_in_the_future": "`iat` is a day ahead",
    "signature_broken": "the claims were changed after they were signed",
    "signature_missing": "the third part is empty",
    "signed_by_another_key": "the published key's `kid`, another key's signature",
    "key_unknown": "`kid` and signature of a key that was never published",
    "algorithm_none": "`alg` is none, without signature",
    "algorithm_hs256": "signed by HMAC, with the public key as the secret",
    "subject_missing": "no `sub`",
    "object_missing": "no `oid`",
    "garbled": "no JWT at all",
    "absent": "no id token in the answer",
}


@dataclass(slots=True)
class Order:
    """A refusal with `code` at `where`, or an id token that is `wrong` so; `account` empty: anybody's."""

    code: int = 0
    where: str = ""
    wrong: str = ""
    account: str = ""
    count: int | None = None
    claims: str = ""

    def concerns(self, account: str) -> bool:
        return self.count != 0 and self.account in ("", account.lower())

    def strike(self) -> None:
        if self.count is not None:
            self.count -= 1


class Orders:
    def __init__(self) -> None:
        self._orders: list[Order] = []

    def add(self, given: dict[str, Any]) -> Order:
        """{"code", "where", "for", "count", "claims"} or {"wrong", "for", "count"}.

        The ValueError says what is wrong with it.
        """
        unknown = set(given) - {"code", "where", "wrong", "for", "count", "claims"}
        if unknown:
            raise ValueError(f"An order has no {', '.join(sorted(unknown))}.")
        count = None if given.get("count") is None else int(given["count"])
        order = Order(
            account=str(given.get("for") or "").lower(), count=count, claims=str(given.get("claims") or "")
        )
        if "wrong" in given:
            order.wrong = str(given["wrong"])
            if order.wrong not in WRONG_ID_TOKENS:
                raise ValueError(f"wrong is one of {', '.join(WRONG_ID_TOKENS)}, not {order.wrong!r}.")
        else:
            order.code = int(given.get("code") or 0)
            if order.code not in ENTRA_CODES:
                raise ValueError(f"code is one of {', '.join(map(str, ENTRA_CODES))}, not {order.code}.")
            order.where = str(given.get("where") or ENTRA_CODES[order.code][0])
            if order.where not in PLACES:
                raise ValueError(f"where is one of {', '.join(PLACES)}, not {order.where!r}.")
        self._orders.append(order)
        return order

    def refusal(self, where: str, account: str, **details: str) -> EntraError | None:
        """The refusal ordered for this account there; it is used up by being asked for."""
        for order in self._orders:
            if order.code and order.where == where and order.concerns(account):
                order.strike()
                return EntraError(order.code, claims=order.claims, **details)
        return None

    def wrong_id_token(self, account: str) -> str:
        for order in self._orders:
            if order.wrong and order.concerns(account):
                order.strike()
                return order.wrong
        return ""

    def take_up(self, rows: list[dict[str, Any]]) -> None:
        """What `to_json` told, instead of what is here."""
        self._orders = [Order(**row) for row in rows]

    def clear(self) -> None:
        self._orders.clear()

    def to_json(self) -> list[dict[str, Any]]:
        return [asdict(order) for order in self._orders]
