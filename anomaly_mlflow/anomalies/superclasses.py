"""The 20 superclasses of CIFAR-100: near = within one, far = natural against man-made."""

from itertools import chain

__all__ = ["CIFAR100_FAR", "CIFAR100_NEAR", "SUPERCLASSES"]

# Krizhevsky (2009), Learning multiple layers of features from tiny images; members in the order of their labels.
SUPERCLASSES = {
    "aquatic mammals": ("beaver", "dolphin", "otter", "seal", "whale"),
    "fish": ("aquarium_fish", "flatfish", "ray", "shark", "trout"),
    "flowers": ("orchid", "poppy", "rose", "sunflower", "tulip"),
    "food containers": ("bottle", "bowl", "can", "cup", "plate"),
    "fruit and vegetables": ("apple", "mushroom", "orange", "pear", "sweet_pepper"),
    "household electrical devices": ("clock", "keyboard", "lamp", "telephone", "television"),
    "household furniture": ("bed", "chair", "couch", "table", "wardrobe"),
    "insects": ("bee", "beetle", "butterfly", "caterpillar", "cockroach"),
    "large carnivores": ("bear", "leopard", "lion", "tiger", "wolf"),
    "large man-made outdoor things": ("bridge", "castle", "house", "road", "skyscraper"),
    "large natural outdoor scenes": ("cloud", "forest", "mountain", "plain", "sea"),
    "large omnivores and herbivores": ("camel", "cattle", "chimpanzee", "elephant", "kangaroo"),
    "medium-sized mammals": ("fox", "porcupine", "possum", "raccoon", "skunk"),
    "non-insect invertebrates": ("crab", "lobster", "snail", "spider", "worm"),
    "people": ("baby", "boy", "girl", "man", "woman"),
    "reptiles": ("crocodile", "dinosaur", "lizard", "snake", "turtle"),
    "small mammals": ("hamster", "mouse", "rabbit", "shrew", "squirrel"),
    "trees": ("maple_tree", "oak_tree", "palm_tree", "pine_tree", "willow_tree"),
    "vehicles 1": ("bicycle", "bus", "motorcycle", "pickup_truck", "train"),
    "vehicles 2": ("lawn_mower", "rocket", "streetcar", "tank", "tractor"),
}

# By hand. Containers, which hold fruit, and outdoor things, which stand in landscapes, are far from nothing.
MAN_MADE = ("household electrical devices", "household furniture", "vehicles 1", "vehicles 2")
NEITHER = ("food containers", "large man-made outdoor things")
_MADE = tuple(chain.from_iterable(SUPERCLASSES[name] for name in MAN_MADE))
_NATURAL = tuple(chain.from_iterable(SUPERCLASSES[name] for name in SUPERCLASSES if name not in (*MAN_MADE, *NEITHER)))

CIFAR100_NEAR = {
    name: tuple(other for other in members if other != name) for members in SUPERCLASSES.values() for name in members
}
CIFAR100_FAR = dict.fromkeys(_NATURAL, _MADE) | dict.fromkeys(_MADE, _NATURAL)
