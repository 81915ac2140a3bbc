"""How text is compared when somebody looks for it: any case, any script, look-alikes of one letter as one."""

import unicodedata
from typing import Any

from django.db import models


def fold(text: str) -> str:
    """Return what two spellings of one text have in common.

    Compatibility forms and full case folding (Unicode 16 section 3.13, D145 and UAX #15): ``ﬁ`` finds ``fi``, ``ß``
    finds ``SS``. A dot above that folding leaves behind an i (``İ`` folds to ``i̇``) is dropped, so that ``istanbul``
    finds ``İstanbul``.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", folded).replace("i̇", "i")


class FoldedField(models.TextField[str, str]):
    """A column that follows another one, folded; written on every save, bulk_create and bulk_update."""

    def __init__(self, source: str, **kwargs: Any) -> None:
        self.source = source
        super().__init__(**{"editable": False, "default": "", **kwargs})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "source": self.source}

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        folded = fold(getattr(model_instance, self.source))
        setattr(model_instance, self.attname, folded)
        return folded
