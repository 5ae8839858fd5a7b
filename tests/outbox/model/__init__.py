"""The protocol of a send as a model, searched exhaustively.

The workers of the model run `outbox.protocol.step`, the very generator that the product runs, and change their row by
`outbox.protocol.TRANSITIONS`, the very table. Imagined is what lies outside: Microsoft, the network, crashes, time.
"""
