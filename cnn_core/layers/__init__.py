"""One kind of layer each: forward, backward and gradient."""
