"""The demo: the whole product on this machine with a stand-in Microsoft 365, and its headless check.

Nothing here is used in production. `stand` starts everything, `browser` is a person at a browser, `show` is
`gatepost demo`, `check` is `gatepost demo --check`.
"""
