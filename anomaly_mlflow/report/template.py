"""The templates of the pages."""

from jinja2 import Environment, PackageLoader, StrictUndefined, Template, select_autoescape

__all__ = ["template"]


def template(name: str) -> Template:
    """A template of this package: all text escaped, an unknown name an error."""
    environment = Environment(
        loader=PackageLoader("anomaly_mlflow", "report"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
