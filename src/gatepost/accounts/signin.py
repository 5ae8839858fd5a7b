"""How people sign in: with an address and a password. Nobody signs himself up; an administrator adds members."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter


class InvitationOnly(DefaultAccountAdapter):
    def is_open_for_signup(self, request: Any) -> bool:
        return False
