"""Mail of our own: invitations, notices, reports. It goes by SMTP and has nothing to do with anybody's mailbox.

A concept above says what a kind of letter holds, with `@letter`, and asks for one with `send`, in the transaction of
the change that the letter tells of. It is written when it leaves, so that no address and no text waits in the queue.
"""
