"""Microsoft Graph and Entra ID. Knows no Django and no table of ours.

`shapes` is the closed list of everything that may be asked of Graph; `gateway` sends a request of one of these
shapes and nothing else. One module per scope family (`messages`, `drafts`, `calendar`, `subscriptions`,
`housekeeping`), each imported by one concept only: the page for IT can be checked against the imports.
"""
