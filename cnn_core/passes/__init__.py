"""Forward and backward passes through the layers."""
