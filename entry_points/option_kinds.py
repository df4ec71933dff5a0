"""Kinds of values that options take, and how an option is declared."""

import re
from urllib.parse import unquote_plus

import click

from anomaly_mlflow.anomalies.similarity import TABLES
from anomaly_mlflow.errors import UnknownName
from anomaly_mlflow.models import find, spoken_names

__all__ = ["COUNT", "MODEL", "POSITIVE", "SHARE", "TABLE", "Auto", "Names", "Number", "Storage", "TextOrNone", "option"]


class Auto(click.ParamType):
    """A number in a range, or `auto` for the default that the help text states (passed on as None)."""

    def __init__(self, kind: click.ParamType):
        self.kind = kind
        self.name = f"{kind.name} or auto"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        choices = getattr(self.kind, "choices", [self.kind.name.split()[0].upper()])
        return f"[{'|'.join([*choices, 'auto'])}]"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> object:
        if value in (None, "auto"):
            return None
        converted = self.kind.convert(value, param, ctx)
        if converted != converted:
            self.fail("nan is no number.", param, ctx)
        return converted


class Number(click.FloatRange):
    """A number in a range; `nan` is in none."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> object:
        converted = super().convert(value, param, ctx)
        if converted != converted:
            self.fail("nan is no number.", param, ctx)
        return converted


class TextOrNone(click.ParamType):
    """Text, or `none` (passed on as None): an empty value would be lost on its way through MLproject."""

    name = "text or none"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> object:
        if value == "":
            self.fail("it is empty; write none to leave it out.", param, ctx)
        return None if value in (None, "none") else value


class Names(click.ParamType):
    """Names separated by commas, in any order and spacing: passed on sorted, each once."""

    name = "names"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        names = sorted({name.strip() for name in value.split(",")} - {""})
        if not names:
            self.fail("it names nothing; write one name or several, separated by commas.", param, ctx)
        return ",".join(names)


class Storage(TextOrNone):
    """The address of a database without a password, which would be logged, or `none`."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> object:
        address = super().convert(value, param, ctx)
        if address is None:
            return None
        user = str(address).partition("://")[2].rpartition("@")[0]
        if "://" not in str(address):
            self.fail("it is no address of a database such as postgresql+psycopg://USER@HOST/NAME.", param, ctx)
        if ":" in user or re.search("(password|passwd|pwd)=", unquote_plus(str(address)), re.IGNORECASE):
            self.fail("a password in it would be logged; leave it out and set PGPASSWORD.", param, ctx)
        return address


class ModelName(click.ParamType):
    """The name of a model."""

    name = "model"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return f"[{'|'.join(spoken_names())}]"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            find(value)
        except UnknownName as error:
            self.fail(str(error), param, ctx)
        return value


SHARE = Number(0, 1)
COUNT = click.IntRange(min=1)
POSITIVE = click.FloatRange(min=0, max=1e6, min_open=True)
TABLE = click.Choice(TABLES)
MODEL = ModelName()


def option(name: str, kind: click.ParamType, default: object, text: str) -> click.Option:
    """A declared option; text: what `--help` says, with units."""
    return click.Option([f"--{name}", name], type=kind, default=default, help=text, show_default=True)
