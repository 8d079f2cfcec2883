"""From a batch's gradient to new parameters."""
