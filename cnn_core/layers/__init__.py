"""One module for each kind of layer: forward, backward and gradient."""
