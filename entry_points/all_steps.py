"""Importing this module fills STEPS."""

from entry_points import (  # noqa: F401
    estimate_errors,
    explain,
    export,
    extract_features,
    generate_noise,
    hypotheses,
    main,
    train_baseline,
    train_clean,
    train_folds,
    train_noisy,
)
