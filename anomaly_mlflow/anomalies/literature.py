"""Pairs of classes that people or papers name as alike or as never confused, by data set."""

from anomaly_mlflow.anomalies.superclasses import CIFAR100_FAR, CIFAR100_NEAR
from anomaly_mlflow.data.names import CIFAR10, CIFAR100, FASHION, KNOWN_CLASSES, TEN_DIGITS

__all__ = ["LITERATURE", "has_literature"]

Pairs = dict[str, tuple[str, ...]]

GARMENTS = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Shirt")
FOOTWEAR = ("Sandal", "Sneaker", "Ankle boot")

LITERATURE: dict[tuple[str, ...], dict[str, Pairs]] = {
    # near: the five asymmetric pairs of Patrini et al. (2017). far: the rarest confusions of the human votes in
    # CIFAR-10H (Peterson et al. 2019) and CIFAR-10N worse (Wei et al. 2022): not read off the model under study.
    CIFAR10: {
        "near": {
            "truck": ("automobile",),
            "bird": ("airplane",),
            "deer": ("horse",),
            "cat": ("dog",),
            "dog": ("cat",),
        },
        "far": {
            "automobile": ("horse",),
            "frog": ("automobile", "airplane", "truck"),
            "truck": ("deer", "frog"),
            "dog": ("airplane", "ship", "automobile"),
            "horse": ("truck",),
            "deer": ("truck",),
        },
    },
    # near: the other classes of the superclass (Krizhevsky 2009); far: by hand, natural against man-made superclasses.
    CIFAR100: {"near": CIFAR100_NEAR, "far": CIFAR100_FAR},
    # near: Zhang and Sabuncu (2018), NeurIPS, for boot, sneaker, pullover, coat and dress; T-shirt, shirt and sandal by
    # hand. far: by hand, garments against footwear.
    FASHION: {
        "near": {
            "Ankle boot": ("Sneaker",),
            "Sneaker": ("Sandal",),
            "Pullover": ("Shirt",),
            "Coat": ("Dress",),
            "Dress": ("Coat",),
            "T-shirt/top": ("Shirt",),
            "Shirt": ("T-shirt/top",),
            "Sandal": ("Sneaker",),
        },
        "far": dict.fromkeys(GARMENTS, FOOTWEAR) | dict.fromkeys(FOOTWEAR, GARMENTS),
    },
    # near: Patrini et al. (2017), MNIST. far: the digit of the fewest votes, under 0.1 % of the class, of five nearest
    # neighbours by cosine of the pixels, over 10,000 images of MNIST in five folds; 8 and 9 have none so rare.
    TEN_DIGITS: {
        "near": {"2": ("7",), "3": ("8",), "5": ("6",), "6": ("5",), "7": ("1",)},
        "far": {
            "0": ("7",),
            "1": ("0",),
            "2": ("5",),
            "3": ("4",),
            "4": ("3",),
            "5": ("7",),
            "6": ("2", "7"),
            "7": ("5",),
        },
    },
}


def has_literature(classes: tuple[str, ...], set_name: str) -> bool:
    """Whether pairs are known; ten classes named by number are digits only in a data set of digits."""
    if classes == TEN_DIGITS:
        return KNOWN_CLASSES.get(set_name.lower()) == TEN_DIGITS
    return classes in LITERATURE
