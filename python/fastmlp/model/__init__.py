"""What a network is: passive, it knows nothing of what is done with it.

activations losses custom_loss initializers    by name, with their settings
layers                                         one file for each kind of layer
layout                                         sizes and offsets, added up over the layers
construction                                   from what a user writes down to the parts of a network
state                                          copies, and what an optimizer leaves
model                                          Model: all of this, with parameters and statistics
"""
