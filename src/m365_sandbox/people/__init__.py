"""The people of the sandbox: who they are, what they write, when they answer, and all the mail that is not ours.

Everything here is a pure function of its arguments: the server hands in a message and carries out what comes back.
"""
