"""Names that other libraries have for losses: the same ones, and those that mean several here or none."""

SYNONYMS = {
    "mae": "absolute_error",
    "l1": "absolute_error",
    "mean_absolute_error": "absolute_error",
    "mean_squared_error": "mse",
    "pinball": "quantile",
    "pinball_loss": "quantile",
    "smooth_l1": "huber",
    "huber_loss": "huber",
    "poisson_nll": "poisson",
    "crossentropy": "cross_entropy",
    "categorical_crossentropy": "cross_entropy",
    "categorical_cross_entropy": "cross_entropy",
    "sparse_categorical_crossentropy": "cross_entropy",
    "sparse_categorical_cross_entropy": "cross_entropy",
    "softmax_cross_entropy": "cross_entropy",
    "bce": "binary_cross_entropy",
    "binary_crossentropy": "binary_cross_entropy",
    "sigmoid_cross_entropy": "binary_cross_entropy",
    "bce_with_logits": "binary_cross_entropy",
}
"""Names of the same losses in other libraries."""

_ENTROPIES = "did you mean 'cross_entropy' (an output for each class) or 'binary_cross_entropy' (one for each label)"
_SQUARES = "did you mean 'mse' (the mean over the outputs) or 'squared_error' (half of their sum)"
OTHER_NAMES = (
    dict.fromkeys(("log_loss", "logloss", "logistic", "deviance", "nll", "ce", "entropy"), _ENTROPIES)
    | dict.fromkeys(("l2", "squared_loss", "quadratic", "least_squares", "euclidean"), _SQUARES)
    | dict.fromkeys(("rmse", "root_mean_squared_error"), "'mse' has the same minimum")
    | dict.fromkeys(("kl_divergence", "kullback_leibler"), "'cross_entropy' has the same gradient")
    | dict.fromkeys(("hinge", "mape", "msle", "log_cosh", "cosine", "focal", "tweedie", "gamma"), "use a CustomLoss")
)
"""Names that mean several losses here or none, and what to use."""
