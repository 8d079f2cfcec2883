"""What a network is. It is passive: nothing here predicts, trains or touches the disk.

activations losses custom_loss initializers    the choices that have names, and their settings
loss_names quantiles fields                    parts of these: names elsewhere, several quantiles, fields in files
layers                                         one file for each kind of layer
layout                                         sizes and offsets, summed over the layers
construction                                   checks what the user passes, and makes the parts of a network from it
state                                          snapshots, and the state of an optimizer
guarded                                        attributes that are read-only, or checked when they are set
model                                          Model: all of this, with parameters and statistics
"""
