"""Which tables hang on a mailbox, a contact or a workspace: found by their foreign keys, so that none is forgotten."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter

from django.db import models
from django.db.models import Q
from django.db.models.fields.reverse_related import ForeignObjectRel

from gatepost.erasure.models import Erasure

# Receipts outlive what they are for.
STAYS: frozenset[type[models.Model]] = frozenset({Erasure})


@dataclass(frozen=True, slots=True)
class Table:
    """A table with the ways (look-ups) that lead from its rows to the root."""

    model: type[models.Model]
    ways: tuple[str, ...]

    def rows(self, roots: Iterable[object]) -> "models.QuerySet[models.Model]":
        hang_on_it = Q()
        for way in self.ways:
            hang_on_it |= Q((f"{way}__in", list(roots)))
        return self.model._default_manager.filter(hang_on_it)

    @property
    def name(self) -> str:
        return str(self.model._meta.verbose_name_plural)


@cache
def tables_below(root: type[models.Model]) -> tuple[Table, ...]:
    """Every table whose rows cannot be without a row of `root`, in an order in which they can be removed."""
    ways: dict[type[models.Model], list[str]] = {root: []}
    waiting = [root]
    while waiting:
        parent = waiting.pop(0)
        for relation in _dependents(parent):
            child, key = relation.related_model, relation.field.name
            if child in STAYS:
                continue
            beyond = [f"{key}__{way}" for way in ways[parent]] if parent is not root else [key]
            direct = [field.name for field in child._meta.local_fields if field.related_model is root]
            if child not in ways:
                waiting.append(child)
            # A row that names the root itself needs no other way to it.
            ways[child] = direct or sorted({*ways.get(child, ()), *beyond})
    del ways[root]
    order = TopologicalSorter({model: _dependent_models(model) & set(ways) - {model} for model in ways})
    return tuple(Table(model, tuple(ways[model])) for model in order.static_order())


def _dependents(model: type[models.Model]) -> list[ForeignObjectRel]:
    return [
        relation
        for relation in model._meta.related_objects
        if relation.related_model is not model and relation.on_delete is not models.SET_NULL
    ]


def _dependent_models(model: type[models.Model]) -> set[type[models.Model]]:
    return {relation.related_model for relation in model._meta.related_objects}
