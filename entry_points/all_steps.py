"""Importing this module fills STEPS."""

from entry_points import (  # noqa: F401
    classify,
    detect,
    estimate_errors,
    explain,
    export,
    extract_features,
    generate_noise,
    glitch,
    glitches,
    hypotheses,
    judge,
    main,
    monitor,
    sweep,
    theory,
    train_baseline,
    train_clean,
    train_folds,
    train_noisy,
)
