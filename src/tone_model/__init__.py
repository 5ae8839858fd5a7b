"""How the model of tone is made: the encoder from pinned packages, its adapter and heads from data/replies.

`python -m tone_model.build` writes what the product loads (seconds, numpy and onnx); `python -m tone_model.train`
learns the adapter and the heads anew (jax and scikit-learn, about half an hour). Neither needs a network.
The product imports nothing of this.
"""
