"""The only door through which mail comes in: envelope → match → body.

Stage 1 asks for ids, references and the time of arrival; stage 1b, for candidates only, for the sender; stage 2, for a
matched reply only, for its new text. What does not match leaves one number in a daily count.
"""
