"""The whole public surface: every public class and function, with what it takes."""

import inspect

import costmodel as cm

# what runs a notebook, opens a window or draws widgets, and what takes any object as it is
LEFT_OUT = ("widgets",)
NOT_CALLED = {"run", "run_many", "show", "answer"}


def things():
    """(name, class or function) of all that is public and can be called."""
    for face in (None, *(face for face in cm.FACES if face not in LEFT_OUT)):
        home = cm if face is None else getattr(cm, face)
        for name in home.__all__:
            thing = getattr(home, name)
            error = isinstance(thing, type) and issubclass(thing, Exception)
            if callable(thing) and not error and name not in NOT_CALLED:
                yield ".".join(filter(None, ("cm", face, name))), thing


def calls(thing, value):
    """The arguments of calls in which one value stands in a wrong place.

    All that has no default at once; where nothing has to be given, one argument after the other.
    """
    given = inspect.signature(thing).parameters.values()
    by_name = [p for p in given if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    needed = {p.name: value for p in by_name if p.default is p.empty}
    return [needed] if needed else [{p.name: value} for p in by_name]
