"""`Model`: classes of processes, with fields. A model is a process whose `kind` is the class's name."""

import types

import processes
from processes import Process, Query, found, pid_of

_MISSING = object()


class Field:
    """One KVP of a model. `default` is a value, or what makes one."""

    def __init__(self, required=False, default=None):
        self.required = required
        self.default = default
        self.name = self.key = None

    def __set_name__(self, owner, name):
        self.name = self.key = name

    def __get__(self, model, owner):
        return self if model is None else self.read(model._get(self.key))

    def __set__(self, model, value):
        model._set(self.key, self.write(value))

    def __delete__(self, model):
        model._remove(self.key)

    def read(self, value):
        return value

    def write(self, value):
        return value

    def operand(self, value):
        """What a query compares with."""
        return self.write(value)

    def first(self):
        return self.default() if callable(self.default) else self.default


class Reference(Field):
    """Another process, kept as the KVP of this name with `_id`. Where a model is named, it is read as one of these."""

    def __init__(self, model=None, required=False, default=None):
        super().__init__(required, default)
        self.model = model

    def __set_name__(self, owner, name):
        self.name, self.key = name, name + "_id"

    def read(self, value):
        return self._of(value) if isinstance(value, Process) else value

    def write(self, value):
        if value is None:
            return None
        reference = getattr(type(value), "__reference__", None)
        return found(reference(value) if reference is not None else pid_of(value))

    def _of(self, process):
        kind = self.model
        if isinstance(kind, str):
            kind = Model._named.get(kind)
        return process if kind is None else kind._from(process.PROCESS_ID)


class ReferenceList(Reference):
    """Several other processes, kept as the KVP of this name with `_ids`."""

    def __set_name__(self, owner, name):
        self.name, self.key = name, name + "_ids"

    def read(self, value):
        return [self._of(one) for one in value] if isinstance(value, list) else []

    def write(self, value):
        return None if value is None else [super(ReferenceList, self).write(one) for one in value]

    def operand(self, value):
        return Reference.write(self, value)


class Models(Query):
    """A query whose results are models."""

    __slots__ = ("_model",)

    def __init__(self, model, **given):
        super().__init__(**given)
        self._model = model

    def _with(self, **more):
        given = dict(where=self._where, order=self._order, offset=self._offset, limit=self._limit)
        given.update(more)
        return Models(self._model, **given)

    def _narrow(self, negated, conditions):
        return super()._narrow(negated, {self._model._key(name): self._model._operand(name, value) for name, value in conditions.items()})

    def order_by(self, *keys):
        return super().order_by(*(("-" if key[:1] == "-" else "") + self._model._key(key.removeprefix("-")) for key in keys))

    def _make(self, pid):
        return self._model._from(pid)

    def create(self, **given):
        model = self._model(**given)
        model.save()
        return model


class Model:
    """A process with fields. It is nothing in the tenant before save()."""

    # By their names, for references to models that come later.
    _named = {}
    _fields = {}
    kind = None

    DoesNotExist = processes.DoesNotExist
    MultipleObjectsReturned = processes.MultipleObjectsReturned

    def __init_subclass__(cls, **more):
        super().__init_subclass__(**more)
        if "kind" not in cls.__dict__:
            cls.kind = cls.__name__.lower()
        cls._fields = {**cls._fields, **{name: value for name, value in vars(cls).items() if isinstance(value, Field)}}
        Model._named[cls.__name__] = cls

    def __init__(self, **given):
        self._process = None
        self._new = {}
        for name in given:
            if name not in self._fields:
                raise TypeError(f"{type(self).__name__} has no field {name}; its fields are {', '.join(self._fields) or 'none yet'}")
        for name, field in self._fields.items():
            value = given.get(name, _MISSING)
            if value is _MISSING:
                value = field.first()
                if value is None:
                    continue
            field.__set__(self, value)

    @classmethod
    def _from(cls, pid):
        model = cls.__new__(cls)
        model._process = found(pid)
        model._new = None
        return model

    @classmethod
    def _key(cls, name):
        base, _, operation = name.rpartition("__")
        field = cls._fields.get(base)
        if field is not None:
            return f"{field.key}__{operation}"
        field = cls._fields.get(name)
        if field is None:
            return name
        return f"{field.key}__contains" if isinstance(field, ReferenceList) else field.key

    @classmethod
    def _operand(cls, name, value):
        base, _, operation = name.rpartition("__")
        field = cls._fields.get(base) or cls._fields.get(name)
        if field is None or operation == "isnull":
            return value
        return [field.operand(one) for one in value] if operation == "in" else field.operand(value)

    @classmethod
    def filter(cls, **conditions):
        return Models(cls).filter(**{"kind": cls.kind, **conditions})

    @classmethod
    def all(cls):
        return cls.filter()

    @classmethod
    def exclude(cls, **conditions):
        return cls.filter().exclude(**conditions)

    @classmethod
    def get(cls, **conditions):
        return cls.filter().get(**conditions)

    @classmethod
    def count(cls, **conditions):
        return cls.filter(**conditions).count()

    @classmethod
    def create(cls, **given):
        model = cls(**given)
        model.save()
        return model

    @classmethod
    def get_or_create(cls, defaults=None, **conditions):
        """The model, and whether it was made."""
        try:
            return cls.get(**conditions), False
        except processes.DoesNotExist:
            return cls.create(**{**conditions, **(defaults or {})}), True

    def _get(self, key):
        return self._new.get(key) if self._process is None else self._process[key]

    def _set(self, key, value):
        if self._process is None:
            self._new[key] = value
        else:
            self._process[key] = value

    def _remove(self, key):
        if self._process is None:
            self._new.pop(key, None)
        else:
            del self._process[key]

    @property
    def PROCESS_ID(self):
        """The number of its process; None before it was saved."""
        return None if self._process is None else self._process.PROCESS_ID

    pid = PROCESS_ID

    def process(self):
        """Its process; None before it was saved."""
        return self._process

    def save(self):
        for name, field in self._fields.items():
            if field.required and self._get(field.key) is None:
                raise ValueError(f"{type(self).__name__} can not be saved without {name}")
        if self._process is None:
            process = processes.live(processes.run.make())
            process["kind"] = self.kind
            for key, value in self._new.items():
                if value is not None:
                    process[key] = value
            self._process, self._new = found(process.PROCESS_ID), None
        else:
            self._process.save()
        return self

    def delete(self):
        if self._process is not None:
            self._process.delete()

    def as_dict(self):
        return dict(self._new) if self._process is None else self._process.as_dict()

    def __reference__(self):
        if self._process is None:
            raise TypeError(f"this {type(self).__name__} was not saved yet, so nothing can refer to it; save() it first")
        return self._process.PROCESS_ID

    def __eq__(self, other):
        if self._process is None:
            return self is other
        return isinstance(other, (Model, Process)) and other.PROCESS_ID == self.PROCESS_ID

    def __hash__(self):
        return id(self) if self._process is None else hash(self.PROCESS_ID)

    def __repr__(self):
        return f"{type(self).__name__}({self.PROCESS_ID or 'not saved'})"


for _kind in (Model, Field, Reference, ReferenceList):
    _kind.__module__ = "eddy"

# As scripts for NebriOS import them.
nebriosmodels = types.ModuleType("nebriosmodels", "Models by the names of NebriOS.")
nebriosmodels.NebriOSModel, nebriosmodels.NebriOSField, nebriosmodels.NebriOSReference, nebriosmodels.NebriOSReferenceList = Model, Field, Reference, ReferenceList
