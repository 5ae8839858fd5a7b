"""Microsoft Entra ID, v2.0 endpoints: sign-in, consent, tokens."""
